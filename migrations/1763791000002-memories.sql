-- What tenants stored. Content, metadata, history and vectors are sealed under the tenant's own key;
-- ids, tags, types and times are in the clear, because the ledger filters and sorts by them.
--
-- A memory's identity is (tenant, workspace, id): the same id may exist in two workspaces, and storing it in one
-- says nothing about the other.

CREATE TABLE memories (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  -- The revision under which it was first stored: the order of arrival, which settles equal timestamps.
  position bigint NOT NULL,
  type text NOT NULL,
  tags text[] NOT NULL,
  importance real NOT NULL,
  confidence real NOT NULL,
  timestamp timestamptz NOT NULL,
  t_valid timestamptz,
  t_invalid timestamptz,
  session_id text,
  user_id text,
  agent_id text,
  -- The memory before it in its session, whose text is joined to its own.
  previous_id uuid,
  content bytea NOT NULL,
  metadata bytea NOT NULL,
  -- HMACs under the tenant's key: of the text that is embedded alone and joined, of the request that made it,
  -- and of what makes an exact duplicate.
  alone_hash bytea NOT NULL,
  joined_hash bytea,
  fingerprint bytea NOT NULL,
  duplicate_hash bytea NOT NULL,
  -- What it takes in the ledger, for stats.
  bytes integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, workspace_id, id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces ON DELETE CASCADE
);
-- These begin with the workspace alone. Without statistics PostgreSQL takes (tenant, workspace) to name a single row, and
-- would rather read all of a tenant in one of them than look ids up in the primary key's index.
CREATE INDEX memories_duplicates ON memories (workspace_id, duplicate_hash);
CREATE INDEX memories_sessions ON memories (workspace_id, session_id, timestamp, position) WHERE session_id IS NOT NULL;
CREATE INDEX memories_newest ON memories (workspace_id, timestamp DESC, id DESC);
CREATE INDEX memories_tags ON memories USING gin (tags);
CREATE INDEX memories_successors ON memories (workspace_id, previous_id) WHERE previous_id IS NOT NULL;
-- A workspace tells its tenant: to take the two for independent makes every tenant look tiny.
CREATE STATISTICS memories_places (ndistinct, dependencies, mcv) ON tenant_id, workspace_id FROM memories;
-- A tenant that is loaded in one go is planned for as it is soon after.
ALTER TABLE memories SET (autovacuum_analyze_threshold = 500, autovacuum_analyze_scale_factor = 0.05);

-- What a memory was before each edit.
CREATE TABLE memory_history (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  memory_id uuid NOT NULL,
  revision bigint NOT NULL,
  snapshot bytea NOT NULL,
  replaced_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, workspace_id, memory_id, revision),
  FOREIGN KEY (tenant_id, workspace_id, memory_id) REFERENCES memories ON DELETE CASCADE
);

CREATE TABLE relations (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  from_id uuid NOT NULL,
  to_id uuid NOT NULL,
  type text NOT NULL,
  strength real NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, workspace_id, id),
  UNIQUE (tenant_id, workspace_id, from_id, to_id, type),
  FOREIGN KEY (tenant_id, workspace_id, from_id) REFERENCES memories ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, workspace_id, to_id) REFERENCES memories ON DELETE CASCADE
);
CREATE INDEX relations_incoming ON relations (workspace_id, to_id);

-- A vector counts only while its hash is the memory's: editing a text makes its old vector void at once.
CREATE TABLE embeddings (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  memory_id uuid NOT NULL,
  part text NOT NULL CHECK (part IN ('alone', 'joined')),
  model text NOT NULL,
  hash bytea NOT NULL,
  -- Brought by the caller: never handed to another memory with the same text.
  given boolean NOT NULL DEFAULT false,
  vector bytea NOT NULL,
  PRIMARY KEY (tenant_id, workspace_id, memory_id, part, model),
  FOREIGN KEY (tenant_id, workspace_id, memory_id) REFERENCES memories ON DELETE CASCADE
);
CREATE INDEX embeddings_cache ON embeddings (tenant_id, hash);

-- Texts that wait for their vector, because the model was away or the text changed under it.
CREATE TABLE pending_vectors (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  memory_id uuid NOT NULL,
  part text NOT NULL CHECK (part IN ('alone', 'joined')),
  model text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, workspace_id, memory_id, part, model),
  FOREIGN KEY (tenant_id, workspace_id, memory_id) REFERENCES memories ON DELETE CASCADE
);

-- The change feed, the tombstones and the replay in one: each item's latest revision.
CREATE TABLE changes (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  workspace_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('memory', 'relation')),
  id uuid NOT NULL,
  revision bigint NOT NULL,
  gone boolean NOT NULL,
  PRIMARY KEY (tenant_id, workspace_id, kind, id)
);
CREATE UNIQUE INDEX changes_feed ON changes (tenant_id, revision);

-- An item that an engine refuses is recorded and passed, so that it never blocks the line.
CREATE TABLE unindexable (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  workspace_id uuid NOT NULL,
  kind text NOT NULL,
  id uuid NOT NULL,
  projection text NOT NULL,
  revision bigint NOT NULL,
  reason text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, workspace_id, kind, id, projection)
);

-- What changes without being projected: no revision, no history, no audit.
CREATE TABLE memory_stats (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  memory_id uuid NOT NULL,
  access_count bigint NOT NULL DEFAULT 0,
  last_accessed timestamptz,
  PRIMARY KEY (tenant_id, workspace_id, memory_id),
  FOREIGN KEY (tenant_id, workspace_id, memory_id) REFERENCES memories ON DELETE CASCADE
);

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['memories', 'memory_history', 'relations', 'embeddings', 'pending_vectors', 'changes', 'unindexable', 'memory_stats'] LOOP
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

-- Counting across tenants needs these columns, and no others.
CREATE POLICY system_counts ON memories FOR SELECT TO loci_system USING (true);
GRANT SELECT (tenant_id, workspace_id, bytes) ON memories TO loci_system;
CREATE POLICY system_counts ON relations FOR SELECT TO loci_system USING (true);
GRANT SELECT (tenant_id, workspace_id) ON relations TO loci_system;
-- The backfill asks which tenants wait.
CREATE POLICY system_backlog ON pending_vectors FOR SELECT TO loci_system USING (true);
GRANT SELECT (tenant_id, model) ON pending_vectors TO loci_system;
