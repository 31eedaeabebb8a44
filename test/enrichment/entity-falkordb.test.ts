import { eventually } from '../spaces/rules/projected.js';
import { FalkorDbServerForTests, withFalkorDb } from '../support/falkordb.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { enriched, stored } from './enriched.js';

withFalkorDb('entities in a FalkorDB graph', () => {
  let graphs: FalkorDbServerForTests;
  let loci: Loci;
  let tenant: TestTenant;
  let flew: string;
  let lives: string;

  beforeAll(async () => {
    graphs = await FalkorDbServerForTests.start();
    loci = await Loci.start({ LOCI_ENRICHMENT: 'true', FALKORDB_URL: graphs.url });
    tenant = await loci.tenant();
    flew = await stored(tenant, { content: 'Caroline flew to Berlin.' });
    lives = await stored(tenant, { content: 'Melanie lives in Berlin.' });
    await enriched(loci, tenant);
  });
  afterAll(async () => {
    await loci.stop();
    await graphs.stop();
  });

  const ask = async (query: string): Promise<string> =>
    JSON.stringify(await graphs.command('GRAPH.QUERY', `memories_${tenant.slug}`, query));
  const brought = async (): Promise<{ id: string; expanded_from_entity?: string }[]> => {
    const question = { query: 'who flew', limit: 1, expand_entities: true };
    const { body } = await tenant.post<{ results: { id: string; expanded_from_entity?: string }[] }>(
      '/recall',
      question,
    );
    return body.results;
  };

  it('are seen by whoever looks at it, under no name', async () => {
    const seen = await ask('MATCH (m:Memory)-[:MENTIONS]->(e:Entity) RETURN m.key, e.key');
    expect(seen.match(/people%3A[0-9a-f]{32}/g)).toHaveLength(2);
    expect(seen.match(/places%3A[0-9a-f]{32}/g)).toHaveLength(2);
    expect(seen).not.toMatch(/berlin|caroline|melanie/i);
  });

  it('lead a recall from memory to memory', async () => {
    expect(await brought()).toMatchObject([{ id: flew }, { id: lives, expanded_from_entity: 'Berlin' }]);
  });

  it('come to a graph that was built before there were any, by itself', async () => {
    await ask('MATCH (w:Watermark2) CREATE (:Watermark {ledger: w.ledger, revision: w.revision}) DELETE w');
    await ask('MATCH (e:Entity) DELETE e');
    await eventually('the graph is built again', async () => (await brought()).length === 2);
    const verdict = await loci.operator.post(`/admin/tenants/${tenant.slug}/verify`);
    expect(verdict.body).toMatchObject({ equal: true });
  });
});
