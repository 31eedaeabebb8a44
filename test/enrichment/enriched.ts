import { FollowerStep } from '../../src/background/follower-step.js';
import { tenantOf } from '../isolation/two-palaces.js';
import { eventually, ledgerRows, spaceOf } from '../spaces/rules/projected.js';
import type { Loci, TestTenant } from '../support/loci.js';

/** Resolves once enrichment has handled everything that this tenant has stored so far, and its projections show it. */
export async function enriched(loci: Loci, tenant: TestTenant): Promise<void> {
  const step = loci.server.app.get(FollowerStep);
  await eventually(`${tenant.slug} is enriched`, async () => {
    const { revision, watermark } = await step.state(await tenantOf(loci, tenant), {
      name: 'enrichment',
      kinds: ['memory'],
    });
    return watermark === revision;
  });
  // Its watermark moves with what it writes to the ledger; the projections follow.
  const space = await spaceOf(loci, tenant);
  await space.catchUp();
}

export async function stored(tenant: TestTenant, body: Record<string, unknown>): Promise<string> {
  const reply = await tenant.post<{ memory_id: string }>('/memory', body);
  if (reply.status !== 201) throw new Error(`Not stored: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body.memory_id;
}

/** The system's relations, as `from TYPE to`, by the names that a test gave its memories. */
export async function systemRelations(
  loci: Loci,
  tenant: TestTenant,
  names: Record<string, string>,
): Promise<string[]> {
  const byId = new Map(Object.entries(names).map(([name, id]) => [id, name]));
  const rows = await ledgerRows(
    loci,
    tenant,
    `SELECT from_id, type, to_id FROM relations WHERE type IN ('SIMILAR_TO', 'PRECEDED_BY')`,
  );
  const nameOf = (id: unknown) => byId.get(String(id)) ?? String(id);
  return rows
    .map((row) =>
      row['type'] === 'SIMILAR_TO'
        ? [nameOf(row['from_id']), nameOf(row['to_id'])].sort().join(' SIMILAR_TO ')
        : `${nameOf(row['from_id'])} PRECEDED_BY ${nameOf(row['to_id'])}`,
    )
    .sort();
}
