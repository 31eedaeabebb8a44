-- Usage, audit and idempotency: written in the transaction of what they are about.

CREATE TABLE usage_counters (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  workspace_id uuid NOT NULL,
  meter text NOT NULL,
  hour timestamptz NOT NULL,
  quantity bigint NOT NULL,
  PRIMARY KEY (tenant_id, workspace_id, meter, hour)
);

-- Outlives the tenant: the record of a purge is what is left of it. Null tenant: the installation's own.
CREATE TABLE audit_records (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id uuid,
  workspace_id uuid,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  action text NOT NULL,
  actor text NOT NULL,
  target text,
  outcome text NOT NULL DEFAULT 'done' CHECK (outcome IN ('done', 'refused')),
  request_id text,
  -- What changed, sealed under the tenant's key.
  detail bytea
);
CREATE INDEX audit_records_tenant ON audit_records (tenant_id, id);

-- `tenant_id` is all zeros for an operator's own requests.
CREATE TABLE idempotency_keys (
  tenant_id uuid NOT NULL,
  route text NOT NULL,
  key_hash bytea NOT NULL,
  body_hash bytea NOT NULL,
  -- Null while the first request still runs.
  status smallint,
  answer bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, route, key_hash)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

ALTER TABLE usage_counters ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_counters FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_records FORCE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;

CREATE POLICY system ON usage_counters TO loci_system USING (true) WITH CHECK (true);
CREATE POLICY system ON audit_records TO loci_system USING (true) WITH CHECK (true);
CREATE POLICY system ON idempotency_keys TO loci_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_counters, idempotency_keys TO loci_system;
GRANT SELECT, INSERT ON audit_records TO loci_system;

CREATE POLICY tenant ON usage_counters TO loci_tenant
  USING (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR workspace_id = (SELECT current_workspace())))
  WITH CHECK (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR workspace_id = (SELECT current_workspace())));
CREATE POLICY tenant ON audit_records TO loci_tenant
  USING (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR workspace_id = (SELECT current_workspace())))
  WITH CHECK (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR workspace_id = (SELECT current_workspace())));
-- An idempotency key is the tenant's, whatever workspace its request named.
CREATE POLICY tenant ON idempotency_keys TO loci_tenant
  USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE ON usage_counters TO loci_tenant;
-- A tenant's transaction adds to the record; nobody rewrites it.
GRANT SELECT, INSERT ON audit_records TO loci_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO loci_tenant;
