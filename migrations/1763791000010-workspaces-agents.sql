-- Workspaces and agents, as their tenants manage them.

-- Set while a workspace is being erased: from then on nobody finds it. Its slug is free once the row is gone.
ALTER TABLE workspaces ADD COLUMN deleted_at timestamptz;
CREATE INDEX workspaces_newest ON workspaces (tenant_id, created_at DESC, id DESC);
CREATE INDEX workspaces_deleted ON workspaces (tenant_id) WHERE deleted_at IS NOT NULL;

-- Whose a workspace is, and its id, never change.
GRANT INSERT, DELETE, UPDATE (slug, name, description, settings, deleted_at, updated_at) ON workspaces TO loci_tenant;

ALTER TABLE agents
  ADD COLUMN tool_config jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN agent_type text NOT NULL DEFAULT 'custom',
  -- A member or a key. Null: the tenant's own, which its administrators look after.
  ADD COLUMN owner_id text,
  -- Which of the templates it was made from.
  ADD COLUMN template text,
  -- Deleting is soft: what was said with an agent still names it.
  ADD COLUMN deleted_at timestamptz;

-- The slug of a deleted agent may be used again.
ALTER TABLE agents DROP CONSTRAINT agents_tenant_id_workspace_id_slug_key;
CREATE UNIQUE INDEX agents_slug ON agents (tenant_id, workspace_id, slug) WHERE deleted_at IS NULL;
-- One for each way in which agents are listed: of a workspace, all, one owner's, the public ones, of a type.
CREATE INDEX agents_workspace ON agents (tenant_id, workspace_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX agents_newest ON agents (tenant_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX agents_owner ON agents (tenant_id, owner_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX agents_public ON agents (tenant_id, created_at DESC, id DESC) WHERE deleted_at IS NULL AND is_public;
CREATE INDEX agents_type ON agents (tenant_id, agent_type, created_at DESC, id DESC) WHERE deleted_at IS NULL;

GRANT INSERT, UPDATE (slug, name, description, system_prompt, model_provider, model_name, temperature, enabled_tools,
  tool_config, agent_type, owner_id, is_public, is_active, deleted_at, updated_at) ON agents TO loci_tenant;

-- Null: what the plan brings. A list: exactly these, as an operator set them.
ALTER TABLE tenants ALTER COLUMN features DROP NOT NULL, ALTER COLUMN features DROP DEFAULT;
-- Of those, what the tenant has turned off itself.
ALTER TABLE tenants ADD COLUMN features_off text[] NOT NULL DEFAULT '{}';
-- The owner's own statements would see no row: the policies bind it too.
SET LOCAL ROLE loci_system;
UPDATE tenants SET features = NULL WHERE features = '{}';
RESET ROLE;
