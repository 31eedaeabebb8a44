-- Lists are sorted by time, then id, and a page goes on after the last one's time as JSON shows it: to the millisecond.
ALTER TABLE workspaces ALTER COLUMN created_at TYPE timestamptz(3);
ALTER TABLE agents ALTER COLUMN created_at TYPE timestamptz(3);
