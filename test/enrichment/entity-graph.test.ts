import Sqlite from 'better-sqlite3';
import { tenantOf } from '../isolation/two-palaces.js';
import { eventually, fileOf, ledgerRows, spaceOf } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { enriched, stored } from './enriched.js';

describe('entities in the graph', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start({ LOCI_ENRICHMENT: 'true' });
  });
  afterAll(() => loci.stop());

  /** Who names what each of these names, by the names that a test gave its memories. */
  const sharing = async (tenant: TestTenant, names: Record<string, string>): Promise<string[]> => {
    const { defaultWorkspace: workspace } = await tenantOf(loci, tenant);
    const space = await spaceOf(loci, tenant);
    const nameOf = new Map(Object.entries(names).map(([name, id]) => [id, name]));
    const of = Object.values(names);
    const found = await space.graph.sharersOf({ workspace, of, each: 10, most: 100 });
    return found.map((one) => `${nameOf.get(one.of)}-${nameOf.get(one.far)}`).sort();
  };
  /** The graph holds the entities and mentions that count in the ledger, and every memory those that it names. */
  const expectEqual = async (tenant: TestTenant): Promise<{ entities: number; mentions: number }> => {
    const [counted] = await ledgerRows(
      loci,
      tenant,
      `SELECT count(DISTINCT (workspace_id, kind, entity))::int AS entities,
         count(DISTINCT (workspace_id, memory_id, kind, entity))::int AS mentions
       FROM mentions n JOIN memories m USING (tenant_id, workspace_id)
       WHERE m.id = n.memory_id AND m.alone_hash = n.hash`,
    );
    const { graph } = await spaceOf(loci, tenant);
    const { entities, mentions } = await graph.count();
    expect({ entities, mentions }).toEqual(counted);
    const verdict = await loci.operator.post(`/admin/tenants/${tenant.slug}/verify`);
    expect(verdict.body).toMatchObject({ equal: true });
    return { entities, mentions };
  };

  it('lead from a memory to those that name the same, and are known by no name', async () => {
    const tenant = await loci.tenant();
    const a = await stored(tenant, { content: 'Caroline flew to Berlin.' });
    const b = await stored(tenant, { content: 'Melanie lives in Berlin.' });
    const c = await stored(tenant, { content: 'Nothing happened.' });
    await enriched(loci, tenant);
    expect(await sharing(tenant, { a, b, c })).toEqual(['a-b', 'b-a']);
    expect(await expectEqual(tenant)).toEqual({ entities: 3, mentions: 4 });
    const stats = await loci.operator.get(`/admin/tenants/${tenant.slug}/stats`);
    expect(stats.body).toMatchObject({ graph_nodes: 3, graph_relationships: 0, graph_entities: 3 });
    const { defaultWorkspace: workspace } = await tenantOf(loci, tenant);
    const space = await spaceOf(loci, tenant);
    const [first] = await space.graph.sharersOf({ workspace, of: [a], each: 1, most: 9 });
    expect(first?.entity).toMatch(/^places:[0-9a-f]{32}$/);
  });

  it('follow what is edited, merged and deleted', async () => {
    const tenant = await loci.tenant();
    const a = await stored(tenant, { content: 'Melanie painted a sunrise.' });
    const b = await stored(tenant, { content: 'Mel went camping in Canada.' });
    const c = await stored(tenant, { content: 'Melanie has never been to Canada.' });
    await enriched(loci, tenant);
    expect(await sharing(tenant, { a, b, c })).toEqual(['a-c', 'b-c', 'c-a', 'c-b']);
    await tenant.post('/entity/mel/merge', { merge_into: 'melanie' });
    expect(await sharing(tenant, { a, b, c })).toEqual(['a-b', 'a-c', 'b-a', 'b-c', 'c-a', 'c-b']);
    await expectEqual(tenant);
    await tenant.patch(`/memory/${c}`, { content: 'Nobody has ever been there.' });
    // At once: what was read from the old text counts no longer.
    expect(await sharing(tenant, { a, b, c })).toEqual(['a-b', 'b-a']);
    await enriched(loci, tenant);
    await expectEqual(tenant);
    await tenant.delete(`/memory/${a}`);
    expect(await sharing(tenant, { a, b, c })).toEqual([]);
    await expectEqual(tenant);
    await tenant.delete(`/memory/${b}`);
    expect(await expectEqual(tenant)).toEqual({ entities: 0, mentions: 0 });
  });

  it('go with their workspace', async () => {
    const tenant = await loci.tenant();
    const { body } = await tenant.post<{ id: string }>('/v1/workspaces', { name: 'S', slug: 'sib' });
    await stored(tenant, { content: 'Caroline flew to Berlin.' });
    await stored(tenant, { content: 'Melanie flew to Berlin.', workspace_id: body.id });
    await enriched(loci, tenant);
    expect(await expectEqual(tenant)).toEqual({ entities: 4, mentions: 4 });
    await tenant.delete(`/v1/workspaces/${body.id}`);
    await (await spaceOf(loci, tenant)).catchUp();
    expect(await expectEqual(tenant)).toEqual({ entities: 2, mentions: 2 });
  });

  it('come to a store that was built before there were any, by itself', async () => {
    const tenant = await loci.tenant();
    const a = await stored(tenant, { content: 'Caroline flew to Berlin.' });
    const b = await stored(tenant, { content: 'Melanie lives in Berlin.' });
    await enriched(loci, tenant);
    const path = fileOf(loci, tenant);
    await loci.restart(() => {
      const file = new Sqlite(path);
      file.exec('DROP VIEW entities; DROP TABLE mentions; PRAGMA user_version = 2;');
      file.close();
      return Promise.resolve();
    });
    await eventually('the graph is built again', async () => {
      return (await tenant.get(`/graph/neighbors/${a}`)).status === 200;
    });
    expect(await sharing(tenant, { a, b })).toEqual(['a-b', 'b-a']);
    await expectEqual(tenant);
  });

  it('are told apart from memories by verify where one was lost', async () => {
    const tenant = await loci.tenant();
    const a = await stored(tenant, { content: 'Caroline flew to Berlin.' });
    await enriched(loci, tenant);
    const file = new Sqlite(fileOf(loci, tenant));
    file.pragma('wal_autocheckpoint = 0');
    file.exec("DELETE FROM mentions WHERE entity LIKE 'places:%'");
    file.close();
    const verdict = await loci.operator.post<{ graph: { changed: { examples: string[] } } }>(
      `/admin/tenants/${tenant.slug}/verify`,
    );
    expect(verdict.body).toMatchObject({ equal: false, graph: { changed: { count: 1 } } });
    expect(verdict.body.graph.changed.examples[0]).toContain(a);
  });
});
