-- Reads the whole table, and locks nobody out.
ALTER TABLE memories VALIDATE CONSTRAINT memories_content_there;
