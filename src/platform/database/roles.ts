import type { Client } from 'pg';

/**
 * Makes the roles under which all work is done, where this cluster lacks them, and lets the connecting role
 * assume them without inheriting what they may do.
 *
 * Roles belong to the cluster, not to a database: they are no migration, since a dump restored elsewhere carries
 * the record of migrations but not the roles. Several databases of one cluster may start at once, and PostgreSQL
 * reports such a race as an error of the catalogue, so the step is repeated.
 */
export async function ensureRoles(client: Client): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(ENSURE_ROLES);
      return;
    } catch (error) {
      if (attempt === 10 || !isCatalogueRace(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
    }
  }
}

/** Unique violation, duplicate object, or "tuple concurrently updated". */
function isCatalogueRace(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === '23505' || code === '42710' || code === 'XX000';
}

const ENSURE_ROLES = `
DO $$
DECLARE wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['loci_tenant', 'loci_system', 'loci_retention'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', wanted);
    END IF;
    IF current_setting('server_version_num')::int >= 160000 THEN
      IF NOT pg_has_role(current_user, wanted, 'SET') THEN
        EXECUTE format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE', wanted, current_user);
      END IF;
    ELSIF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
      EXECUTE format('GRANT %I TO %I', wanted, current_user);
    END IF;
  END LOOP;
END $$`;
