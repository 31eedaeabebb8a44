-- What was stored before a language model could read it goes to none because of an upgrade: its follower begins where each
-- ledger is now. `POST /enrichment/reprocess` has the rest read.
-- a new row for each tenant, which no older server knows of
DO $$
DECLARE ledger record;
BEGIN
  SET LOCAL ROLE loci_system;
  FOR ledger IN SELECT id, revision FROM tenants WHERE revision > 0 LOOP
    SET LOCAL ROLE loci_tenant;
    PERFORM set_config('app.tenant', ledger.id::text, true);
    INSERT INTO followers (tenant_id, name, revision) VALUES (ledger.id, 'language_model', ledger.revision)
    ON CONFLICT DO NOTHING;
    SET LOCAL ROLE loci_system;
  END LOOP;
  PERFORM set_config('app.tenant', '', true);
  RESET ROLE;
END $$;
