-- The audit's chain: each record holds the hash of itself and of the record before it, and the tenant's row where the
-- chain ends, signed. Written under the lock on that row, which every writing transaction takes anyway.

ALTER TABLE audit_records ADD COLUMN position bigint, ADD COLUMN hash bytea;
COMMENT ON COLUMN audit_records.position IS 'Null: from before the chain, or not written by the ledger';
ALTER TABLE tenants
  ADD COLUMN audit_position bigint NOT NULL DEFAULT 0, ADD COLUMN audit_hash bytea, ADD COLUMN audit_signature bytea;
ALTER TABLE installation
  ADD COLUMN audit_position bigint NOT NULL DEFAULT 0, ADD COLUMN audit_hash bytea, ADD COLUMN audit_signature bytea;
GRANT SELECT (audit_position, audit_hash, audit_signature), UPDATE (audit_position, audit_hash, audit_signature) ON tenants TO loci_tenant;
GRANT UPDATE (audit_position, audit_hash, audit_signature) ON installation TO loci_system;

-- What stands for the records up to a position: those that retention removed, or all of a tenant that was purged.
CREATE TABLE audit_checkpoints (
  tenant_id uuid NOT NULL,
  reason text NOT NULL CHECK (reason IN ('retention', 'purge')),
  position bigint NOT NULL,
  -- Of the record at that position.
  hash bytea NOT NULL,
  signature bytea NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, reason, position)
);
ALTER TABLE audit_checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_checkpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON audit_checkpoints TO loci_system USING (true) WITH CHECK (true);
CREATE POLICY tenant ON audit_checkpoints TO loci_tenant
  USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT ON audit_checkpoints TO loci_system;
GRANT SELECT ON audit_checkpoints TO loci_tenant;

-- The roles that serve requests cannot delete a record. Retention takes a role that can do nothing else, and that only
-- where a checkpoint stands for what goes.
CREATE POLICY retention ON audit_checkpoints FOR SELECT TO loci_retention USING (true);
CREATE POLICY retention ON audit_records TO loci_retention USING (
  position <= (SELECT max(c.position) FROM audit_checkpoints c WHERE c.tenant_id = audit_records.tenant_id AND c.reason = 'retention')
);
GRANT SELECT ON audit_checkpoints TO loci_retention;
GRANT SELECT (tenant_id, position), DELETE ON audit_records TO loci_retention;
