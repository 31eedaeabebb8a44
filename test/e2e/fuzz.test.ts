import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Loci as LociServer, TestTenant } from '../support/loci.js';
import { Loci } from '../support/loci.js';
import { sendRaw, type RawRequest } from '../support/raw-request.js';

/** How long each kind of request is tried. `npm run test:long` takes its time, and another way each time. */
const IS_LONG = process.env['LOCI_TEST_LONG'] === '1';
const MS = IS_LONG ? 60_000 : 4_000;

/** What clients get wrong, beside whatever fast-check thinks of. */
const oddities = fc.constantFrom<unknown>(
  null,
  '',
  ' ',
  '\u0000',
  '\ud800',
  0,
  -1,
  1e308,
  -0,
  5e-324,
  2 ** 53,
  true,
  [],
  {},
  [[]],
  [null],
  '0001-01-01T00:00:00+14:00',
  '9999-12-31T23:59:59.999-14:00',
  '2026-01-01',
  '00000000-0000-0000-0000-000000000000',
  "'; DROP TABLE memories; --",
  '%_\\',
  '🧠'.repeat(100),
  'x'.repeat(70_000),
);
const anything = fc.oneof(
  { weight: 3, arbitrary: oddities },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);

/** An object in which some fields are replaced, some are missing and some are new. */
function mutated(valid: Record<string, unknown>): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .tuple(
      fc.dictionary(fc.constantFrom(...Object.keys(valid)), anything, { maxKeys: 3 }),
      fc.subarray(Object.keys(valid), { maxLength: Math.min(2, Object.keys(valid).length) }),
      fc.option(fc.dictionary(fc.string({ maxLength: 8 }), anything, { maxKeys: 1 }), { nil: {} }),
    )
    .map(([changed, dropped, added]) => {
      const body = { ...valid, ...changed, ...added };
      return Object.fromEntries(Object.entries(body).filter(([name]) => !dropped.includes(name)));
    });
}

