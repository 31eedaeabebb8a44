import { Injectable } from '@nestjs/common';
import type { Database } from '../platform/database/database.js';
import { AS_LONG_AS_IT_TAKES } from '../platform/database/prepared-statements.js';
import { isUuid, type TenantId } from '../tenancy/tenant.js';
import { AuditTrail } from './audit-trail.js';
import { Homes, MAIN } from './homes.js';
import { LEDGER_TABLES } from './ledger-tables.js';

/** Everything that a tenant stored, and what only its own transactions reach. Children before their parents. */
const CONTENT_TABLES: readonly string[] = [
  ...LEDGER_TABLES,
  'consolidation_runs',
  'idempotency_keys',
  'tenant_secrets',
  'triggers',
  'retention_policies',
  'tenant_policies',
];

/** What an operator provisioned, and what was counted. */
const CONTROL_TABLES = [
  'usage_counters',
  'members',
  'oidc_issuers',
  'api_keys',
  'agents',
  'workspaces',
] as const;

/** Those of which a home beside the main database holds copies. */
const MIRRORED: ReadonlySet<string> = new Set(['tenants', 'workspaces']);

export type Erased = Record<string, { removed: number; remaining: number }>;

/**
 * Erases a tenant from the ledger, for good: what it stored, what was provisioned for it, and its key, without which
 * every backup of it is unreadable. Audit records stay; what they hold in detail was sealed under that key.
 */
@Injectable()
export class Erasure {
  constructor(
    private readonly homes: Homes,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * From the main database and from every other one of `homes`; counted over all of them as it goes, and counted again
   * afterwards. The main database comes last: until then it knows where something is left to be erased.
   */
  async erase(tenantId: TenantId, homes: readonly string[]): Promise<Erased> {
    const parts: Erased[] = [];
    for (const name of [...new Set(homes)].filter((home) => home !== MAIN)) {
      const database = await this.homes.of(name);
      parts.push(await this.eraseContent(database, tenantId), await this.eraseControl(database, tenantId));
    }
    const { main } = this.homes;
    parts.push(await this.eraseContent(main, tenantId), await this.eraseControl(main, tenantId));
    return sumOf(parts);
  }

  /** What was left in a database that a ledger has moved out of; nothing of what was provisioned there. */
  eraseLedger(database: Database, tenantId: TenantId): Promise<Erased> {
    return this.eraseContent(database, tenantId, LEDGER_TABLES);
  }

  /** The rest of one that was no more than a guest there. Its row stays, without a name: its audit's chain ends in it. */
  async forgetGuest(database: Database, tenantId: TenantId): Promise<void> {
    await database.asSystem(async (manager) => {
      for (const table of ['usage_counters', 'idempotency_keys', 'workspaces']) {
        await manager.query(`DELETE FROM ${table} WHERE tenant_id = $1`, [tenantId]);
      }
      await manager.query(
        `UPDATE tenants SET name = '', settings = '{}', revision = 0, memory_count = 0 WHERE id = $1`,
        [tenantId],
      );
    });
  }

  private async eraseContent(
    database: Database,
    tenantId: TenantId,
    tables = CONTENT_TABLES,
  ): Promise<Erased> {
    if (!isUuid(tenantId)) throw new Error('An id that is no UUID reached the ledger');
    const client = await database.tenantClient();
    let clean = false;
    try {
      await client.query(
        `BEGIN; SET LOCAL ROLE loci_tenant; SET LOCAL app.tenant = '${tenantId}'; SET LOCAL app.workspace = '*'; SET LOCAL statement_timeout = 0`,
      );
      const erased: Erased = {};
      for (const table of tables) {
        const text = `DELETE FROM ${table} WHERE tenant_id = $1`;
        const { rowCount } = await client.query({ text, values: [tenantId], ...AS_LONG_AS_IT_TAKES });
        erased[table] = { removed: rowCount ?? 0, remaining: 0 };
      }
      for (const table of tables) {
        const { rows } = await client.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM ${table} WHERE tenant_id = $1`,
          [tenantId],
        );
        erased[table] = { removed: erased[table]?.removed ?? 0, remaining: rows[0]?.n ?? 0 };
      }
      await client.query('COMMIT');
      clean = true;
      return erased;
    } finally {
      client.release(!clean);
    }
  }

  private async eraseControl(database: Database, tenantId: TenantId): Promise<Erased> {
    return database.asSystem(async (manager) => {
      const count = async (table: string): Promise<number> => {
        const column = table === 'tenants' ? 'id' : 'tenant_id';
        const [row] = await manager.query<{ n: number }[]>(
          `SELECT count(*)::int AS n FROM ${table} WHERE ${column} = $1`,
          [tenantId],
        );
        return row?.n ?? 0;
      };
      const before = new Map<string, number>();
      for (const table of [...CONTROL_TABLES, 'tenants']) before.set(table, await count(table));
      await this.audit.close(manager, tenantId);
      for (const table of CONTROL_TABLES)
        await manager.query(`DELETE FROM ${table} WHERE tenant_id = $1`, [tenantId]);
      await manager.query('DELETE FROM tenants WHERE id = $1', [tenantId]);
      const erased: Erased = {};
      for (const [table, removed] of before) erased[table] = { removed, remaining: await count(table) };
      return erased;
    });
  }
}

function sumOf(parts: Erased[]): Erased {
  const sum: Erased = {};
  for (const part of parts) {
    for (const [table, { removed, remaining }] of Object.entries(part)) {
      const before = sum[table] ?? { removed: 0, remaining: 0 };
      // A tenant's row is one tenant, however many databases had to have it.
      sum[table] = {
        removed: MIRRORED.has(table) ? Math.max(before.removed, removed) : before.removed + removed,
        remaining: before.remaining + remaining,
      };
    }
  }
  return sum;
}
