-- Rotating the master key touches nothing but what is wrapped by it: each tenant's key, and the installation's own, from
-- which everything else is derived that belongs to no tenant (signatures of the audit, the operator's sealed answers).
ALTER TABLE installation
  -- Null: from before there was one. Its part is then played by the master key of that time, and wrapped at the next start.
  ADD COLUMN wrapped_key bytea,
  -- The master key under which new tenants' keys are wrapped, by its name.
  ADD COLUMN wrapped_by bytea;
GRANT UPDATE (wrapped_key, wrapped_by) ON installation TO loci_system;
-- Null: not known.
ALTER TABLE tenants ADD COLUMN wrapped_by bytea;
