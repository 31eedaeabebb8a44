import { eventually } from '../spaces/rules/projected.js';
import { settledIn } from '../support/moved.js';
import { lookInto, startHomed, type Homed } from '../support/own-database.js';
import type { FreshDatabase } from '../support/postgres.js';
import type { TestTenant } from '../support/loci.js';
import { enriched, stored } from './enriched.js';

jest.setTimeout(120_000);

const DRAWN = ['enrichments', 'mentions', 'entity_aliases'];

describe('what was drawn from memories', () => {
  let homed: Homed;

  beforeAll(async () => {
    homed = await startHomed({ env: { LOCI_ENRICHMENT: 'true' } });
  }, 120_000);
  afterAll(() => homed.stop());

  const taggedWith = async (tenant: TestTenant, tag: string) =>
    (await tenant.get<{ results: { id: string }[] }>(`/recall?tags=${tag}`)).body.results.map(({ id }) => id);
  const rows = (database: FreshDatabase, tenant: TestTenant) =>
    lookInto(database, async (client) => {
      const counts: Record<string, number> = {};
      for (const table of DRAWN) {
        const sql = `SELECT count(*)::int AS n FROM ${table} WHERE tenant_id = $1`;
        counts[table] = (await client.query<{ n: number }>(sql, [tenant.id])).rows[0]?.n ?? -1;
      }
      return counts;
    });

  it('is verified with the rest, and built anew with the rest', async () => {
    const tenant = await homed.loci.tenant();
    const id = await stored(tenant, { content: 'Caroline flew to Berlin.', session_id: 's' });
    await stored(tenant, { content: 'Caroline flew to Berlin again.', session_id: 's' });
    await enriched(homed.loci, tenant);
    const path = `/admin/tenants/${tenant.slug}`;
    expect((await homed.loci.operator.post(`${path}/verify`)).body).toMatchObject({ equal: true });
    expect((await homed.loci.operator.post(`${path}/rebuild`)).body).toMatchObject({ equal: true });
    expect(await taggedWith(tenant, 'entity:people:caroline')).toContain(id);
  });

  it('moves with its ledger, is not read again, and is followed where it is then', async () => {
    const tenant = await homed.loci.tenant();
    const before = await stored(tenant, { content: 'Caroline flew to Berlin.' });
    await stored(tenant, { content: 'Mel stayed at home.' });
    await stored(tenant, { content: 'Melanie stayed at home.' });
    await enriched(homed.loci, tenant);
    await tenant.post('/entity/mel/merge', { merge_into: 'melanie' });
    await enriched(homed.loci, tenant);
    const here = await rows(homed.loci.database, tenant);
    const times = () =>
      lookInto(homed.own, async (client) => {
        const sql = 'SELECT max(enriched_at)::text AS at FROM enrichments WHERE tenant_id = $1';
        return (await client.query<{ at: string }>(sql, [tenant.id])).rows[0]?.at;
      });
    const { status } = await homed.loci.operator.post(`/admin/tenants/${tenant.slug}/placement`, {
      placement: 'acme',
    });
    expect(status).toBeLessThan(300);
    await settledIn(homed.loci, tenant.slug, 'acme');
    expect(await rows(homed.own, tenant)).toEqual(here);
    const arrived = await times();
    const after = await stored(tenant, { content: 'Caroline and Mel came home.' });
    await enriched(homed.loci, tenant);
    expect((await taggedWith(tenant, 'entity:people:caroline')).sort()).toEqual([before, after].sort());
    expect(await taggedWith(tenant, 'entity:people:melanie')).toContain(after);
    const rest = await lookInto(homed.own, async (client) => {
      const sql = 'SELECT count(*)::int AS n FROM enrichments WHERE tenant_id = $1 AND enriched_at > $2';
      return (await client.query<{ n: number }>(sql, [tenant.id, arrived])).rows[0]?.n;
    });
    expect(rest).toBe(1);
  });

  it('goes with its workspace, and with its tenant', async () => {
    const tenant = await homed.loci.tenant();
    const { body: sibling } = await tenant.post<{ id: string }>('/v1/workspaces', { name: 'S', slug: 'sib' });
    const inSibling = { workspace_id: sibling.id };
    await stored(tenant, { content: 'Mel flew to Berlin.', ...inSibling });
    await stored(tenant, { content: 'Melanie flew to Berlin.', ...inSibling });
    await enriched(homed.loci, tenant);
    await tenant.post('/entity/mel/merge', { merge_into: 'melanie', ...inSibling });
    expect(await rows(homed.loci.database, tenant)).toMatchObject({ mentions: 4, entity_aliases: 1 });
    expect((await tenant.delete('/v1/workspaces/sib')).status).toBeLessThan(300);
    await eventually('nothing of it is left', async () =>
      Object.values(await rows(homed.loci.database, tenant)).every((n) => n === 0),
    );
    await stored(tenant, { content: 'Melanie flew to Berlin.' });
    await enriched(homed.loci, tenant);
    const { body } = await homed.loci.operator.call<{ ledger: Record<string, object> }>(
      'DELETE',
      `/admin/tenants/${tenant.slug}?purge=true`,
    );
    expect(JSON.stringify(body)).toContain('"mentions":{"removed":2,"remaining":0}');
    expect(await rows(homed.loci.database, tenant)).toEqual({
      enrichments: 0,
      mentions: 0,
      entity_aliases: 0,
    });
  });
});
