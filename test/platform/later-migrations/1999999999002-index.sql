-- one by one
-- An index that failed half-way is left behind, unusable: it goes first, so that the file can be run again.
DROP INDEX CONCURRENTLY IF EXISTS memories_pinned;
CREATE INDEX CONCURRENTLY memories_pinned ON memories (workspace_id, timestamp DESC) WHERE pinned;
