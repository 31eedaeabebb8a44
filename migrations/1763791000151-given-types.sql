-- Whether its type is the caller's word, or was told by how the content speaks. Of what was stored before nobody knows any
-- more: it counts as given, and is left alone.
ALTER TABLE memories ADD COLUMN type_given boolean NOT NULL DEFAULT true;
