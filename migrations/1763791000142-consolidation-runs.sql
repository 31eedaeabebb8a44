-- What consolidation did and does for a tenant: how far it is, and what it came to; ids and counts, never content. It is no
-- part of a ledger, and stays where duties are. One at a time for each tenant, over all replicas.
CREATE TABLE consolidation_runs (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  id uuid NOT NULL,
  mode text NOT NULL,
  dry_run boolean NOT NULL,
  actor text NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
  -- A replica that died gives its turn back by falling silent.
  leased_until timestamptz,
  progress jsonb,
  result jsonb,
  error text,
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, workspace_id, id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces ON DELETE CASCADE
);
CREATE UNIQUE INDEX consolidation_runs_one ON consolidation_runs (tenant_id) WHERE state = 'running';
CREATE INDEX consolidation_runs_newest ON consolidation_runs (tenant_id, started_at DESC);
ALTER TABLE consolidation_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE consolidation_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consolidation_runs TO loci_tenant
  USING (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR workspace_id = (SELECT current_workspace())))
  WITH CHECK (tenant_id = (SELECT current_tenant()) AND ((SELECT sees_all_workspaces()) OR workspace_id = (SELECT current_workspace())));
GRANT SELECT, INSERT, UPDATE, DELETE ON consolidation_runs TO loci_tenant;
