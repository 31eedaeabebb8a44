-- A tenant's rules: when something happens to what it stores, do this. What a rule says is sealed; a webhook's secret is in
-- tenant_secrets.
CREATE TABLE triggers (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id uuid NOT NULL,
  rule bytea NOT NULL,
  is_active boolean NOT NULL,
  -- The ledger's revision when it was made or turned on: what happened until then is not its matter.
  since bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE triggers ENABLE ROW LEVEL SECURITY;
ALTER TABLE triggers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON triggers TO loci_tenant
  USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON triggers TO loci_tenant;

-- What webhooks are told, and what came of it. It holds no content: that is read when it is told. Part of the ledger, as it
-- is written in the transaction that takes note of what happened.
CREATE TABLE trigger_deliveries (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  trigger_id uuid NOT NULL,
  event text NOT NULL,
  item uuid NOT NULL,
  revision bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  -- Moved on before each attempt, so that one whose replica has died is tried again, and by nobody else meanwhile.
  next_try_at timestamptz NOT NULL DEFAULT now(),
  last_status integer,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX trigger_deliveries_log ON trigger_deliveries (tenant_id, trigger_id, created_at DESC, id DESC);
CREATE INDEX trigger_deliveries_due ON trigger_deliveries (next_try_at) WHERE state = 'waiting';

-- Which revisions are triggers' own doing, until they have been looked at: what a trigger does triggers nothing.
CREATE TABLE trigger_writes (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  workspace_id uuid NOT NULL,
  item uuid NOT NULL,
  revision bigint NOT NULL,
  trigger_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, revision)
);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['trigger_deliveries', 'trigger_writes'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format($policy$
      CREATE POLICY tenant ON %I TO loci_tenant
        USING (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR workspace_id = (SELECT current_workspace())))
        WITH CHECK (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR workspace_id = (SELECT current_workspace())))
    $policy$, name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO loci_tenant', name);
  END LOOP;
END $$;
-- The look over all tenants asks who has something to deliver.
CREATE POLICY system_backlog ON trigger_deliveries FOR SELECT TO loci_system USING (true);
GRANT SELECT (tenant_id, state, next_try_at) ON trigger_deliveries TO loci_system;
