-- How far the server's own work on a tenant's ledger has come: for each follower the revision up to which it has handled
-- what changed. It moves in the transaction of what the follower writes, and goes with the ledger.
CREATE TABLE followers (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  name text NOT NULL,
  revision bigint NOT NULL,
  -- Of the item after that revision, since it was last passed.
  failures integer NOT NULL DEFAULT 0,
  next_try_at timestamptz,
  last_error text,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, name)
);
ALTER TABLE followers ENABLE ROW LEVEL SECURITY;
ALTER TABLE followers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON followers TO loci_tenant
  USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON followers TO loci_tenant;
-- The look over all tenants asks who is behind.
CREATE POLICY system_backlog ON followers FOR SELECT TO loci_system USING (true);
GRANT SELECT (tenant_id, name, revision, next_try_at, updated_at) ON followers TO loci_system;

-- What is done for each tenant now and then, and which replica does it just now. No transaction of a tenant's reaches it.
CREATE TABLE duties (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  name text NOT NULL,
  next_at timestamptz NOT NULL,
  -- Whose turn it is, until when. A replica that died gives it back by falling silent.
  lease uuid,
  leased_until timestamptz,
  failures integer NOT NULL DEFAULT 0,
  last_error text,
  last_done_at timestamptz,
  PRIMARY KEY (tenant_id, name)
);
CREATE INDEX duties_due ON duties (name, next_at);
ALTER TABLE duties ENABLE ROW LEVEL SECURITY;
ALTER TABLE duties FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON duties TO loci_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON duties TO loci_system;
