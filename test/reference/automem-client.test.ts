import { Loci, type TestTenant } from '../support/loci.js';

/** What the bridge reads of an answer is whatever JSON there is. */
type Json = Record<string, unknown>;

/** AutoMem's bridge for MCP (`@verygoodplugins/mcp-automem`), as far as the network sees it. */
class Bridge {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async call(method: string, path: string, body?: Json): Promise<{ status: number; body: Json }> {
    const response = await fetch(`${this.url}/${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${this.token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // It takes whatever is no JSON for a broken connection, deletions' answers too.
    return { status: response.status, body: (await response.json()) as Json };
  }

  /** It repeats a parameter for each value of a list, and leaves out what nobody asked for. */
  async recall(asked: Record<string, string | number | boolean | string[]>): Promise<Json> {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(asked)) {
      for (const one of [value].flat()) params.append(name, String(one));
    }
    const { status, body } = await this.call('GET', `recall?${params.toString()}`);
    expect({ status, body }).toMatchObject({ status: 200 });
    return body;
  }

  async store(memory: Json): Promise<string> {
    const { status, body } = await this.call('POST', 'memory', { tags: [], ...memory });
    expect(status).toBe(201);
    return String(body['memory_id']);
  }
}

const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;

describe('AutoMem’s bridge, with a tenant’s key as its token', () => {
  let loci: Loci;
  let acme: TestTenant;
  let bridge: Bridge;
  beforeAll(async () => {
    loci = await Loci.start();
    acme = await loci.tenant();
    bridge = new Bridge(loci.url, acme.token);
  });
  afterAll(() => loci.stop());

  it('stores one, with all that it may say of it', async () => {
    const { status, body } = await bridge.call('POST', 'memory', {
      content: 'We decided on PostgreSQL',
      type: 'Decision',
      confidence: 0.8,
      tags: ['project', 'database'],
      importance: 0.9,
      metadata: { source: 'chat' },
      timestamp: '2026-01-05T10:00:00Z',
      t_valid: '2026-01-05T10:00:00Z',
      t_invalid: '2090-01-01T00:00:00Z',
      updated_at: '2026-01-05T10:00:00Z',
      last_accessed: '2026-01-05T10:00:00Z',
    });
    expect({ status, body }).toMatchObject({ status: 201, body: { memory_id: UUID } });
  });

  it('stores a batch, and reads ids and count', async () => {
    const memories = [
      { content: 'Batch one', tags: ['batch'], importance: 0.2, type: 'Context', confidence: 1 },
      { content: 'Batch two', tags: ['batch'], metadata: {}, timestamp: '2026-01-06T10:00:00Z' },
    ];
    const { body } = await bridge.call('POST', 'memory/batch', { memories });
    expect(body).toMatchObject({ memory_ids: [UUID, UUID], stored: 2 });
  });

  it('recalls with every parameter that it knows', async () => {
    const tagged = await bridge.store({ content: 'The kettle is blue', tags: ['kitchen'], importance: 0.7 });
    const body = await bridge.recall({
      query: 'kettle',
      queries: ['blue kettle', 'colour of the kettle'],
      limit: 5,
      time_query: 'today',
      start: '2020-01-01T00:00:00Z',
      end: '2090-01-01T00:00:00Z',
      tags: ['kitchen'],
      exclude_tags: ['garden', 'cellar'],
      tag_mode: 'any',
      tag_match: 'prefix',
      expand_relations: true,
      expand_respect_tags: false,
      expand_entities: true,
      auto_decompose: true,
      expansion_limit: 10,
      relation_limit: 3,
      expand_min_importance: 0.1,
      expand_min_strength: 0.1,
      current_only: true,
      state_debug: true,
      state_mode: 'current',
      recency_bias: 'auto',
      scope_fallback: true,
      min_score: 0,
      adaptive_floor: true,
      context: 'kitchen',
      language: 'en',
      active_path: 'src/kettle.ts',
      context_tags: ['kitchen', 'tea'],
      context_types: ['Context'],
      priority_ids: [tagged],
      per_query_limit: 3,
      sort: 'score',
      format: 'detailed',
    });
    expect(body).toMatchObject({
      count: 1,
      state_filter: { current_only: true, suppressed_count: 0, replacement_count: 0 },
      results: [
        {
          id: tagged,
          match_type: expect.any(String) as string,
          score: expect.any(Number) as number,
          relations: [],
          memory: {
            content: 'The kettle is blue',
            tags: expect.arrayContaining(['kitchen']) as string[],
            importance: 0.7,
            timestamp: expect.any(String) as string,
            updated_at: expect.any(String) as string,
            metadata: {},
            type: expect.any(String) as string,
            confidence: expect.any(Number) as number,
          },
        },
      ],
    });
  });

  it('recalls by a vector of its own, sorted and page by page', async () => {
    const vector = (at: number) => Array.from({ length: 384 }, (_, i) => (i === at ? 1 : 0));
    const tags = ['vectors'];
    const ids: string[] = [];
    for (const at of [1, 2, 3])
      ids.push(await bridge.store({ content: `V${at}`, tags, embedding: vector(at) }));
    const found = (body: Json) => (body['results'] as Json[]).map(({ id }) => id);
    const near = await bridge.recall({ embedding: vector(2).join(','), tags, limit: 1 });
    expect(found(near)).toEqual([ids[1]]);
    expect(found(await bridge.recall({ query: 'V', tags, sort: 'updated_asc' }))).toEqual(ids);
    const first = found(await bridge.recall({ tags, limit: 2 }));
    const second = found(await bridge.recall({ tags, limit: 2, offset: 2 }));
    expect([...first, ...second].sort()).toEqual([...ids].sort());
  });

  it('fetches one by its id, and takes 404 for none', async () => {
    const id = await bridge.store({ content: 'Just this one' });
    const { body } = await bridge.call('GET', `memory/${id}`);
    expect(body).toMatchObject({ memory: { id, memory_id: id, content: 'Just this one', tags: [] } });
    const none = await bridge.call('GET', 'memory/00000000-0000-4000-8000-000000000000');
    expect(none).toMatchObject({ status: 404, body: { detail: expect.any(String) as string } });
  });

  it('lists and deletes by tag', async () => {
    for (const at of [1, 2, 3]) await bridge.store({ content: `Tagged ${at}`, tags: ['a list', 'other'] });
    const page = await bridge.call('GET', 'memory/by-tag?tags=a+list&limit=2');
    expect(page.body).toMatchObject({ count: 2, has_more: true });
    const rest = await bridge.call('GET', 'memory/by-tag?tags=a+list&limit=2&offset=2');
    expect(rest.body).toMatchObject({ count: 1, has_more: false });
    const { body } = await bridge.call('DELETE', 'memory/by-tag?tags=a+list&tags=none');
    expect(body).toMatchObject({ deleted_count: 3, tags: ['a list', 'none'] });
  });

  it('associates, one and several, with what it says of them', async () => {
    const [one, two, three] = [
      await bridge.store({ content: '1' }),
      await bridge.store({ content: '2' }),
      await bridge.store({ content: '3' }),
    ];
    const single = await bridge.call('POST', 'associate', {
      ...{ memory1_id: one, memory2_id: two, type: 'LEADS_TO', strength: 0.8 },
      ...{ reason: 'it follows', confidence: 0.7 },
    });
    expect(single.body).toMatchObject({ status: 'success', message: expect.any(String) as string });
    const associations = [
      {
        memory1_id: one,
        memory2_id: three,
        type: 'PREFERS_OVER',
        strength: 1,
        context: 'in winter',
        reason: 'warmth',
      },
      { memory1_id: two, memory2_id: three, type: 'PART_OF', strength: 0, role: 'member' },
    ];
    const several = await bridge.call('POST', 'associate', { associations });
    expect(several.body).toMatchObject({
      created_count: 2,
      failed_count: 0,
      succeeded: [{}, {}],
      failed: [],
    });
  });

  it('puts one memory in the place of another', async () => {
    const old = await bridge.store({ content: 'The office is in Porto', metadata: { floor: 2 } });
    const next = await bridge.store({ content: 'The office is in Lisbon' });
    const update = await bridge.call('PATCH', `memory/${old}`, {
      t_invalid: new Date().toISOString(),
      metadata: { floor: 2, deprecated: true, superseded_by: next, supersede_relation: 'INVALIDATED_BY' },
    });
    expect(update).toMatchObject({ status: 200, body: { memory_id: old } });
    const relation = { memory1_id: old, memory2_id: next, type: 'INVALIDATED_BY', strength: 0.9 };
    expect((await bridge.call('POST', 'associate', relation)).status).toBe(201);
    const { results } = await bridge.recall({ query: 'Where is the office?', limit: 1 });
    expect(results).toMatchObject([{ id: next }]);
  });

  it('deletes one, and asks after its health', async () => {
    const id = await bridge.store({ content: 'Not for long' });
    expect(await bridge.call('DELETE', `memory/${id}`)).toMatchObject({
      status: 200,
      body: { status: 'success', memory_id: id },
    });
    expect((await bridge.call('GET', 'health')).body).toMatchObject({ status: 'healthy' });
  });

  it('tells its user what was wrong with a call', async () => {
    const { status, body } = await bridge.call('POST', 'memory', { content: '' });
    expect({ status, body }).toMatchObject({ status: 400, body: { detail: expect.any(String) as string } });
  });
});
