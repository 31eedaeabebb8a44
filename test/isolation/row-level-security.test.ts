import type { PoolClient } from 'pg';
import { systemCause } from '../../src/ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../src/ledger/ledger.js';
import { Loci } from '../support/loci.js';
import { asSuperuser, furnishedTenant, type FurnishedTenant } from './two-palaces.js';

const ROLES = `('loci_tenant'::regrole, 'loci_system'::regrole, 'loci_retention'::regrole)`;

/** Tables that belong to no tenant. They hold nothing that one stored. */
const NOT_A_TENANTS: Record<string, string> = {
  duties: 'what is done for whom now and then, and by which replica: no transaction of a tenant’s has it',
  hot_spaces:
    'whose indexes a placement holds, and when they were last used: no transaction of a tenant’s has it',
  installation: 'one row: which installation this is, and the check value of its master key',
  migrations: 'which migrations were applied; the owner’s alone',
};

/** What says whose a row is, where it is not `tenant_id` and `workspace_id`. Null: the whole tenant's. */
const OWNER_COLUMNS: Record<string, { tenant?: string; workspace?: string | null }> = {
  tenants: { tenant: 'id', workspace: null },
  workspaces: { workspace: 'id' },
  // A claim is taken before the workspace is known; the answer in it is sealed.
  idempotency_keys: { workspace: null },
  tenant_secrets: { workspace: null },
  triggers: { workspace: null },
  audit_checkpoints: { workspace: null },
  retention_policies: { workspace: null },
  tenant_policies: { workspace: null },
  followers: { workspace: null },
  // Members are the whole tenant's, and so is who says who they are.
  members: { workspace: null },
  oidc_issuers: { workspace: null },
};

/** Everything that the roles may do. A new grant belongs here only with a reason in its migration. */
const GRANTS = [
  'loci_retention audit_checkpoints: SELECT',
  'loci_retention audit_records(at, position, tenant_id): SELECT',
  'loci_retention audit_records: DELETE',
  'loci_system agents: DELETE INSERT SELECT UPDATE',
  'loci_system api_keys: DELETE INSERT SELECT UPDATE',
  'loci_system audit_records: INSERT SELECT',
  'loci_system duties: DELETE INSERT SELECT UPDATE',
  'loci_system followers(name, next_try_at, revision, tenant_id, updated_at): SELECT',
  'loci_system hot_spaces: DELETE INSERT SELECT UPDATE',
  'loci_system idempotency_keys: DELETE INSERT SELECT UPDATE',
  'loci_system audit_checkpoints: INSERT SELECT',
  'loci_system installation(audit_hash, audit_position, audit_signature, wrapped_by, wrapped_key): UPDATE',
  'loci_system installation: INSERT SELECT',
  'loci_system members: DELETE INSERT SELECT',
  'loci_system memories(bytes, tenant_id, workspace_id): SELECT',
  'loci_system oidc_issuers: DELETE SELECT',
  'loci_system pending_vectors(model, tenant_id): SELECT',
  'loci_system relations(tenant_id, workspace_id): SELECT',
  'loci_system retention_policies: SELECT',
  'loci_system tenants: DELETE INSERT SELECT UPDATE',
  'loci_system trigger_deliveries(next_try_at, state, tenant_id): SELECT',
  'loci_system usage_counters: DELETE INSERT SELECT UPDATE',
  'loci_system workspaces: DELETE INSERT SELECT UPDATE',
  'loci_tenant agents(agent_type, deleted_at, description, enabled_tools, is_active, is_public, model_name, model_provider, name, owner_id, slug, system_prompt, temperature, tool_config, updated_at): UPDATE',
  'loci_tenant agents: INSERT SELECT',
  'loci_tenant api_keys: INSERT SELECT',
  'loci_tenant api_keys(revoked_at, rotated_to): UPDATE',
  'loci_tenant audit_checkpoints: SELECT',
  'loci_tenant audit_records: INSERT SELECT',
  'loci_tenant changes: DELETE INSERT SELECT UPDATE',
  'loci_tenant consolidation_runs: DELETE INSERT SELECT UPDATE',
  'loci_tenant deleted_memories: DELETE INSERT SELECT UPDATE',
  'loci_tenant deleted_relations: DELETE INSERT SELECT UPDATE',
  'loci_tenant derived_memories: DELETE INSERT SELECT UPDATE',
  'loci_tenant embeddings: DELETE INSERT SELECT UPDATE',
  'loci_tenant enrichments: DELETE INSERT SELECT UPDATE',
  'loci_tenant entity_aliases: DELETE INSERT SELECT UPDATE',
  'loci_tenant mentions: DELETE INSERT SELECT UPDATE',
  'loci_tenant followers: DELETE INSERT SELECT UPDATE',
  'loci_tenant idempotency_keys: DELETE INSERT SELECT UPDATE',
  'loci_tenant members: DELETE INSERT SELECT UPDATE',
  'loci_tenant memories: DELETE INSERT SELECT UPDATE',
  'loci_tenant memory_history: DELETE INSERT SELECT UPDATE',
  'loci_tenant memory_stats: DELETE INSERT SELECT UPDATE',
  'loci_tenant oidc_issuers: DELETE INSERT SELECT UPDATE',
  'loci_tenant pending_vectors: DELETE INSERT SELECT UPDATE',
  'loci_tenant relations: DELETE INSERT SELECT UPDATE',
  'loci_tenant retention_policies: DELETE INSERT SELECT UPDATE',
  'loci_tenant tenant_policies: DELETE INSERT SELECT UPDATE',
  'loci_tenant tenant_secrets: DELETE INSERT SELECT UPDATE',
  'loci_tenant tenants(audit_hash, audit_position, audit_signature, embedding_model, epoch, frozen_until, home, id, memory_count, moving_to, name, placement, plan, retired_model, revision, settings, slug, state): SELECT',
  'loci_tenant tenants(audit_hash, audit_position, audit_signature, embedding_model, epoch, last_active_at, memory_count, retired_at, retired_model, revision): UPDATE',
  'loci_tenant trigger_deliveries: DELETE INSERT SELECT UPDATE',
  'loci_tenant trigger_writes: DELETE INSERT SELECT UPDATE',
  'loci_tenant triggers: DELETE INSERT SELECT UPDATE',
  'loci_tenant unindexable: DELETE INSERT SELECT UPDATE',
  'loci_tenant usage_counters: INSERT SELECT UPDATE',
  'loci_tenant workspaces(deleted_at, description, name, settings, slug, updated_at): UPDATE',
  'loci_tenant workspaces: DELETE INSERT SELECT',
];

