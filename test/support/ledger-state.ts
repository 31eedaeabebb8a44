import { asSuperuser } from '../isolation/two-palaces.js';
import type { Loci } from './loci.js';

/** What runs, waits and is counted by itself, whatever anybody asks for. */
const BY_ITSELF = ['duties', 'followers', 'hot_spaces', 'usage_counters', 'consolidation_runs'];

/** That somebody was there is noted a little later than they were. */
const NOTED_LATER = `'{last_active_at,last_used_at,used_at}'::text[]`;

/** Everything that the database holds of a tenant, its own row with the revision included: to be compared with itself. */
export function ledgerOf(loci: Loci, tenantId: string): Promise<Record<string, string[]>> {
  return asSuperuser(loci, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.columns
       WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1`,
    );
    const held: Record<string, string[]> = {};
    const look = async (table: string, column: string) => {
      const { rows } = await client.query<{ row: string }>(
        `SELECT (to_jsonb(t) - ${NOTED_LATER})::text AS row FROM ${table} t WHERE ${column} = $1 ORDER BY 1`,
        [tenantId],
      );
      held[table] = rows.map(({ row }) => row);
    };
    await look('tenants', 'id');
    for (const { name } of tables) if (!BY_ITSELF.includes(name)) await look(name, 'tenant_id');
    return held;
  });
}