describe('whatever is sent', () => {
  let loci: LociServer;
  let acme: TestTenant;
  let bodies: [string, string, Record<string, unknown>, admin?: true][];
  let queries: [string, Record<string, unknown>, admin?: true][];

  beforeAll(async () => {
    loci = await Loci.start();
    acme = await loci.tenant({ settings: { quotas: { max_api_calls_per_minute: 1_000_000 } } });
    const { body } = await acme.post<{ memory_ids: [string, string] }>('/memory/batch', {
      memories: [
        { content: 'One', session_id: 's' },
        { content: 'Two', session_id: 's' },
      ],
    });
    const [one, two] = body.memory_ids;
    const memory = {
      content: 'Three',
      id: randomUUID(),
      type: 'Preference',
      tags: ['a', 'b'],
      importance: 0.5,
      confidence: 0.5,
      metadata: { a: 1 },
      timestamp: '2026-01-01T00:00:00Z',
      t_valid: '2026-01-01T00:00:00Z',
      t_invalid: '2027-01-01T00:00:00Z',
      session_id: 's',
      user_id: 'u',
      agent_id: 'a',
      embedding: Array.from({ length: 384 }, () => 0.1),
      workspace_id: acme.workspaceId,
      project: 'default',
      updated_at: 'x',
    };
    const recall = {
      query: 'three',
      queries: ['one', 'two'],
      limit: 5,
      tags: ['a'],
      exclude_tags: ['c'],
      tag_mode: 'any',
      tag_match: 'prefix',
      types: ['Preference'],
      start: '2025-01-01T00:00:00Z',
      end: '2028-01-01T00:00:00Z',
      session_id: 's',
      user_id: 'u',
      agent_id: 'a',
      state_mode: 'history',
      sort: 'newest',
      min_score: 0,
      explain: true,
      expand_relations: true,
      relation_limit: 3,
      expand_min_strength: 0,
    };
    const association = { memory1_id: one, memory2_id: two, type: 'RELATES_TO', strength: 0.5 };
    const order = {
      tenant_id: 'fuzzed',
      id: randomUUID(),
      name: 'Fuzzed',
      plan_tier: 'free',
      api_token: 'a-token-that-is-long-enough-for-all',
      contact_email: 'a@b.example',
      admin_email: 'c@d.example',
      domain: 'fuzzed.example',
      platform: 'shopify',
      api_credentials: { a: 'b' },
      placement: 'shared',
      settings: { quotas: { max_memories: 5 }, other: { deep: [1] } },
      features: ['chat'],
      metadata: { a: 1 },
    };
    const agent = {
      description: 'A',
      system_prompt: 'B',
      model_provider: 'openai',
      model_name: 'gpt-4',
      temperature: 0.7,
      enabled_tools: ['vector_search'],
      tool_config: { a: 1 },
      agent_type: 'custom',
      owner_id: 'somebody',
      is_public: false,
      is_active: true,
    };
    bodies = [
      ['POST', '/memory', memory],
      ['POST', '/memory/batch', { memories: [memory, { content: 'Four' }], workspace_id: acme.workspaceId }],
      ['PATCH', `/memory/${one}`, memory],
      ['PUT', `/memory/${two}`, { content: 'Five', metadata: { b: 2 } }],
      ['POST', '/recall', recall],
      ['POST', '/associate', association],
      ['POST', '/associate', { associations: [association, { ...association, memory2_id: randomUUID() }] }],
      ['POST', '/v1/workspaces', { name: 'A', slug: 'fuzzed', description: null, settings: { a: { b: 1 } } }],
      ['PATCH', '/v1/workspaces/default', { name: 'B', description: 'C', settings: { a: null, d: [1] } }],
      [
        'PATCH',
        '/v1/tenants/current',
        {
          name: 'A',
          contact_email: 'a@b.example',
          contact_name: 'A',
          domain: 'current.example',
          settings: { a: { b: 1 } },
          features: ['custom_agents'],
        },
      ],
      ['PUT', '/v1/tenants/current', { name: 'A', settings: { a: 1 } }],
      [
        'POST',
        '/v1/organizations',
        { name: 'A', slug: 'fuzzed-org', plan_tier: 'free', contact_email: 'a@b.example', contact_name: 'A' },
        true,
      ],
      [
        'PATCH',
        '/v1/organizations/fuzzed-org',
        { name: 'B', plan_tier: 'pro', contact_email: null, contact_name: null },
        true,
      ],
      ['POST', '/v1/workspaces/default/agents', { ...agent, name: 'A', slug: 'fuzzed' }],
      ['POST', '/v1/workspaces/default/agents/from-template', { ...agent, template: 'support' }],
      ['PATCH', '/v1/workspaces/default/agents/default', agent],
      ['POST', '/admin/tenants', order, true],
      ['PATCH', `/admin/tenants/${acme.slug}`, { name: 'A', metadata: { a: null }, features: ['x'] }, true],
      [
        'POST',
        `/admin/tenants/${acme.slug}/keys`,
        {
          name: 'k',
          scopes: ['memory'],
          rate_limit_per_minute: 5,
          expires_at: '2090-01-01',
          environment: 'test',
          role: 'tenant_user',
          api_token: 'another-token',
        },
        true,
      ],
    ];
    queries = [
      ['/recall', recall],
      ['/v1/memories', { ...recall, cursor: 'x', limit: 3 }],
      ['/v1/tenants/current/usage', { from: '2026-01-01', to: '2026-02-01', granularity: 'hour' }],
      ['/v1/organizations', { limit: 2, cursor: 'x' }, true],
      [`/admin/tenants/${acme.slug}/usage`, { from: '2026-01-01', granularity: 'month' }, true],
      ['/v1/agents', { scope: 'own', agent_type: 'custom', limit: 2, cursor: 'x' }],
      ['/v1/workspaces', { limit: 2, cursor: 'x' }],
      ['/memory/by-tag', { tags: ['a', 'b'], limit: 3, cursor: 'x' }],
      [`/memory/${one}`, { workspace_id: 'default', project: 'default' }],
      [`/memory/${one}/history`, { workspace_id: 'default' }],
      [`/memories/${one}/related`, { relationship_types: ['RELATES_TO'], max_depth: 2, limit: 3 }],
      ['/admin/tenants', { limit: 2, cursor: 'x', include_stats: true, state: 'active' }, true],
    ];
  });
  afterAll(() => loci.stop());

  const tokenOf = (admin: boolean | undefined): string => (admin === true ? loci.operator.token : acme.token);

  async function answered(request: RawRequest, admin: boolean | undefined): Promise<void> {
    const { status, body } = await sendRaw(loci.url, {
      ...request,
      headers: { Authorization: `Bearer ${tokenOf(admin)}`, ...request.headers },
    });
    if (status >= 500) throw new Error(`${status} ${JSON.stringify(body)}`);
    expect(body['unreadable']).toBeUndefined();
  }

  const limits = { interruptAfterTimeLimit: MS, numRuns: 100_000, ...(IS_LONG ? {} : { seed: 20_260_101 }) };

  it('in a body is answered with less than 500', async () => {
    const request = fc.integer({ min: 0, max: bodies.length - 1 }).chain((i) => {
      const [method, path, valid, admin] = bodies[i] ?? [];
      return mutated(valid ?? {}).map((body) => ({ method, path, body, admin }));
    });
    await fc.assert(
      fc.asyncProperty(request, ({ method = '', path = '', body, admin }) =>
        answered({ method, path, body: JSON.stringify(body) }, admin),
      ),
      limits,
    );
  }, 180_000);

  it('inside an item of a list is answered with less than 500', async () => {
    const [, , memory = {}] = bodies[0] ?? [];
    await fc.assert(
      fc.asyncProperty(fc.array(mutated(memory), { minLength: 1, maxLength: 4 }), (memories) =>
        answered({ method: 'POST', path: '/memory/batch', body: JSON.stringify({ memories }) }, false),
      ),
      limits,
    );
  }, 180_000);

  it('in a query is answered with less than 500', async () => {
    const request = fc.integer({ min: 0, max: queries.length - 1 }).chain((i) => {
      const [path, valid, admin] = queries[i] ?? [];
      return mutated(valid ?? {}).map((query) => ({ path, query, admin }));
    });
    await fc.assert(
      fc.asyncProperty(request, ({ path = '', query, admin }) => {
        const text = new URLSearchParams();
        for (const [name, value] of Object.entries(query)) {
          for (const one of [value].flat())
            text.append(name, (typeof one === 'string' ? one : JSON.stringify(one)).slice(0, 2_000));
        }
        return answered({ path: `${path}?${text.toString()}` }, admin);
      }),
      limits,
    );
  }, 180_000);

  it('in a path, or as text that is hardly JSON, is answered with less than 500', async () => {
    const segment = fc.oneof(
      fc
        .string({ unit: 'binary', maxLength: 30 })
        .map((text) => encodeURIComponent(Buffer.from(text).toString())),
      fc.stringMatching(/^[%a-z0-9./;:@&=+$,-]{0,30}$/),
    );
    const paths = fc.constantFrom(
      '/memory/',
      '/v1/memory/',
      '/memories/',
      '/admin/tenants/',
      '/v1/workspaces/',
      '/v1/organizations/',
      '/v1/tenants/',
      '/v1/workspaces/default/agents/',
      '/api/v1/',
      '/',
    );
    const tails = fc.constantFrom('', '/history', '/related', '/keys', '/stats', '/');
    const methods = fc.constantFrom('GET', 'PATCH', 'POST', 'PUT');
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.json());
    await fc.assert(
      fc.asyncProperty(
        methods,
        paths,
        segment,
        tails,
        text,
        fc.boolean(),
        (method, path, middle, tail, body, admin) =>
          answered({ method, path: `${path}${middle}${tail}`, ...(method === 'GET' ? {} : { body }) }, admin),
      ),
      limits,
    );
  }, 180_000);

  it('leaves the server whole', async () => {
    expect((await acme.get('/health')).body).toMatchObject({ status: 'healthy' });
    const stored = await acme.post('/memory', { content: 'After all that' });
    expect(stored).toMatchObject({ status: 201, body: { indexed: true } });
  });
});
