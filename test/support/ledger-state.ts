import { asSuperuser } from '../isolation/two-palaces.js';
import type { Loci } from './loci.js';

/** What runs, waits and is counted by itself, whatever anybody asks for. */
const BY_ITSELF = ['duties', 'followers', 'hot_spaces', 'usage_counters', 'consolidation_runs'];

/** Everything that the database holds of a tenant, its own row with the revision included: to be compared with itself. */
export function ledgerOf(loci: Loci, tenantId: string): Promise<Record<string, string[]>> {
  return asSuperuser(loci, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.columns
       WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1`,
    );
    const held: Record<string, string[]> = {};
    const look = async (table: string, column: string, except = '') => {
      const { rows } = await client.query<{ row: string }>(
        `SELECT (to_jsonb(t) ${except})::text AS row FROM ${table} t WHERE ${column} = $1 ORDER BY 1`,
        [tenantId],
      );
      held[table] = rows.map(({ row }) => row);
    };
    await look('tenants', 'id', `- 'last_active_at' - 'used_at'`);
    for (const { name } of tables) if (!BY_ITSELF.includes(name)) await look(name, 'tenant_id');
    return held;
  });
}
