-- Tenants, and what an operator provisions for them.
--
-- Row-level security is forced on every table. Two roles reach them, neither of which owns a table, logs in,
-- or bypasses policies: loci_tenant, inside a transaction that has set app.tenant and app.workspace, and
-- loci_system, for the few things that must look across tenants, on the tables and columns named here.

CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(current_setting('app.tenant', true), '')::uuid;

-- '*' stands for the whole tenant; unset stands for no workspace at all.
CREATE FUNCTION sees_all_workspaces() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN COALESCE(current_setting('app.workspace', true), '') = '*';

CREATE FUNCTION current_workspace() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(NULLIF(current_setting('app.workspace', true), ''), '*')::uuid;

-- One row: what this installation is, and a check value that stops a wrong master key.
CREATE TABLE installation (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  id uuid NOT NULL,
  master_key_check bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tenants (
  id uuid PRIMARY KEY,
  slug text NOT NULL UNIQUE,
  name text NOT NULL,
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'deleted')),
  plan text NOT NULL CHECK (plan IN ('free', 'starter', 'pro', 'enterprise')),
  placement text NOT NULL,
  -- Where it is on its way to, while it still is served from where it was.
  moving_to text,
  -- The tenant's own counter: every change to its ledger takes the next number.
  revision bigint NOT NULL DEFAULT 0,
  -- Changes when the tenant's projections must be built anew. Starts at a time, so that a tenant that was
  -- purged and provisioned again under the same id never meets what was left of the first.
  epoch bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
  -- The model whose vectors answer this tenant's queries.
  embedding_model text NOT NULL,
  memory_count bigint NOT NULL DEFAULT 0,
  default_workspace_id uuid NOT NULL,
  default_agent_id uuid NOT NULL,
  wrapped_key bytea NOT NULL,
  domain text UNIQUE,
  platform text,
  contact_email text,
  contact_name text,
  admin_email text,
  api_credentials bytea,
  settings jsonb NOT NULL DEFAULT '{}',
  features text[] NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  -- What it was provisioned from, so that repeating the request is recognized.
  fingerprint bytea NOT NULL,
  suspended_reason text,
  deleted_at timestamptz,
  last_active_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tenants_newest ON tenants (created_at DESC, id DESC);

CREATE TABLE workspaces (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id uuid NOT NULL,
  slug text NOT NULL,
  name text NOT NULL,
  description text,
  settings jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, slug)
);

CREATE TABLE agents (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  slug text NOT NULL,
  name text NOT NULL,
  description text,
  system_prompt text,
  model_provider text,
  model_name text,
  temperature real,
  enabled_tools text[] NOT NULL DEFAULT '{}',
  is_public boolean NOT NULL DEFAULT true,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, workspace_id, slug),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces ON DELETE CASCADE
);

CREATE TABLE api_keys (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id uuid NOT NULL,
  -- Null: the key reaches the whole tenant.
  workspace_id uuid,
  name text NOT NULL,
  prefix text NOT NULL,
  -- SHA-256 of the token; the token itself is kept nowhere. A row is found by the hash's first 8 bytes,
  -- the whole is then compared in constant time.
  hash bytea NOT NULL UNIQUE,
  lookup bytea NOT NULL GENERATED ALWAYS AS (substring(hash FROM 1 FOR 8)) STORED,
  scopes text[] NOT NULL,
  role text NOT NULL DEFAULT 'service_account',
  environment text NOT NULL DEFAULT 'live' CHECK (environment IN ('live', 'test')),
  rate_limit_per_minute integer,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces ON DELETE CASCADE
);

CREATE INDEX api_keys_lookup ON api_keys (lookup);

ALTER TABLE installation ENABLE ROW LEVEL SECURITY;
ALTER TABLE installation FORCE ROW LEVEL SECURITY;
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE workspaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE workspaces FORCE ROW LEVEL SECURITY;
ALTER TABLE agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE agents FORCE ROW LEVEL SECURITY;
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;

CREATE POLICY system ON installation TO loci_system USING (true) WITH CHECK (true);
CREATE POLICY system ON tenants TO loci_system USING (true) WITH CHECK (true);
CREATE POLICY system ON workspaces TO loci_system USING (true) WITH CHECK (true);
CREATE POLICY system ON agents TO loci_system USING (true) WITH CHECK (true);
CREATE POLICY system ON api_keys TO loci_system USING (true) WITH CHECK (true);

CREATE POLICY tenant ON tenants TO loci_tenant
  USING (id = (SELECT current_tenant())) WITH CHECK (id = (SELECT current_tenant()));
CREATE POLICY tenant ON workspaces TO loci_tenant
  USING (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR id = (SELECT current_workspace())))
  WITH CHECK (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR id = (SELECT current_workspace())));
CREATE POLICY tenant ON agents TO loci_tenant
  USING (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR workspace_id = (SELECT current_workspace())))
  WITH CHECK (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR workspace_id = (SELECT current_workspace())));
CREATE POLICY tenant ON api_keys TO loci_tenant
  USING (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR workspace_id = (SELECT current_workspace())))
  WITH CHECK (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR workspace_id = (SELECT current_workspace())));

GRANT SELECT, INSERT ON installation TO loci_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenants, workspaces, agents, api_keys TO loci_system;

-- The wrapped key and the credentials stay out of a tenant transaction's reach.
GRANT SELECT (id, slug, name, state, plan, placement, moving_to, revision, epoch, embedding_model, memory_count, settings)
  ON tenants TO loci_tenant;
-- The epoch too: a writer that finds the ledger behind what it has written knows that it was restored.
GRANT UPDATE (revision, epoch, memory_count, embedding_model, last_active_at) ON tenants TO loci_tenant;
GRANT SELECT ON workspaces, agents, api_keys TO loci_tenant;