const SYSTEM_POLICIES = [
  'agents ALL',
  'api_keys ALL',
  'audit_checkpoints ALL',
  'audit_checkpoints SELECT',
  'audit_records ALL',
  'audit_records ALL',
  'duties ALL',
  'followers SELECT',
  'hot_spaces ALL',
  'idempotency_keys ALL',
  'installation ALL',
  'members ALL',
  'memories SELECT',
  'oidc_issuers ALL',
  'pending_vectors SELECT',
  'relations SELECT',
  'retention_policies SELECT',
  'tenants ALL',
  'trigger_deliveries SELECT',
  'usage_counters ALL',
  'workspaces ALL',
];

interface Table {
  name: string;
  enabled: boolean;
  forced: boolean;
  columns: string[];
  /** Those that an INSERT may name. */
  writable: string[];
  tenantPolicy: boolean;
}

describe('the wall in PostgreSQL', () => {
  let loci: Loci;
  let acme: FurnishedTenant;
  let other: FurnishedTenant;
  let tables: Table[];
  let ofTenants: Table[];

  beforeAll(async () => {
    loci = await Loci.start();
    acme = await furnishedTenant(loci, 'Acme keeps the blue ledger');
    other = await furnishedTenant(loci, 'Other keeps the red ledger');
    tables = await asSuperuser(loci, async (client) => (await client.query<Table>(ALL_TABLES)).rows);
    ofTenants = tables.filter(({ name }) => NOT_A_TENANTS[name] === undefined);
  });
  afterAll(() => loci.stop());

  const tenantColumn = (table: string) => OWNER_COLUMNS[table]?.tenant ?? 'tenant_id';
  const workspaceColumn = (table: string) => {
    const named = OWNER_COLUMNS[table]?.workspace;
    return named === undefined ? 'workspace_id' : named;
  };

  describe('every table', () => {
    it('is a tenant’s, with a forced policy for its role, or a named exception', () => {
      expect(tables.length).toBeGreaterThan(10);
      const open = ofTenants.filter(
        (table) =>
          !table.enabled ||
          !table.forced ||
          !table.tenantPolicy ||
          !table.columns.includes(tenantColumn(table.name)),
      );
      expect(open.map(({ name }) => name)).toEqual([]);
    });

    it('has the workspace in its policy where it has a workspace', async () => {
      const policies = await asSuperuser(loci, async (client) => {
        const { rows } = await client.query<{ table: string; read: string; written: string }>(
          `SELECT tablename AS table, qual AS read, with_check AS written FROM pg_policies
           WHERE schemaname = 'public' AND 'loci_tenant' = ANY(roles)`,
        );
        return rows;
      });
      for (const { table, read, written } of policies) {
        const wanted =
          workspaceColumn(table) === null ? /current_tenant/ : /current_tenant.*current_workspace/s;
        expect({ table, read }).toEqual({ table, read: expect.stringMatching(wanted) });
        expect({ table, written }).toEqual({ table, written: expect.stringMatching(wanted) });
      }
    });

    it('is a table: no view, sequence or function hands rows past the policies', async () => {
      const ways = await asSuperuser(loci, async (client) => {
        const { rows } = await client.query<{ way: string }>(
          `SELECT relname AS way FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'f')
           UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef`,
        );
        return rows;
      });
      expect(ways).toEqual([]);
    });
  });

  describe('the roles', () => {
    it('cannot log in, are no superusers, and bypass no policy', async () => {
      const { rows } = await asSuperuser(loci, (client) =>
        client.query(
          `SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles
           WHERE oid IN ${ROLES} ORDER BY rolname`,
        ),
      );
      const none = {
        rolcanlogin: false,
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
        rolcreatedb: false,
        rolreplication: false,
      };
      expect(rows).toEqual([
        { rolname: 'loci_retention', ...none },
        { rolname: 'loci_system', ...none },
        { rolname: 'loci_tenant', ...none },
      ]);
    });

    it('own nothing, make nothing, and are members of no other role', async () => {
      const { rows } = await asSuperuser(loci, (client) =>
        client.query(
          `SELECT 'owns ' || classid::regclass AS what FROM pg_shdepend
             WHERE deptype = 'o' AND refclassid = 'pg_authid'::regclass AND refobjid IN ${ROLES}
           UNION ALL SELECT 'is a member of ' || roleid::regrole FROM pg_auth_members WHERE member IN ${ROLES}
           UNION ALL SELECT 'makes tables as ' || role::regrole FROM unnest(ARRAY['loci_tenant', 'loci_system', 'loci_retention']) AS role
             WHERE has_schema_privilege(role, 'public', 'CREATE')`,
        ),
      );
      expect(rows).toEqual([]);
    });

    it('hold these grants and no others, and neither does the public', async () => {
      const { rows } = await asSuperuser(loci, (client) => client.query<{ granted: string }>(ALL_GRANTS));
      expect(rows.map((row) => row.granted).sort()).toEqual([...GRANTS].sort());
    });

    it('look across tenants on these tables alone', async () => {
      const { rows } = await asSuperuser(loci, (client) =>
        client.query<{ policy: string }>(
          `SELECT tablename || ' ' || cmd AS policy FROM pg_policies
           WHERE schemaname = 'public' AND NOT roles = '{loci_tenant}' ORDER BY 1`,
        ),
      );
      expect(rows.map((row) => row.policy)).toEqual(SYSTEM_POLICIES);
    });

    it('read of memories, across tenants, what counting needs and nothing else', async () => {
      const { database } = loci.server.stores;
      await expect(
        database.asSystem((manager) => manager.query('SELECT content FROM memories')),
      ).rejects.toThrow(/permission denied/);
      await expect(
        database.asSystem((manager) => manager.query('SELECT vector FROM embeddings')),
      ).rejects.toThrow(/permission denied/);
    });
  });

  describe('a tenant’s transaction', () => {
    const read = (scope: 'main' | 'sibling' | typeof WHOLE_TENANT, sql: string) =>
      loci.server.app
        .get(Ledger)
        .read(acme.tenant, scope === WHOLE_TENANT ? scope : acme[scope].id, (tx) => tx.rows(sql));

    it.each([WHOLE_TENANT, 'main', 'sibling'] as const)(
      'sees its own rows and no others without any WHERE, in scope %s',
      async (scope) => {
        for (const { name } of ofTenants) {
          const workspace = workspaceColumn(name);
          const rows = await read(
            scope,
            `SELECT ${tenantColumn(name)} AS tenant, ${workspace ?? 'NULL::uuid'} AS workspace FROM ${name}`,
          );
          const tenants = [...new Set(rows.map((row) => String(row['tenant'])))];
          expect({ name, tenants }).toEqual({ name, tenants: [acme.tenant.id] });
          if (scope === WHOLE_TENANT || workspace === null) continue;
          const workspaces = [...new Set(rows.map((row) => String(row['workspace'])))];
          expect({ name, workspaces }).toEqual({ name, workspaces: [acme[scope].id] });
        }
      },
    );

    it('would have had something to see: each table holds rows of both tenants and both workspaces', async () => {
      await asSuperuser(loci, async (client) => {
        for (const { name } of ofTenants) {
          const workspace = workspaceColumn(name);
          const owners = workspace === null ? tenantColumn(name) : `${tenantColumn(name)}, ${workspace}`;
          const { rows } = await client.query<{ n: number }>(
            `SELECT count(*)::int AS n FROM (SELECT DISTINCT ${owners} FROM ${name}
             WHERE ${tenantColumn(name)} = ANY($1::uuid[]) ${workspace === null ? '' : `AND ${workspace} IS NOT NULL`}) t`,
            [[acme.tenant.id, other.tenant.id]],
          );
          expect({ name, owners: rows[0]?.n }).toEqual({ name, owners: workspace === null ? 2 : 4 });
        }
      });
    });

    it('cannot insert a row for another tenant, nor for a sibling workspace', async () => {
      for (const { name, writable } of ofTenants) {
        const workspace = workspaceColumn(name);
        const moves = [
          { column: tenantColumn(name), to: other.tenant.id },
          ...(workspace === null ? [] : [{ column: workspace, to: acme.sibling.id }]),
        ];
        for (const { column, to } of moves) {
          const values = writable.map((own) => (own === column ? `'${to}'::uuid` : `"${own}"`));
          const copy = `INSERT INTO ${name} (${writable.map((own) => `"${own}"`).join(', ')}) SELECT ${values.join(', ')} FROM ${name} LIMIT 1`;
          await expectRefused(`${name}.${column}`, writing(copy));
        }
      }
    });

    it('cannot move a row to another tenant, nor to a sibling workspace', async () => {
      for (const { name } of ofTenants) {
        const workspace = workspaceColumn(name);
        const moves = [
          `UPDATE ${name} SET ${tenantColumn(name)} = '${other.tenant.id}'`,
          ...(workspace === null ? [] : [`UPDATE ${name} SET ${workspace} = '${acme.sibling.id}'`]),
        ];
        for (const move of moves) await expectRefused(move, writing(move));
      }
    });

    it('changes no row of another tenant by a forgotten WHERE', async () => {
      const count = () =>
        asSuperuser(loci, async (client) => {
          const { rows } = await client.query<{ tenant_id: string; workspace_id: string; n: number }>(
            `SELECT tenant_id, workspace_id, count(*)::int AS n FROM memories WHERE NOT type = 'Swept'
             GROUP BY 1, 2 ORDER BY 1, 2`,
          );
          return rows.filter((row) => row.workspace_id !== acme.main.id);
        });
      const before = await count();
      await writing(`UPDATE memories SET type = 'Swept'`);
      await writing(`DELETE FROM memory_history`);
      expect(await count()).toEqual(before);
      expect(before.length).toBeGreaterThanOrEqual(3);
    });

    it('cannot read the wrapped key, nor the credentials', async () => {
      for (const column of ['wrapped_key', 'api_credentials', '*']) {
        await expect(read(WHOLE_TENANT, `SELECT ${column} FROM tenants`)).rejects.toThrow(
          /permission denied/,
        );
      }
    });

    it('cannot rewrite the record: audit records are neither changed nor deleted', async () => {
      for (const sql of [
        `UPDATE audit_records SET actor = 'nobody'`,
        'DELETE FROM audit_records',
        'TRUNCATE audit_records',
      ]) {
        await expect(writing(sql)).rejects.toThrow(/permission denied/);
        await expect(loci.server.stores.database.asSystem((manager) => manager.query(sql))).rejects.toThrow(
          /permission denied/,
        );
      }
    });

    it('deletes no record without a checkpoint that stands for it, also in the role of retention', async () => {
      const { database } = loci.server.stores;
      const count = async () =>
        asSuperuser(loci, async (client) => (await client.query('SELECT FROM audit_records')).rowCount);
      const before = await count();
      await database.asSystem(async (manager) => {
        await database.become(manager, 'loci_retention');
        await manager.query('DELETE FROM audit_records');
      });
      expect(await count()).toBe(before);
      for (const sql of [
        `UPDATE audit_records SET position = 0`,
        `INSERT INTO audit_checkpoints (tenant_id, reason, position, hash, signature)
         VALUES ('${acme.tenant.id}', 'retention', 1000, '', '')`,
        `SELECT action FROM audit_records`,
      ]) {
        const attempt = database.asSystem(async (manager) => {
          await database.become(manager, 'loci_retention');
          return manager.query<unknown>(sql);
        });
        await expect(attempt).rejects.toThrow(/permission denied/);
      }
    });

    const writing = (sql: string) =>
      loci.server.app
        .get(Ledger)
        .write(acme.tenant, acme.main.id, systemCause('intruder'), (tx) => tx.rows(sql));
  });

  describe('outside a tenant’s transaction', () => {
    const plain = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
      const client = await loci.server.stores.database.tenantClient();
      try {
        return await work(client);
      } finally {
        client.release();
      }
    };
    /** `denied`, or how many rows. */
    const rowsSeen = (client: PoolClient, table: string, columns = '*') =>
      client.query(`SELECT ${columns} FROM ${table}`).then(
        ({ rowCount }) => rowCount ?? 0,
        (error: { code?: string }) => (error.code === '42501' ? 'denied' : Promise.reject(error as Error)),
      );

    it('a pooled connection sees nothing in any table', async () => {
      await plain(async (client) => {
        const { rows } = await client.query<{ superuser: boolean }>(
          'SELECT rolsuper OR rolbypassrls AS superuser FROM pg_roles WHERE rolname = current_user',
        );
        expect(rows).toEqual([{ superuser: false }]);
        for (const { name } of ofTenants) {
          expect([name, await rowsSeen(client, name)]).toEqual([name, 0]);
        }
      });
    });

    it('the tenant’s role alone sees nothing: without a tenant, and with one but without a workspace', async () => {
      await plain(async (client) => {
        for (const { name } of ofTenants) {
          await client.query('BEGIN; SET LOCAL ROLE loci_tenant');
          expect([name, await rowsSeen(client, name, tenantColumn(name))]).toEqual([name, 0]);
          if (workspaceColumn(name) !== null) {
            await client.query(`SET LOCAL app.tenant = '${acme.tenant.id}'`);
            expect([name, await rowsSeen(client, name, tenantColumn(name))]).toEqual([name, 0]);
          }
          await client.query('ROLLBACK');
        }
      });
    });

    it('the same connection remembers neither tenant, workspace nor role', async () => {
      const ledger = loci.server.app.get(Ledger);
      const backend = 'SELECT pg_backend_pid() AS pid';
      const seen = new Set<unknown>();
      for (const end of ['commit', 'rollback'] as const) {
        await ledger
          .write(acme.tenant, acme.main.id, systemCause('passing by'), async (tx) => {
            for (const row of await tx.rows(backend)) seen.add(row['pid']);
            if (end === 'rollback') throw new Error('as if it had failed');
          })
          .catch(() => undefined);
        await plain(async (client) => {
          const { rows } = await client.query(
            `SELECT pg_backend_pid() AS pid, current_user = session_user AS itself,
               COALESCE(current_setting('app.tenant', true), '') AS tenant,
               COALESCE(current_setting('app.workspace', true), '') AS workspace`,
          );
          expect(seen).toContain(rows[0]?.pid);
          expect(rows[0]).toMatchObject({ itself: true, tenant: '', workspace: '' });
        });
      }
    });
  });
});

