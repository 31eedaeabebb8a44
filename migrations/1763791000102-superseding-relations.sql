-- one by one
-- Who was superseded, and by whom: recall looks along these from memory to memory, and most tenants have none.
DROP INDEX CONCURRENTLY IF EXISTS relations_superseding;
CREATE INDEX CONCURRENTLY relations_superseding ON relations (workspace_id, from_id) WHERE type IN ('INVALIDATED_BY', 'EVOLVED_INTO');
