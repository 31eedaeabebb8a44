-- Where a tenant's ledger is kept.
--
-- `main` is this database, which knows every tenant, its keys and its workspaces. Any other word is a placement that has
-- a database of its own: it carries these same tables, and in them the ledgers of the tenants that live there, beside
-- a row of `tenants` for each that says so. A database serves a tenant only where its own row names it.
ALTER TABLE tenants
  ADD COLUMN home text NOT NULL DEFAULT 'main',
  -- Where it lived before, until what was left there is erased.
  ADD COLUMN leaving text,
  -- Until then nothing is written: the last of its ledger is on its way to another database.
  ADD COLUMN frozen_until timestamptz;
CREATE INDEX tenants_leaving ON tenants (id) WHERE leaving IS NOT NULL;
GRANT SELECT (home, frozen_until) ON tenants TO loci_tenant;
