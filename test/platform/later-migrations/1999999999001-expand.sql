-- What a later version may need: columns that today's code does not know, on the tables that it uses most.
ALTER TABLE memories ADD COLUMN pinned boolean NOT NULL DEFAULT false;
ALTER TABLE changes ADD COLUMN origin text;
ALTER TABLE tenants ADD COLUMN region text;
ALTER TABLE memories ADD CONSTRAINT memories_content_there CHECK (length(content) > 0) NOT VALID;

CREATE TABLE notes (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id uuid NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX notes_id ON notes (id);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
