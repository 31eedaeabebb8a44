-- Where a memory came from, as its teller names it: sealed, as it may say of whom. Null: nobody said.
ALTER TABLE memories ADD COLUMN source bytea;