async function expectRefused(what: string, attempt: Promise<unknown>): Promise<void> {
  const answer = await attempt.then(
    () => 'it was let through',
    (error: { code?: string; message?: string }) => error.code ?? String(error.message),
  );
  // Insufficient privilege, by grant or by policy: before any key or constraint is looked at.
  expect({ what, answer }).toEqual({ what, answer: '42501' });
}

const ALL_TABLES = `
SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
  ARRAY(SELECT attname::text FROM pg_attribute a WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
  ARRAY(SELECT attname::text FROM pg_attribute a WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    AND attidentity = '' AND attgenerated = '') AS writable,
  EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polroles = ARRAY['loci_tenant'::regrole::oid]) AS "tenantPolicy"
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1`;

const ALL_GRANTS = `
WITH granted AS (
  SELECT relname, NULL::text AS attname, a.grantee, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
  WHERE c.relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT relname, attname, a.grantee, a.privilege_type FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
  WHERE c.relnamespace = 'public'::regnamespace
), named AS (
  SELECT CASE grantee WHEN 0 THEN 'public' ELSE grantee::regrole::text END AS role, relname, attname, privilege_type FROM granted
  WHERE grantee IN (0, 'loci_tenant'::regrole, 'loci_system'::regrole, 'loci_retention'::regrole)
), gathered AS (
  SELECT role, relname, privilege_type, string_agg(attname, ', ' ORDER BY attname) AS columns FROM named GROUP BY 1, 2, 3
)
SELECT role || ' ' || relname || COALESCE('(' || columns || ')', '') || ': ' || string_agg(privilege_type, ' ' ORDER BY privilege_type) AS granted
FROM gathered GROUP BY role, relname, columns`;
