-- What the event stream and triggers tell of a change: when it was, and under which revisions a relation was made and last
-- written. A memory has its own `position`, and its history; items from before say less, and nothing wrong.
ALTER TABLE changes ADD COLUMN at timestamptz;
ALTER TABLE changes ALTER COLUMN at SET DEFAULT now();
ALTER TABLE relations ADD COLUMN position bigint;
ALTER TABLE relations ADD COLUMN edited bigint;
