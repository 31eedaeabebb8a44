-- Under which revision it was last archived, or brought back from there; null: never since this column is. Whoever listens
-- to `/stream` hears of it.
ALTER TABLE memories ADD COLUMN archive_revision bigint;
