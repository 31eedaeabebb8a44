-- Rows here are only written under the lock of their tenant's row, so looking the tenant up again for each of them
-- proves nothing; purging deletes them by name.
ALTER TABLE changes DROP CONSTRAINT changes_tenant_id_fkey;

-- A vector that a caller brought is never handed to another memory, so nobody looks for it by its text.
CREATE INDEX embeddings_made ON embeddings (tenant_id, hash) WHERE NOT given;
DROP INDEX embeddings_cache;
