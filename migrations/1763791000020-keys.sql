-- A tenant manages the keys of its own workspaces, in transactions of its own.
--
-- It may add keys and end them; what a key may do is never changed after it was made, and none is deleted.

-- The key that took over from this one. A key is rotated once: whoever repeats the request without having seen the
-- answer would otherwise leave a key behind that nobody holds.
ALTER TABLE api_keys ADD COLUMN rotated_to uuid;

GRANT INSERT, UPDATE (revoked_at, rotated_to) ON api_keys TO loci_tenant;

-- An operator names a workspace without its tenant.
CREATE INDEX workspaces_id ON workspaces (id);
