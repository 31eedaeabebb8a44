-- one by one
-- Nobody reads by it: row-level security lets the planner use an index only where what compares is leakproof, and what
-- compares arrays is not. Every write kept it up all the same.
DROP INDEX CONCURRENTLY IF EXISTS memories_tags;
