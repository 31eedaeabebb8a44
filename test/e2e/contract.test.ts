import { randomUUID } from 'node:crypto';
import { PUBLIC_ROUTES } from '../isolation/route-table.js';
import { Description, DescribedCaller } from '../support/described.js';
import { liveRoutes, nameOf } from '../support/live-routes.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { sendRaw } from '../support/raw-request.js';

interface Shown {
  memory_id: string;
  content: string;
  timestamp: string;
}
interface Page {
  data: Shown[];
  next_cursor: string | null;
}

const isUuid = expect.stringMatching(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) as string;
const isTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

describe('the memory routes', () => {
  let loci: Loci;
  let description: Description;
  let tenant: TestTenant;
  let acme: DescribedCaller;

  beforeAll(async () => {
    loci = await Loci.start();
    description = await Description.of(loci);
  });
  beforeEach(async () => {
    tenant = await loci.tenant();
    acme = new DescribedCaller(() => loci.url, tenant.token, description);
  });
  afterAll(() => loci.stop());

  const store = async (memory: Record<string, unknown>): Promise<string> => {
    const { body } = await acme.post<{ memory_id: string }>('/memory', memory);
    return body.memory_id;
  };

  it('are the ones that /openapi.json describes', () => {
    const served = liveRoutes(loci.server.app)
      .map(nameOf)
      .filter((route) => !/^GET \/(?:docs|openapi)/.test(route));
    const described = description.operations().map((name) => name.replace(/\{(\w+)\}/g, ':$1'));
    expect(described.sort()).toEqual(served.sort());
  });

  it('have neighbours for everybody, which answer as they are described', async () => {
    for (const path of ['/', '/health', '/v1/health', '/health/live', '/health/ready', '/health/agent'])
      expect([path, (await acme.get(path)).status]).toEqual([path, 200]);
    expect((await acme.get('/errors/memory.not_found')).body).toMatchObject({ status: 404 });
    expect((await acme.get('/v1/tenants/current')).body).toMatchObject({ tenant_id: tenant.slug });
    const silent = Object.entries(description.document.paths).flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([, { responses }]) =>
          Object.entries(responses).some(([status, { content }]) => status < '300' && content === undefined),
        )
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    );
    expect(silent).toEqual([]);
  });

  describe.each([
    ['at the root', '', ''],
    ['under /v1', '/v1', ''],
    ['under /api/v1', '/api/v1', ''],
    ['with a slash at the end', '', '/'],
    ['under /api/v1 with a slash at the end', '/api/v1', '/'],
  ])('%s', (_where, before, after) => {
    it('store, show, change, relate, recall and delete', async () => {
      const at = (path: string, query = ''): string => `${before}${path}${after}${query}`;
      const stored = await acme.post<{ memory_id: string }>(at('/memory'), {
        content: 'Anna grows tomatoes.',
      });
      expect(stored.status).toBe(201);
      const id = stored.body.memory_id;
      const batch = await acme.post<{ memory_ids: [string, string] }>(at('/memory/batch'), {
        memories: [{ content: 'Anna sells them on Fridays.', tags: ['market'] }, { content: 'It rains.' }],
      });
      expect(batch.status).toBe(201);
      const [other] = batch.body.memory_ids;
      expect((await acme.get(at(`/memory/${id}`))).body).toMatchObject({ memory: { memory_id: id } });
      expect((await acme.patch(at(`/memory/${id}`), { importance: 0.9 })).status).toBe(200);
      expect((await acme.call('PUT', at(`/memory/${id}`), { tags: ['garden'] })).status).toBe(200);
      expect((await acme.get<{ history: unknown[] }>(at(`/memory/${id}/history`))).body.history).toHaveLength(
        2,
      );
      expect((await acme.get(at('/memory/by-tag', '?tags=garden'))).body).toMatchObject({ count: 1 });
      expect((await acme.get<Page>(at('/memories', '?tags=garden'))).body.data).toHaveLength(1);
      const association = { memory1_id: id, memory2_id: other, type: 'LEADS_TO' };
      expect((await acme.post(at('/associate'), association)).status).toBe(201);
      expect((await acme.get(at('/graph/path', `?from=${id}&to=${other}`))).body).toMatchObject({
        length: 1,
      });
      for (const drawing of ['snapshot', `neighbors/${id}`, 'stats', 'types', 'relations'])
        expect((await acme.get(at(`/graph/${drawing}`))).status).toBe(200);
      expect((await acme.get(at(`/memories/${id}/related`))).body).toMatchObject({
        count: 1,
        related_memories: [{ memory_id: other, relation_type: 'LEADS_TO', depth: 1 }],
      });
      expect((await acme.get(at('/recall', '?query=tomatoes'))).body).toMatchObject({
        results: [{ id }, {}, {}],
      });
      expect((await acme.post(at('/recall'), { query: 'tomatoes' })).status).toBe(200);
      expect((await acme.delete(at('/memory/by-tag', '?tags=market'))).body).toMatchObject({
        deleted_count: 1,
      });
      expect((await acme.delete(at(`/memory/${id}`))).body).toEqual({ status: 'success', memory_id: id });
      expect((await acme.get(at(`/memory/${id}`))).status).toBe(404);
    });
  });

  it('read JSON where nothing says that it is JSON, and where curl says that it is a form', async () => {
    for (const headers of [{}, { 'Content-Type': 'application/x-www-form-urlencoded' }]) {
      const { status, body } = await sendRaw(loci.url, {
        method: 'POST',
        path: '/memory',
        headers: { 'X-API-Key': tenant.token, ...headers },
        body: JSON.stringify({ content: `Sent with ${JSON.stringify(headers)}` }),
      });
      expect([status, body['created']]).toEqual([201, true]);
    }
  });

  it('take a workspace by any of its names, and the tenant’s own name beside it', async () => {
    const content = 'In the default workspace';
    for (const [path, body, headers] of [
      ['/memory', { content, workspace_id: tenant.workspaceId }, {}],
      ['/memory', { content, workspace_id: 'default' }, {}],
      ['/memory', { content, project: 'default' }, {}],
      ['/memory', { content }, { 'X-Workspace-ID': 'default', 'X-Tenant-ID': tenant.slug }],
      [
        '/memory',
        { content },
        { 'X-Workspace-ID': tenant.workspaceId.toUpperCase(), 'X-Tenant-ID': tenant.id },
      ],
    ] as const) {
      const reply = await acme.post(path, body, headers);
      expect(reply.body).toMatchObject({ tenant_id: tenant.slug, workspace_id: tenant.workspaceId });
    }
    const contradiction = await acme.post(
      '/memory',
      { content, workspace_id: 'default' },
      { 'X-Workspace-ID': 'other' },
    );
    expect(contradiction).toMatchObject({ status: 404, body: { code: 'workspace.not_found' } });
  });

  describe('that store', () => {
    it('keep every field as it was sent, and fill in the others', async () => {
      const whole = {
        id: randomUUID(),
        content: 'Größe 42 — 数字 🧠',
        type: 'Preference',
        tags: ['shoes', 'größe'],
        importance: 0.75,
        confidence: 0.25,
        metadata: { source: { page: 7, of: null }, list: [1, 'a', true] },
        timestamp: '2024-02-29T12:00:00+02:00',
        t_valid: '2024-01-01',
        t_invalid: '2024-12-31T23:59:59.999Z',
        session_id: 's-1',
        user_id: 'u-1',
        agent_id: 'a-1',
        source: 'https://wiki.example/page/7',
      };
      const stored = await acme.post('/memory', whole);
      expect(stored.body).toEqual({
        status: 'success',
        memory_id: whole.id,
        tenant_id: tenant.slug,
        workspace_id: tenant.workspaceId,
        type: 'Preference',
        created: true,
        indexed: true,
      });
      const { body } = await acme.get(`/memory/${whole.id}`);
      expect(body['memory']).toEqual({
        ...whole,
        memory_id: whole.id,
        workspace_id: tenant.workspaceId,
        timestamp: '2024-02-29T10:00:00.000Z',
        t_valid: '2024-01-01T00:00:00.000Z',
        t_invalid: '2024-12-31T23:59:59.999Z',
        created_at: isTime,
        updated_at: isTime,
        summary: null,
        entities: [],
      });
      const bare = await acme.get(`/memory/${await store({ content: 'Bare' })}`);
      expect(bare.body['memory']).toMatchObject({
        memory_id: isUuid,
        type: 'Context',
        tags: [],
        importance: 0.5,
        confidence: 0.9,
        metadata: {},
        timestamp: isTime,
        t_valid: null,
        t_invalid: null,
        session_id: null,
        user_id: null,
        agent_id: null,
        source: null,
      });
    });

    it('say of which type they became: told by the content, or known however it is written', async () => {
      const typeOf = async (memory: object) => (await acme.post('/memory', memory)).body['type'];
      expect(await typeOf({ content: 'We decided to move to Lisbon' })).toBe('Decision');
      expect(await typeOf({ content: 'Typed', type: 'insight' })).toBe('Insight');
      expect(await typeOf({ content: 'Typed', type: 'recipe' })).toBe('recipe');
      const order = { id: randomUUID(), content: 'Typed by itself' };
      expect(await typeOf(order)).toBe('Context');
      await acme.patch(`/memory/${order.id}`, { type: 'Habit' });
      expect(await typeOf(order)).toBe('Habit');
    });

    it('answer 200 with the memory that exists for an exact duplicate, and 201 where anything counts as different', async () => {
      const memory = {
        content: 'Said once',
        type: 'Insight',
        session_id: 's',
        timestamp: '2026-01-01T00:00:00Z',
      };
      const first = await acme.post('/memory', memory);
      expect(first.status).toBe(201);
      const again = await acme.post('/memory', { ...memory, timestamp: '2026-01-01T01:00:00+01:00' });
      expect(again).toMatchObject({
        status: 200,
        body: { memory_id: first.body['memory_id'], created: false },
      });
      for (const change of [
        { content: 'Said once.' },
        { type: 'Pattern' },
        { session_id: 't' },
        { timestamp: '2026-01-01T00:00:00.001Z' },
      ])
        expect((await acme.post('/memory', { ...memory, ...change })).status).toBe(201);
    });

    it('replay an Idempotency-Key’s first answer, and store once', async () => {
      const headers = { 'Idempotency-Key': randomUUID() };
      const first = await acme.post('/memory', { content: 'Only once' }, headers);
      const second = await acme.post('/memory', { content: 'Only once' }, headers);
      expect(first.headers.get('idempotency-replayed')).toBeNull();
      expect(second.headers.get('idempotency-replayed')).toBe('true');
      expect([second.status, second.body]).toEqual([first.status, first.body]);
      expect(await acme.post('/memory', { content: 'Another' }, headers)).toMatchObject({
        status: 409,
        body: { code: 'idempotency.conflict' },
      });
      for (const path of ['/v1/memory', '/api/v1/memory/']) {
        const third = await acme.post(path, { content: 'Only once' }, headers);
        expect([third.headers.get('idempotency-replayed'), third.body]).toEqual(['true', first.body]);
      }
      const at = { 'Idempotency-Key': randomUUID() };
      const many = await Promise.all(
        Array.from({ length: 8 }, () => acme.post('/memory', { content: 'Only once at once' }, at)),
      );
      const made = new Set(many.flatMap(({ status, body }) => (status === 201 ? [body['memory_id']] : [])));
      expect(made.size).toBe(1);
      expect(
        many.every(({ status, body }) => status === 201 || body['code'] === 'idempotency.in_progress'),
      ).toBe(true);
      expect((await acme.get<Page>('/v1/memories')).body.data).toHaveLength(2);
    });

    it('take what AutoMem’s clients send', async () => {
      const { status } = await acme.post('/memory', {
        content: 'From AutoMem',
        updated_at: '2026-01-01T00:00:00Z',
        last_accessed: '2026-01-01T00:00:00Z',
      });
      expect(status).toBe(201);
      const recall = await acme.post('/recall', {
        query: 'AutoMem',
        current_only: true,
        scope_fallback: true,
        adaptive_floor: 0.2,
        priority_ids: [randomUUID()],
        context: 'x',
        language: 'en',
        active_path: 'src/x.ts',
        context_types: ['Style'],
        auto_decompose: true,
        per_query_limit: 5,
        expand_entities: true,
        expand_respect_tags: false,
        state_debug: true,
        format: 'detailed',
        time_query: 'last 7 days',
        recency_bias: 'auto',
        context_tags: ['a'],
        expansion_limit: 3,
        expand_min_importance: 0.1,
      });
      expect(recall.body).toMatchObject({ status: 'success', count: 1 });
    });

    it('a batch tell what was stored and name what was refused', async () => {
      const { status, body } = await acme.post('/memory/batch', {
        memories: [{ content: 'Good' }, { content: 'Bad', importance: 7 }, { content: 'Good too' }],
      });
      expect(status).toBe(207);
      expect(body).toEqual({
        status: 'partial',
        tenant_id: tenant.slug,
        workspace_id: tenant.workspaceId,
        stored: 2,
        created_count: 2,
        memory_ids: [isUuid, isUuid],
        failed: [
          {
            index: 1,
            code: 'request.invalid',
            detail: expect.stringContaining('importance') as string,
            errors: [{ location: 'body.memories[1].importance', message: 'must be a number from 0 to 1' }],
          },
        ],
        indexed: true,
      });
      const whole = Array.from({ length: 500 }, (_, i) => ({ content: `Item ${i}`, embedding: unit(i) }));
      const large = await acme.post<{ memory_ids: string[] }>('/memory/batch', { memories: whole });
      expect([large.status, large.body.memory_ids.length]).toEqual([201, 500]);
    });
  });

  describe('that read', () => {
    it('list everything once over several pages, newest first, equal times too', async () => {
      const memories = Array.from({ length: 25 }, (_, i) => ({
        content: `Listed ${i}`,
        timestamp: new Date(Date.UTC(2026, 0, 1 + Math.floor(i / 4))).toISOString(),
        embedding: unit(i),
      }));
      await acme.post('/memory/batch', { memories });
      const seen: Shown[] = [];
      let cursor: string | null = null;
      do {
        const { body }: { body: Page } = await acme.get<Page>(
          `/v1/memories?limit=7${cursor === null ? '' : `&cursor=${cursor}`}`,
        );
        seen.push(...body.data);
        cursor = body.next_cursor;
      } while (cursor !== null);
      expect(new Set(seen.map(({ content }) => content)).size).toBe(25);
      expect(seen).toHaveLength(25);
      const times = seen.map(({ timestamp }) => timestamp);
      expect(times).toEqual([...times].sort().reverse());
    });

    it('find by tags of any letters what has these very tags', async () => {
      const tags = ['ΟΔΟΣ', 'İzmir', 'Straße', 'ÉTÉ', '100%', 'a_b', 'c:\\d'];
      const { body } = await acme.post<{ memory_id: string }>('/memory', { content: 'Travels', tags });
      for (const tag of tags) {
        const written = encodeURIComponent(tag);
        expect([tag, (await acme.get<Page>(`/v1/memories?tags=${written}`)).body.data]).toHaveProperty(
          '1.length',
          1,
        );
        expect((await acme.get(`/memory/by-tag?tags=${written}`)).body).toMatchObject({ count: 1 });
        expect((await acme.post('/recall', { tags: [tag] })).body).toMatchObject({ count: 1 });
      }
      const all = tags.map(encodeURIComponent).join(',');
      expect((await acme.get<Page>(`/v1/memories?tag_mode=all&tags=${all}`)).body.data).toHaveLength(1);
      for (const other of ['1000', 'axb', 'c:'])
        expect((await acme.get(`/memory/by-tag?tags=${other}`)).body).toMatchObject({ count: 0 });
      const gone = await acme.delete(`/memory/by-tag?tags=${encodeURIComponent('ΟΔΟΣ')}`);
      expect(gone.body).toMatchObject({ memory_ids: [body.memory_id] });
    });

    it('list by tags, types, session, user, agent and time', async () => {
      await acme.post('/memory/batch', {
        memories: [
          { content: 'A', tags: ['x', 'y'], type: 'Style', session_id: 's', timestamp: '2026-01-01' },
          { content: 'B', tags: ['x'], type: 'Habit', user_id: 'u', timestamp: '2026-01-02' },
          { content: 'C', tags: ['z'], agent_id: 'a', timestamp: '2026-01-03' },
        ],
      });
      const listed = async (query: string): Promise<string> =>
        (await acme.get<Page>(`/v1/memories?${query}`)).body.data.map(({ content }) => content).join('');
      expect(await listed('tags=x')).toBe('BA');
      expect(await listed('tags=X,Y&tag_mode=all')).toBe('A');
      expect(await listed('tags=x&tags=z')).toBe('CBA');
      expect(await listed('tags=x,y&tag_mode=all')).toBe('A');
      expect(await listed('types=Style,Habit')).toBe('BA');
      expect(await listed('session_id=s')).toBe('A');
      expect(await listed('user_id=u')).toBe('B');
      expect(await listed('agent_id=a')).toBe('C');
      expect(await listed('start=2026-01-02&end=2026-01-02T23:59:59Z')).toBe('B');
    });

    it('show the memories of a tag as AutoMem’s clients read them', async () => {
      await acme.post('/memory/batch', {
        memories: [1, 2, 3].map((i) => ({ content: `Tagged ${i}`, tags: ['t', `t${i}`] })),
      });
      const first = await acme.get<{ next_cursor: string }>('/memory/by-tag?tags=t&limit=2');
      expect(first.body).toMatchObject({ status: 'success', tags: ['t'], count: 2, has_more: true });
      const rest = await acme.get(`/memory/by-tag?tags=t&limit=2&cursor=${first.body.next_cursor}`);
      expect(rest.body).toMatchObject({ count: 1, has_more: false, next_cursor: null });
      expect((await acme.get('/memory/by-tag?tags=T1&tags=t3')).body).toMatchObject({ count: 2 });
      const gone = await acme.delete<{ memory_ids: string[] }>('/memory/by-tag?tags=t1&tags=T3');
      expect(gone.body).toMatchObject({ status: 'success', deleted_count: 2 });
      for (const id of gone.body.memory_ids) expect((await acme.get(`/memory/${id}`)).status).toBe(404);
      expect((await acme.get('/memory/by-tag?tags=t')).body).toMatchObject({ count: 1 });
    });
  });

  it('that change keep what was, and change only what is named', async () => {
    const id = await store({
      content: 'First',
      tags: ['a'],
      metadata: { v: 1 },
      t_valid: '2026-01-01',
      user_id: 'u',
      source: 'slack',
    });
    const edited = await acme.patch(`/memory/${id}`, { content: 'Second', metadata: { v: 2 } });
    expect(edited.body).toMatchObject({
      status: 'success',
      memory_id: id,
      indexed: true,
      memory: { content: 'Second', tags: ['a'], metadata: { v: 2 }, user_id: 'u', source: 'slack' },
    });
    const cleared = await acme.call('PUT', `/memory/${id}`, {
      t_valid: null,
      user_id: null,
      source: 'mail',
      tags: [],
    });
    expect(cleared.body['memory']).toMatchObject({
      content: 'Second',
      source: 'mail',
      t_valid: null,
      user_id: null,
      tags: [],
    });
    const { body } = await acme.get<{ history: { memory: unknown; replaced_at: string }[] }>(
      `/memory/${id}/history`,
    );
    expect(body.history).toMatchObject([
      { memory: { content: 'Second', tags: ['a'] }, replaced_at: isTime },
      { memory: { content: 'First', metadata: { v: 1 } } },
    ]);
    // As every memory is shown, to the last field.
    expect(body.history[1]?.memory).toMatchObject({
      memory_id: id,
      t_valid: '2026-01-01T00:00:00.000Z',
      session_id: null,
      user_id: 'u',
      source: 'slack',
      created_at: isTime,
    });
    expect(body.history[1]?.memory).not.toHaveProperty('validFrom');
    const found = await acme.get<{ results: { memory: Shown }[] }>('/recall?query=first');
    expect(found.body.results.map(({ memory }) => memory.content)).toEqual(['Second']);
    await acme.delete(`/memory/${id}`);
    expect((await acme.get(`/memory/${id}/history`)).status).toBe(404);
    expect((await acme.delete(`/memory/${id}`)).status).toBe(404);
  });

  it('have answered every operation that is described for a memory', () => {
    // What administers tenants has suites of its own, which hold it to its description likewise.
    const control =
      / \/(?:admin|v1\/(?:tenants|organizations|workspaces|agents|agent-templates|widget))(?:\/|$)/;
    // So has what is drawn from memories: test/enrichment/entities.test.ts.
    const drawn = / \/(?:v1\/)?(?:entity|entities|enrichment|startup-recall|analyze)(?:\/|$)/;
    // And what time does to memories: test/consolidation/consolidation.test.ts.
    const aged = /\/(?:consolidate|memories\/deleted|restore)(?:\/|$)/;
    // A stream has no end to wait for: test/events/event-stream.test.ts.
    const endless = /\/stream$/;
    const operations = liveRoutes(loci.server.app)
      .map(nameOf)
      .filter(
        (name) =>
          !PUBLIC_ROUTES.includes(name) &&
          !control.test(name) &&
          !drawn.test(name) &&
          !aged.test(name) &&
          !endless.test(name),
      )
      .map((name) => name.replace(/:(\w+)/g, '{$1}'));
    expect(operations.length).toBeGreaterThan(20);
    expect(description.unseen(operations)).toEqual([]);
  });
});

/** Vectors that point in different directions, so that no model has to make them. */
function unit(i: number): number[] {
  return Array.from({ length: 384 }, (_, at) => (at === i % 384 ? 1 : 0.001 * (i + 1)));
}
