-- What is derived from memories in the background. It vanishes with the memory that it was read from, at once, and does
-- not count any more as soon as that one's text has changed: `hash` is that of the text that was read.

-- That a memory was read, and what it comes to where it is long.
CREATE TABLE enrichments (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  memory_id uuid NOT NULL,
  hash bytea NOT NULL,
  -- Whether it was compared with the others: without a vector it could not be.
  compared boolean NOT NULL,
  summary bytea,
  enriched_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, workspace_id, memory_id),
  FOREIGN KEY (tenant_id, workspace_id, memory_id) REFERENCES memories ON DELETE CASCADE
);

-- Whom and what it names. An entity is what all mentions of it have in common: there is one as long as it is mentioned.
-- `found` and `entity` are HMACs under the tenant's key of the kind and the slug: of the name as it stands there, and of
-- what that was merged into, mostly the same.
CREATE TABLE mentions (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  memory_id uuid NOT NULL,
  kind text NOT NULL,
  found text NOT NULL,
  entity text NOT NULL,
  name bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (tenant_id, workspace_id, memory_id, found),
  FOREIGN KEY (tenant_id, workspace_id, memory_id) REFERENCES memories ON DELETE CASCADE
);
CREATE INDEX mentions_entity ON mentions (workspace_id, entity);

-- What a tenant has merged: whoever is found under the one name is the other.
CREATE TABLE entity_aliases (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  found text NOT NULL,
  kind text NOT NULL,
  entity text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, workspace_id, found),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces ON DELETE CASCADE
);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['enrichments', 'mentions', 'entity_aliases'] LOOP
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
