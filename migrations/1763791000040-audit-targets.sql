-- One record for one request: what a batch stored or deleted is named by its one record, not by one for each memory.
-- `target` names a single thing, `targets` several; never both.
ALTER TABLE audit_records ADD COLUMN targets uuid[];
-- Ids are random: trying to compress them is work for nothing.
ALTER TABLE audit_records ALTER COLUMN targets SET STORAGE EXTERNAL;
