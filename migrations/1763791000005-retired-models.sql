-- The model that answered before the last switch: requests that began before it may still ask for it, so it is kept
-- for a while, and this row remembers to drop it, whoever is running by then.
ALTER TABLE tenants
  ADD COLUMN retired_model text,
  ADD COLUMN retired_at timestamptz;
CREATE INDEX tenants_retired ON tenants (retired_at) WHERE retired_at IS NOT NULL;
GRANT SELECT (retired_model), UPDATE (retired_model, retired_at) ON tenants TO loci_tenant;
