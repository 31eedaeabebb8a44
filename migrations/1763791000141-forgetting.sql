-- When forgetting took a memory out of what holds now; it is there, and recalled where the past is asked for.
ALTER TABLE memories ADD COLUMN archived_at timestamptz;
-- A memory that was brought back is as young as that.
ALTER TABLE memory_stats ADD COLUMN restored_at timestamptz;

-- What retention and forgetting have deleted, kept aside for a while. Nothing else reads these tables, so what lies here is
-- not found anywhere. Sealed values stay sealed for the place that they came from.
CREATE TABLE deleted_memories (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  type text NOT NULL,
  user_id text,
  reason text NOT NULL CHECK (reason IN ('retention', 'forgetting')),
  deleted_at timestamptz NOT NULL,
  -- Its rows, as they were: of `memories`, `memory_history`, `embeddings` (of its text alone) and `memory_stats`.
  memory jsonb NOT NULL,
  history jsonb NOT NULL,
  vectors jsonb NOT NULL,
  stats jsonb,
  PRIMARY KEY (tenant_id, workspace_id, id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces ON DELETE CASCADE
);
CREATE INDEX deleted_memories_newest ON deleted_memories (workspace_id, deleted_at DESC, id DESC);

-- Their relations, which come back when both ends are there again.
CREATE TABLE deleted_relations (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  from_id uuid NOT NULL,
  to_id uuid NOT NULL,
  type text NOT NULL,
  strength real NOT NULL,
  attributes bytea,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, workspace_id, id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces ON DELETE CASCADE
);
CREATE INDEX deleted_relations_from ON deleted_relations (workspace_id, from_id);
CREATE INDEX deleted_relations_to ON deleted_relations (workspace_id, to_id);

-- Which memories a derived one was drawn from. One that it quotes, or once quoted, takes it along when it goes.
CREATE TABLE derived_memories (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  memory_id uuid NOT NULL,
  source_id uuid NOT NULL,
  quoted boolean NOT NULL,
  PRIMARY KEY (tenant_id, workspace_id, memory_id, source_id),
  FOREIGN KEY (tenant_id, workspace_id, memory_id) REFERENCES memories ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, workspace_id, source_id) REFERENCES memories ON DELETE CASCADE
);
CREATE INDEX derived_memories_sources ON derived_memories (workspace_id, source_id);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['deleted_memories', 'deleted_relations', 'derived_memories'] LOOP
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
