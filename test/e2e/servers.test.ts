import { FalkorDbServerForTests, withFalkorDb } from '../support/falkordb.js';
import { Loci } from '../support/loci.js';
import { QdrantStandIn } from '../support/qdrant/stand-in.js';

interface Recalled {
  count: number;
  results: { id: string; relations?: { memory: { content: string } }[] }[];
  degraded?: string[];
}

function onServers(mix: string, { qdrant, falkordb }: { qdrant: boolean; falkordb: boolean }): void {
  describe(`a server on ${mix}`, () => suite(qdrant, falkordb));
}

onServers('Qdrant’s protocol with the embedded graph', { qdrant: true, falkordb: false });
withFalkorDb('servers', () => {
  onServers('the embedded vectors with FalkorDB', { qdrant: false, falkordb: true });
  onServers('Qdrant’s protocol with FalkorDB', { qdrant: true, falkordb: true });
});

function suite(qdrant: boolean, falkordb: boolean): void {
  let vectors: QdrantStandIn | null = null;
  let graph: FalkorDbServerForTests | null = null;
  let loci: Loci;

  beforeAll(async () => {
    const apiKey = 'the-operators-key';
    if (qdrant) vectors = await QdrantStandIn.start({ apiKey });
    if (falkordb) graph = await FalkorDbServerForTests.start();
    loci = await Loci.start({
      ...(vectors === null ? {} : { QDRANT_URL: vectors.url, QDRANT_API_KEY: apiKey }),
      ...(graph === null ? {} : { FALKORDB_URL: graph.url }),
    });
  });
  afterAll(async () => {
    await loci.stop();
    await vectors?.close();
    await graph?.stop();
  });

  it('stores, relates, recalls and forgets as on the embedded engines', async () => {
    const tenant = await loci.tenant();
    const tea = await tenant.post<{ memory_id: string; indexed: boolean }>('/memory', {
      content: 'Alice prefers tea.',
    });
    const cup = await tenant.post<{ memory_id: string }>('/memory', {
      content: 'The blue cup is for guests.',
    });
    await tenant.post('/associate', {
      memory1_id: tea.body.memory_id,
      memory2_id: cup.body.memory_id,
      type: 'RELATES_TO',
    });
    const question = '/recall?query=what+does+Alice+like&limit=1&expand_relations=true';
    let { body } = await tenant.get<Recalled>(question);
    // Collection and graph are made meanwhile: on a busy machine that can take longer than a request waits.
    for (let asked = 0; asked < 100 && body.degraded !== undefined; asked++) {
      await new Promise((resume) => setTimeout(resume, 100));
      ({ body } = await tenant.get<Recalled>(question));
    }
    expect(body.degraded).toBeUndefined();
    const { status, body: stored } = await tenant.post('/memory', { content: 'Bob prefers coffee.' });
    expect([status, stored['indexed']]).toEqual([201, true]);
    expect(body.results[0]?.id).toBe(tea.body.memory_id);
    expect(body.results[0]?.relations?.[0]?.memory.content).toBe('The blue cup is for guests.');
    await tenant.delete(`/memory/${tea.body.memory_id}`);
    expect((await tenant.get<Recalled>('/recall?query=Alice&limit=1')).body.results[0]?.id).not.toBe(
      tea.body.memory_id,
    );
    const verdict = await loci.operator.post(`/admin/tenants/${tenant.slug}/verify`);
    expect(verdict.body).toMatchObject({ equal: true });
  });

  it('shows a tenant nothing of another, and purges one without a trace', async () => {
    const [acme, other] = [await loci.tenant(), await loci.tenant()];
    await acme.post('/memory', { content: 'The vault opens at nine.' });
    expect((await other.get<Recalled>('/recall?query=vault')).body.count).toBe(0);
    const receipt = await loci.operator.delete(`/admin/tenants/${acme.slug}?purge=true`);
    expect(receipt.body).toMatchObject({
      state: 'purged',
      verified: true,
      stores: { vectors: { removed: 1, remaining: 0 }, graph: { removed: 1, remaining: 0 } },
    });
  });
}
