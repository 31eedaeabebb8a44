-- Which tenants' indexes a placement holds that holds only so many, and when each was last used: what all replicas know of
-- it, and what is known after a restart. Nothing that tenants stored, and nothing that their transactions reach.
CREATE TABLE hot_spaces (
  placement text NOT NULL,
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  touched_at timestamptz NOT NULL,
  PRIMARY KEY (placement, tenant_id)
);
CREATE INDEX hot_spaces_idle ON hot_spaces (placement, touched_at);
CREATE INDEX hot_spaces_tenant ON hot_spaces (tenant_id);
ALTER TABLE hot_spaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE hot_spaces FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON hot_spaces TO loci_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON hot_spaces TO loci_system;
