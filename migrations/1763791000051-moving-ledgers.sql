-- A ledger on its way to another database.
ALTER TABLE tenants
  -- In the database that it is copied to: which ledger this is a copy of, `<home>:<epoch>`. `revision` is how far it is.
  ADD COLUMN copy_of text,
  -- What was counted where it lived before has been added to what the main database counts.
  ADD COLUMN usage_carried boolean NOT NULL DEFAULT false;
