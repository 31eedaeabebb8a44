import { join } from 'node:path';
import { Ledger } from '../../src/ledger/ledger.js';
import { EmbeddingsEndpoint } from '../models/embeddings-endpoint.js';
import { FalkorDbServerForTests, withFalkorDb } from '../support/falkordb.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { testPostgres } from '../support/postgres.js';
import { QdrantStandIn } from '../support/qdrant/stand-in.js';
import { TcpProxy } from './tcp-proxy.js';

interface Recalled {
  results: {
    id: string;
    match_type: string;
    memory: { content: string };
    relations?: { memory: { memory_id: string } }[];
  }[];
  degraded?: string[];
}

withFalkorDb('a recall answers from what is left', () => {
  let vectors: QdrantStandIn;
  let graph: FalkorDbServerForTests;
  let endpoint: EmbeddingsEndpoint;
  let ledger: TcpProxy;
  let loci: Loci;
  let tenant: TestTenant;
  /** What was stored, by a short name. */
  const ids = new Map<string, string>();
  const names = (recalled: Recalled) =>
    recalled.results.map(({ id }) => [...ids].find(([, known]) => known === id)?.[0] ?? id);

  beforeAll(async () => {
    vectors = await QdrantStandIn.start();
    graph = await FalkorDbServerForTests.start();
    endpoint = await EmbeddingsEndpoint.start();
    ledger = await TcpProxy.to({ path: join(testPostgres().connection.host, '.s.PGSQL.5432') });
    loci = await Loci.start({
      QDRANT_URL: vectors.url,
      FALKORDB_URL: graph.url,
      OPENAI_BASE_URL: endpoint.baseUrl,
      OPENAI_API_KEY: 'test',
      EMBEDDING_MODEL: 'words',
    });
    // The same database, through a line that can be cut.
    const direct = new URL(loci.databaseUrl);
    direct.host = `127.0.0.1:${ledger.port}`;
    await loci.restart(undefined, { DATABASE_URL: direct.href });
    tenant = await loci.tenant();
    await furnish();
  });
  afterAll(async () => {
    await loci.stop();
    await Promise.all([vectors.close(), graph.stop(), endpoint.stop(), ledger.close()]);
  });

  async function furnish(): Promise<void> {
    const day = (n: number) => ({ timestamp: new Date(Date.UTC(2026, 0, n)).toISOString() });
    const memories: [string, Record<string, unknown>][] = [
      ['tea', { content: 'Alice drinks tea in the garden.', tags: ['alice', 'drinks:tea'], ...day(1) }],
      ['cup', { content: 'The blue one is for guests.', tags: ['kitchen'], type: 'Preference', ...day(2) }],
      ['boat', { content: 'A boat lies in the harbour.', tags: ['sea', 'drinks:rum'], ...day(3) }],
      ['bob', { content: 'Bob sails on Sundays.', tags: ['bob', 'sea'], session_id: 's-1', ...day(4) }],
      ['old', { content: 'The mill was sold.', user_id: 'u-1', t_invalid: day(2).timestamp, ...day(5) }],
      ['soon', { content: 'The mill opens.', agent_id: 'a-1', t_valid: '2200-01-01T00:00:00Z', ...day(6) }],
      ['plain', { content: 'Nothing of note.', ...day(7) }],
    ];
    for (const [name, memory] of memories) {
      const { status, body } = await tenant.post<{ memory_id: string }>('/memory', memory);
      expect(status).toBe(201);
      ids.set(name, body.memory_id);
    }
    await tenant.post('/associate', {
      memory1_id: ids.get('tea'),
      memory2_id: ids.get('cup'),
      type: 'RELATES_TO',
      strength: 0.9,
    });
  }

  async function recall(question: Record<string, unknown>): Promise<Recalled> {
    const { status, body } = await tenant.post<Recalled>('/recall', question);
    expect([status, body]).toEqual([200, expect.anything()]);
    return body;
  }

  /** Waits until the server has noticed, with the same question, that the store is back. */
  async function isWhole(question: Record<string, unknown>): Promise<void> {
    for (let asked = 0; asked < 400; asked++) {
      if ((await recall(question)).degraded === undefined) return;
      await new Promise((resume) => setTimeout(resume, 25));
    }
    throw new Error('It stayed degraded');
  }

  const expanded = { query: 'Alice garden tea', limit: 3, expand_relations: true };

  it('with everything there, degraded in nothing', async () => {
    const whole = await recall(expanded);
    expect(whole.degraded).toBeUndefined();
    expect(names(whole)[0]).toBe('tea');
    expect(whole.results[0]?.relations).toMatchObject([{ memory: { memory_id: ids.get('cup') } }]);
  });

  it('without its relations where the graph is away', async () => {
    const whole = await recall(expanded);
    await graph.kill();
    const left = await recall(expanded);
    expect(left.degraded).toEqual(['graph']);
    expect(left.results.map(({ id }) => id)).toEqual(whole.results.map(({ id }) => id));
    expect(left.results.flatMap(({ relations = [] }) => relations)).toEqual([]);
    const byNames = { query: 'Alice garden tea', limit: 1, expand_entities: true };
    expect((await recall(byNames)).degraded).toEqual(['graph']);
    // Who asked for no relations misses none.
    expect((await recall({ query: 'Alice garden tea', limit: 3 })).degraded).toBeUndefined();
    const related = await tenant.get(`/memories/${ids.get('tea')}/related`);
    expect([related.status, related.headers.get('retry-after')]).toEqual([503, '1']);
    await graph.run();
    await isWhole(expanded);
    expect((await recall(expanded)).results[0]?.relations).toHaveLength(1);
  });

  describe('where the vector store is away, and its words with it', () => {
    beforeAll(() => {
      vectors.interfere = () => 'cut before';
    });
    afterAll(async () => {
      vectors.interfere = () => null;
      await isWhole(expanded);
    });

    it('by the words that the ledger holds, and by what the graph holds around those', async () => {
      const left = await recall({ query: 'Alice garden tea' });
      expect(left.degraded).toEqual(['vectors']);
      // The cup shares no word with the question: the graph tells of it.
      expect(names(left).slice(0, 2)).toEqual(['tea', 'cup']);
      expect(left.results[0]?.match_type).toBe('keyword');
    });

    it('by tags that the question names', async () => {
      expect(names(await recall({ query: 'who is Bob' }))[0]).toBe('bob');
      expect(names(await recall({ query: 'what is in the kitchen' }))[0]).toBe('cup');
    });

    it('with relations where they were asked for', async () => {
      const left = await recall(expanded);
      expect(left.degraded).toEqual(['vectors']);
      expect(left.results[0]?.relations).toMatchObject([{ memory: { memory_id: ids.get('cup') } }]);
    });

    it('without either where the graph is away too', async () => {
      await graph.kill();
      const left = await recall(expanded);
      expect(left.degraded?.sort()).toEqual(['graph', 'vectors']);
      expect(names(left)[0]).toBe('tea');
      await graph.run();
    });

    it('accepts what is stored, and finds it', async () => {
      const { status, body } = await tenant.post('/memory', {
        content: 'A lantern by the door.',
        tags: ['lamp'],
      });
      expect([status, body['indexed']]).toEqual([201, false]);
      ids.set('lantern', String(body['memory_id']));
      expect(names(await recall({ query: 'lantern' }))[0]).toBe('lantern');
      await tenant.delete(`/memory/${ids.get('lantern')}`);
      expect(names(await recall({ query: 'lantern' }))).not.toContain('lantern');
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['nothing', {}],
    ['any tag', { tags: ['alice', 'sea'] }],
    ['any tag, however it is written', { tags: ['Alice', 'SEA'] }],
    ['every tag', { tags: ['bob', 'sea'], tag_mode: 'all' }],
    ['any beginning of a tag', { tags: ['drinks:', 'kit'], tag_match: 'prefix' }],
    ['every beginning of a tag', { tags: ['drinks:', 'se'], tag_match: 'prefix', tag_mode: 'all' }],
    ['no tag of those', { exclude_tags: ['sea', 'alice'] }],
    ['a type', { types: ['Preference'] }],
    ['a time', { start: '2026-01-02T00:00:00Z', end: '2026-01-04T00:00:00Z' }],
    ['a session', { session_id: 's-1' }],
    ['a user, held or not', { user_id: 'u-1', state_mode: 'history' }],
    ['an agent, held or not', { agent_id: 'a-1', state_mode: 'history' }],
    ['what held at any time', { state_mode: 'history' }],
  ])('lets the same through, newest first, with the vector store and without: %s', async (_, filter) => {
    const whole = await recall({ ...filter, limit: 50 });
    vectors.interfere = () => 'cut before';
    const left = await recall({ ...filter, limit: 50 });
    vectors.interfere = () => null;
    expect(whole.degraded).toBeUndefined();
    expect(left.degraded).toEqual(['vectors']);
    expect(whole.results.length).toBeGreaterThan(0);
    expect(names(left)).toEqual(names(whole));
  });

  it('by its words where the model is away', async () => {
    endpoint.faults.push(...Array.from({ length: 50 }, () => ({ kind: 'status', status: 401 }) as const));
    const left = await recall({ query: 'boat in the harbour' });
    endpoint.faults.length = 0;
    expect(left.degraded).toEqual(['models']);
    expect(names(left)[0]).toBe('boat');
    expect(left.results[0]?.match_type).toBe('keyword');
  });

  it('accepts nothing and answers nothing where the ledger is away, and says when to ask again', async () => {
    const before = (await recall({ limit: 50 })).results.length;
    ledger.turn('shut');
    const answers = await Promise.all([
      tenant.post('/memory', { content: 'Not to be kept.' }),
      tenant.post('/memory/batch', { memories: [{ content: 'Nor this.' }] }),
      tenant.patch(`/memory/${ids.get('tea')}`, { content: 'Nor that.' }),
      tenant.delete(`/memory/${ids.get('tea')}`),
      tenant.post('/associate', { memory1_id: ids.get('tea'), memory2_id: ids.get('boat'), type: 'PART_OF' }),
      tenant.get('/recall?query=tea'),
      tenant.get(`/memory/${ids.get('tea')}`),
      tenant.get('/memory/by-tag?tags=sea'),
      tenant.get(`/memories/${ids.get('tea')}/related`),
      loci.operator.get('/admin/tenants'),
      loci.operator.get('/health/ready'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    for (const { body } of answers.slice(0, -1)) expect(body['code']).toBe('ledger.unavailable');
    for (const { headers } of answers.slice(0, -1)) expect(headers.get('retry-after')).toBe('2');
    ledger.turn('open');
    for (let asked = 0; asked < 400 && (await tenant.get('/recall')).status !== 200; asked++)
      await new Promise((resume) => setTimeout(resume, 25));
    expect((await recall({ limit: 50 })).results).toHaveLength(before);
  });

  it('keeps a request once that is repeated with its key after the ledger went away in the midst of it', async () => {
    const memory = { content: 'Kept once, however often it is sent.' };
    const key = { 'Idempotency-Key': 'sent-again' };
    const service = loci.server.app.get(Ledger);
    const write = service.write.bind(service);
    const cut = jest.spyOn(service, 'write').mockImplementationOnce((...args: Parameters<typeof write>) => {
      ledger.turn('shut');
      return write(...args);
    });
    const refused = await tenant.post('/memory', memory, key);
    cut.mockRestore();
    expect([refused.status, refused.body['code']]).toEqual([503, 'ledger.unavailable']);
    ledger.turn('open');
    const told: number[] = [];
    for (let asked = 0; asked < 400 && told.at(-1) !== 201; asked++) {
      told.push((await tenant.post('/memory', memory, key)).status);
      await new Promise((resume) => setTimeout(resume, 25));
    }
    // Never 409: nobody else is at it.
    expect([...new Set(told)].filter((status) => status !== 503)).toEqual([201]);
    const again = await tenant.post('/memory', memory, key);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    const { results } = await recall({ query: memory.content, limit: 50 });
    const alike = results.filter(({ memory: { content } }) => content === memory.content);
    expect(alike).toHaveLength(1);
  });
});
