import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { systemCause } from '../../src/ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../src/ledger/ledger.js';
import { FOLLOWED_TABLES, LEDGER_TABLES } from '../../src/ledger/ledger-tables.js';
import { lookInto, startHomed, type Homed } from '../support/own-database.js';
import { furnishedTenant, type FurnishedTenant } from './two-palaces.js';

/** Every table that holds something of tenants and is no part of a ledger, and why it stays where it is. */
const STAYS: Record<string, 'provisioned' | 'where it was written'> = {
  agents: 'provisioned',
  api_keys: 'provisioned',
  consolidation_runs: 'where it was written',
  duties: 'where it was written',
  hot_spaces: 'where it was written',
  members: 'provisioned',
  oidc_issuers: 'provisioned',
  retention_policies: 'provisioned',
  tenant_policies: 'provisioned',
  tenant_secrets: 'provisioned',
  triggers: 'provisioned',
  workspaces: 'provisioned',
  audit_checkpoints: 'where it was written',
  audit_records: 'where it was written',
  idempotency_keys: 'where it was written',
  usage_counters: 'where it was written',
};

/** What says which workspace a row is in, where that is not `workspace_id`; a follower's watermark is the whole tenant's. */
const WORKSPACE_COLUMNS: Record<string, string> = { workspaces: 'id', followers: 'NULL::uuid' };

/** Whatever decides who may do what: policies, whether they are forced, grants, owners of rights. */
async function wallOf(client: Client): Promise<unknown[]> {
  const walls: unknown[] = [];
  for (const sql of [
    `SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies WHERE schemaname = 'public' ORDER BY 1, 2`,
    `SELECT relname, relrowsecurity, relforcerowsecurity, relacl::text FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S') ORDER BY 1`,
    `SELECT c.relname, a.attname, a.attacl::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
       WHERE c.relnamespace = 'public'::regnamespace AND a.attacl IS NOT NULL ORDER BY 1, 2`,
  ]) {
    walls.push((await client.query<Record<string, unknown>>(sql)).rows);
  }
  return walls;
}

describe('the wall in a placement’s own database', () => {
  let homed: Homed;
  let acme: FurnishedTenant;
  let other: FurnishedTenant;

  beforeAll(async () => {
    homed = await startHomed();
    const there = { placement: 'acme' };
    acme = await furnishedTenant(homed.loci, 'Acme keeps the blue ledger', there);
    other = await furnishedTenant(homed.loci, 'Other keeps the red ledger', there);
  }, 120_000);
  afterAll(() => homed.stop());

  it('is the main database’s, policy by policy and grant by grant', async () => {
    const [main, own] = [await lookInto(homed.loci.database, wallOf), await lookInto(homed.own, wallOf)];
    expect(own).toEqual(main);
    expect(own.every((part) => (part as unknown[]).length > 10)).toBe(true);
  });

  it('shows a tenant’s transaction its own rows and no others without any WHERE', async () => {
    const ledger = homed.loci.server.app.get(Ledger);
    for (const scope of [WHOLE_TENANT, acme.main.id, acme.sibling.id] as const) {
      for (const table of [...LEDGER_TABLES, 'usage_counters', 'audit_records', 'workspaces']) {
        const workspace = WORKSPACE_COLUMNS[table] ?? 'workspace_id';
        const rows = await ledger.read(acme.tenant, scope, (tx) =>
          tx.rows(`SELECT tenant_id, ${workspace} AS workspace FROM ${table}`),
        );
        const tenants = [...new Set(rows.map((row) => String(row['tenant_id'])))];
        expect({ table, tenants }).toEqual({ table, tenants: [acme.tenant.id] });
        if (scope === WHOLE_TENANT || workspace.startsWith('NULL')) continue;
        const workspaces = [...new Set(rows.map((row) => String(row['workspace'])))];
        expect({ table, workspaces }).toEqual({ table, workspaces: [scope] });
      }
    }
  });

  it('had something to show of both tenants in every table of a ledger', async () => {
    await lookInto(homed.own, async (client) => {
      for (const table of LEDGER_TABLES) {
        const { rows } = await client.query(
          `SELECT DISTINCT tenant_id FROM ${table} WHERE tenant_id IN ($1, $2)`,
          [acme.tenant.id, other.tenant.id],
        );
        expect([table, rows.length]).toEqual([table, 2]);
      }
    });
  });

  it('lets nobody write for another tenant, nor give a row to one', async () => {
    const ledger = homed.loci.server.app.get(Ledger);
    const write = (sql: string) =>
      ledger
        .write(acme.tenant, acme.main.id, systemCause('intruder'), (tx) =>
          tx.rows(sql, [acme.main.id, other.tenant.id]),
        )
        .then(
          () => 'let through',
          (error: { code?: string }) => error.code,
        );
    expect(await write(`UPDATE memories SET tenant_id = $2 WHERE workspace_id = $1`)).toBe('42501');
    expect(
      await write(
        `INSERT INTO changes (tenant_id, workspace_id, kind, id, revision, gone) VALUES ($2, $1, 'memory', '${randomUUID()}', 1, false)`,
      ),
    ).toBe('42501');
  });

  it('keeps every table either in the ledger or where it is, for a reason', async () => {
    const tables = await lookInto(homed.own, async (client) => {
      const { rows } = await client.query<{ name: string }>(
        `SELECT table_name AS name FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1`,
      );
      return rows.map(({ name }) => name);
    });
    const placed = [...LEDGER_TABLES, ...Object.keys(STAYS)].sort();
    // A new table of tenants' belongs into one of the two: `ledger-tables.ts`, or above.
    expect(tables).toEqual(placed);
    // What a copy follows change by change, it has to find by the change's workspace and id.
    expect(FOLLOWED_TABLES.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['memory', 'relation']));
  });
});
