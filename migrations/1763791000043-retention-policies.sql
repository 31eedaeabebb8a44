-- How long a tenant keeps what, in days; null: for good. Absent: nothing expires but cost logs, after seven years.
CREATE TABLE retention_policies (
  tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
  episodic_memories_days integer CHECK (episodic_memories_days > 0),
  semantic_memories_days integer CHECK (semantic_memories_days > 0),
  reflective_memories_days integer CHECK (reflective_memories_days > 0),
  cost_logs_days integer CHECK (cost_logs_days > 0),
  audit_days integer CHECK (audit_days > 0),
  sessions_days integer CHECK (sessions_days > 0),
  updated_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE retention_policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention_policies FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON retention_policies TO loci_tenant
  USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON retention_policies TO loci_tenant;
-- The daily job asks which tenants have something due.
CREATE POLICY system ON retention_policies FOR SELECT TO loci_system USING (true);
GRANT SELECT ON retention_policies TO loci_system;

-- Records from before the chain have no position, and are older than everything that a checkpoint stands for.
DROP POLICY retention ON audit_records;
CREATE POLICY retention ON audit_records TO loci_retention USING (
  COALESCE(position, 0) <= (SELECT max(c.position) FROM audit_checkpoints c WHERE c.tenant_id = audit_records.tenant_id AND c.reason = 'retention')
);
GRANT SELECT (at) ON audit_records TO loci_retention;
