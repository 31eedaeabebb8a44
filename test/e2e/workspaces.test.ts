import { randomBytes, randomUUID } from 'node:crypto';
import { systemCause } from '../../src/ledger/cause.js';
import { Ledger } from '../../src/ledger/ledger.js';
import { WorkspaceErasure } from '../../src/modules/workspaces/workspace-erasure.service.js';
import { Verification } from '../../src/spaces/verification.js';
import { RequestMeter } from '../../src/tenancy/request-meter.js';
import type { TenantId, WorkspaceId } from '../../src/tenancy/tenant.js';
import { Description, DescribedCaller } from '../support/described.js';
import { ADMIN_TOKEN, Loci, type TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';
import { tenantOf } from '../isolation/two-palaces.js';
import { eventually } from '../spaces/rules/projected.js';
import { workspaceKey } from '../isolation/strangers.js';

interface Workspace {
  id: string;
  organization_id: string;
  slug: string;
  name: string;
  is_default: boolean;
  monthly_requests: number;
  agent_count: number;
}

/** What a route is described to take. */
interface Described {
  parameters?: { name: string; in: string }[];
}

const word = (): string => `w${randomBytes(4).toString('hex')}`;

describe('workspaces', () => {
  let loci: Loci;
  let description: Description;
  let operator: DescribedCaller;
  beforeAll(async () => {
    loci = await Loci.start();
    description = await Description.of(loci);
    operator = new DescribedCaller(() => loci.url, ADMIN_TOKEN, description);
  });
  afterAll(() => loci.stop());

  const described = (token: string): DescribedCaller =>
    new DescribedCaller(() => loci.url, token, description);
  async function acmeOf(order: Record<string, unknown> = {}): Promise<TestTenant & DescribedCaller> {
    const tenant = await loci.tenant(order);
    const { slug, id, workspaceId } = tenant;
    return Object.assign(described(tenant.token), { slug, id, workspaceId });
  }
  async function make(owner: DescribedCaller, slug = word()): Promise<Workspace> {
    const { status, body } = await owner.post<Workspace>('/v1/workspaces', { name: slug, slug });
    expect(status).toBe(201);
    return body;
  }

  it('are made, shown by slug and by UUID, changed, listed and deleted', async () => {
    const acme = await acmeOf();
    const order = { name: 'Support', slug: 'support', description: 'Help', settings: { a: { b: 1, c: 2 } } };
    const made = await acme.post<Workspace>('/v1/workspaces', order);
    expect(made).toMatchObject({
      status: 201,
      body: {
        ...order,
        organization_id: acme.id,
        document_count: 0,
        monthly_requests: 0,
        agent_count: 0,
        is_default: false,
      },
    });
    for (const name of ['support', 'SUPPORT', made.body.id, made.body.id.toUpperCase()]) {
      expect((await acme.get(`/v1/workspaces/${name}`)).body).toMatchObject({ id: made.body.id });
    }
    const change = { name: 'Help desk', slug: 'help', description: null, settings: { a: { b: null }, d: 3 } };
    expect((await acme.patch(`/v1/workspaces/${made.body.id}`, change)).body).toMatchObject({
      name: 'Help desk',
      slug: 'help',
      description: null,
      settings: { a: { c: 2 }, d: 3 },
    });
    expect((await acme.get('/v1/workspaces/support')).status).toBe(404);
    const { body } = await acme.get<{ data: Workspace[] }>('/v1/workspaces');
    expect(body.data.map(({ slug, is_default }) => [slug, is_default])).toEqual([
      ['help', false],
      ['default', true],
    ]);
    expect((await acme.delete('/v1/workspaces/help')).body).toMatchObject({
      status: 'deleted',
      removed: { memories: 0, agents: 0, keys: 0 },
    });
    expect((await acme.get('/v1/workspaces/help')).status).toBe(404);
    expect((await acme.delete('/v1/workspaces/help')).status).toBe(404);
    await make(acme, 'help');
  });

  it('are listed once each over several pages, newest first', async () => {
    const acme = await acmeOf();
    const slugs: string[] = [];
    for (let i = 0; i < 6; i++) slugs.unshift((await make(acme)).slug);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await acme.get<{ data: Workspace[]; next_cursor: string | null }>(
        `/v1/workspaces?limit=2${cursor}`,
      );
      seen.push(...body.data.map(({ slug }) => slug));
      cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
    } while (cursor !== '');
    expect(seen).toEqual([...slugs, 'default']);
  });

  it('have slugs of their own in their tenant, and share them with other tenants', async () => {
    const [acme, other] = [await acmeOf(), await acmeOf()];
    const { id } = await make(acme, 'docs');
    await make(other, 'docs');
    const taken = { status: 409, body: { code: 'workspace.slug_taken' } };
    expect(await acme.post('/v1/workspaces', { name: 'Docs', slug: 'docs' })).toMatchObject(taken);
    expect(await acme.post('/v1/workspaces', { name: 'Docs', slug: 'default' })).toMatchObject(taken);
    expect(await acme.patch(`/v1/workspaces/${id}`, { slug: 'default' })).toMatchObject(taken);
    for (const slug of [randomUUID(), 'Docs', 'a b', '-a', 'a'.repeat(49), '']) {
      expect(await acme.post('/v1/workspaces', { name: 'Docs', slug })).toMatchObject({
        status: 400,
        body: { errors: [{ location: 'body.slug' }] },
      });
    }
  });

  it('are made once where the same Idempotency-Key comes twice', async () => {
    const acme = await acmeOf();
    const key = { 'Idempotency-Key': randomUUID() };
    const order = { name: 'Once', slug: 'once' };
    const first = await acme.post<Workspace>('/v1/workspaces', order, key);
    const second = await acme.post<Workspace>('/v1/workspaces', order, key);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(second.body).toEqual(first.body);
  });

  describe('are as many as the plan allows', () => {
    it('not counting the default one: 1 with free, 3 with starter', async () => {
      for (const [plan_tier, limit] of [
        ['free', 1],
        ['starter', 3],
      ] as const) {
        const acme = await acmeOf({ plan_tier });
        for (let i = 0; i < limit; i++) await make(acme);
        expect(await acme.post('/v1/workspaces', { name: 'Beyond', slug: word() })).toMatchObject({
          status: 403,
          body: { code: 'quota.exceeded', quota: 'max_workspaces', limit, used: limit },
        });
      }
    });

    it('also where twenty are asked for at once, and again after one was deleted', async () => {
      const acme = await acmeOf({ plan_tier: 'starter' });
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => acme.post('/v1/workspaces', { name: 'Racing', slug: word() })),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
      expect(answers.filter(({ status }) => status === 403)).toHaveLength(17);
      const { slug } = answers.find(({ status }) => status === 201)?.body ?? {};
      await acme.delete(`/v1/workspaces/${String(slug)}`);
      await make(acme);
    });

    it('or as the tenant’s own quota says', async () => {
      const acme = await acmeOf({ plan_tier: 'free', settings: { quotas: { max_workspaces: 2 } } });
      await make(acme);
      await make(acme);
      expect((await acme.post('/v1/workspaces', { name: 'Third', slug: word() })).status).toBe(403);
    });
  });

  it('are named in the query as well where a request has a body, and by nothing else there', async () => {
    const acme = await acmeOf();
    const globex = await acmeOf();
    const { id } = await make(acme, 'aside');
    const store = (query: string, body: object = {}) =>
      acme.post<{ memory_id: string; workspace_id: string }>(`/memory?${query}`, {
        content: word(),
        ...body,
      });
    for (const query of ['workspace_id=aside', 'project=aside', `workspace_id=${id}&project=aside`]) {
      expect(await store(query)).toMatchObject({ status: 201, body: { workspace_id: id } });
    }
    const { memory_id: memory } = (await store('workspace_id=aside', { workspace_id: id })).body;
    const batch = { memories: [{ content: 'One of a batch' }] };
    expect((await acme.post('/memory/batch?workspace_id=aside', batch)).body).toMatchObject({
      workspace_id: id,
    });
    const edit = { importance: 0.9 };
    expect((await acme.patch(`/memory/${memory}`, edit)).status).toBe(404);
    expect((await acme.patch(`/memory/${memory}?workspace_id=aside`, edit)).status).toBe(200);
    expect((await acme.post('/recall', {})).body).toMatchObject({ count: 0 });
    expect((await acme.post('/recall?workspace_id=aside', {})).body).toMatchObject({ count: 5 });
    for (const [query, body] of [
      [`workspace_id=${globex.workspaceId}`, {}],
      ['workspace_id=nowhere', {}],
      ['workspace_id=aside', { workspace_id: 'default' }],
      ['workspace_id=aside&project=default', {}],
    ] as const) {
      expect([query, (await store(query, body)).body]).toMatchObject([
        query,
        { code: 'workspace.not_found' },
      ]);
    }
    const unknown = await store('workspace=aside');
    expect(unknown.body).toMatchObject({
      code: 'request.invalid',
      errors: [{ location: 'query.workspace' }],
    });
    expect((await acme.post('/recall', {})).body).toMatchObject({ count: 0 });
  });

  it('are described wherever a request may name one', async () => {
    const { body } = await loci.operator.get<{ paths: Record<string, Record<string, Described>> }>(
      '/openapi.json',
    );
    const named = Object.entries(body.paths)
      .flatMap(([path, methods]) => Object.entries(methods).map(([method, each]) => ({ path, method, each })))
      .filter(({ each: { parameters = [] } }) => parameters.some(({ name }) => name === 'X-Workspace-ID'));
    expect(named.length).toBeGreaterThan(40);
    for (const { path, method, each } of named) {
      const names = (each.parameters ?? []).flatMap(({ in: place, name }) => (place === 'query' ? name : []));
      expect([path, method, names]).toEqual([
        path,
        method,
        expect.arrayContaining(['workspace_id', 'project']),
      ]);
      expect(new Set(names).size).toBe(names.length);
    }
    const posts = Object.entries(body.paths['/memory'] ?? {}).find(([method]) => method === 'post');
    expect(posts?.[1].parameters?.map(({ name }) => name)).toContain('Idempotency-Key');
  });

  it('count the requests of the month, whichever way a request named them', async () => {
    const acme = await acmeOf();
    const { id } = await make(acme, 'busy');
    const key = await workspaceKey(loci, acme, id);
    await key.get('/v1/tenants/current');
    await acme.get('/v1/memories?workspace_id=busy');
    await acme.get('/v1/memories', { 'X-Workspace-ID': id });
    await acme.get('/v1/workspaces/busy');
    await acme.get('/v1/memories');
    // The operator's own requests count for nobody.
    const requests = async (): Promise<number> =>
      (await operator.get<Workspace>(`/v1/workspaces/${id}`)).body.monthly_requests;
    // A request is counted once its answer is out, which is a moment after it is read here.
    await eventually('four requests are counted', async () => (await requests()) === 4);
    await loci.server.app.get(RequestMeter).flush();
    expect(await requests()).toBe(4);
    await asSuperuser(loci, async (client) => {
      const { rows } = await client.query(
        `SELECT sum(quantity)::int AS n FROM usage_counters WHERE workspace_id = $1 AND meter = 'requests'`,
        [id],
      );
      expect(rows).toEqual([{ n: 4 }]);
      await client.query(
        `UPDATE usage_counters SET hour = hour - interval '32 days' WHERE workspace_id = $1`,
        [id],
      );
    });
    expect(await requests()).toBe(0);
  });

  describe('are shown', () => {
    it('to a key of one workspace: its own, and no sibling', async () => {
      const acme = await acmeOf();
      const mine = await make(acme, 'mine');
      const sibling = await make(acme, 'sibling');
      const key = described((await workspaceKey(loci, acme, mine.id)).token);
      const { body } = await key.get<{ data: Workspace[] }>('/v1/workspaces');
      expect(body.data.map(({ slug }) => slug)).toEqual(['mine']);
      expect((await key.get('/v1/workspaces/mine')).status).toBe(200);
      for (const name of ['sibling', sibling.id, 'default', acme.workspaceId]) {
        expect((await key.get(`/v1/workspaces/${name}`)).status).toBe(404);
      }
    });

    it('and changed by nobody without `manage`', async () => {
      const acme = await acmeOf();
      const mine = await make(acme, 'mine');
      const key = described((await workspaceKey(loci, acme, mine.id)).token);
      const refused = { status: 403, body: { code: 'auth.forbidden' } };
      expect(await key.post('/v1/workspaces', { name: 'X', slug: 'x' })).toMatchObject(refused);
      expect(await key.patch('/v1/workspaces/mine', { name: 'X' })).toMatchObject(refused);
      expect(await key.delete('/v1/workspaces/mine')).toMatchObject(refused);
    });

    it('to the operator, who names the tenant or the UUID, and whose changes are on the tenant’s record', async () => {
      const acme = await acmeOf();
      const of = { 'X-Tenant-ID': acme.slug };
      const unnamed = { status: 400, body: { code: 'tenant.not_named' } };
      expect(await operator.get('/v1/workspaces')).toMatchObject(unnamed);
      expect(await operator.post('/v1/workspaces', { name: 'X', slug: 'x' })).toMatchObject(unnamed);
      expect(await operator.get('/v1/workspaces', { 'X-Tenant-ID': 'nobody' })).toMatchObject({
        status: 404,
        body: { code: 'tenant.not_found' },
      });
      const made = await operator.post<Workspace>('/v1/workspaces', { name: 'X', slug: 'x' }, of);
      expect(made).toMatchObject({ status: 201, body: { organization_id: acme.id } });
      expect((await operator.get(`/v1/workspaces/${made.body.id}`)).body).toMatchObject({ slug: 'x' });
      expect((await operator.get('/v1/workspaces/x', of)).body).toMatchObject({ id: made.body.id });
      expect((await operator.get('/v1/workspaces/x')).status).toBe(404);
      expect((await operator.patch(`/v1/workspaces/${made.body.id}`, { name: 'Y' })).status).toBe(200);
      expect((await operator.delete(`/v1/workspaces/${made.body.id}`)).status).toBe(200);
      const actions = await recordOf(acme.id);
      expect(actions).toEqual([
        'operator workspace.create',
        'operator workspace.update',
        'operator workspace.delete',
      ]);
    });
  });

  describe('when deleted', () => {
    it('take memories, relations, agents and keys with them, out of every projection too', async () => {
      const acme = await acmeOf();
      const kept = await acme.post<{ memory_id: string }>('/memory', { content: 'The default keeps this' });
      const { id } = await make(acme, 'doomed');
      const key = await workspaceKey(loci, acme, id);
      const { body } = await key.post<{ memory_ids: [string, string] }>('/memory/batch', {
        memories: Array.from({ length: 30 }, (_, i) => ({ content: `Doomed ${i}`, session_id: 's' })),
      });
      const [memory1_id, memory2_id] = body.memory_ids;
      await key.post('/associate', { memory1_id, memory2_id, type: 'LEADS_TO' });
      expect((await acme.delete('/v1/workspaces/doomed')).body).toEqual({
        id,
        slug: 'doomed',
        status: 'deleted',
        removed: { memories: 30, agents: 0, keys: 1 },
      });
      expect((await key.get('/v1/tenants/current')).status).toBe(401);
      expect((await acme.get('/recall?query=doomed&workspace_id=doomed')).status).toBe(404);
      await asSuperuser(loci, async (client) => {
        for (const table of [
          'memories',
          'embeddings',
          'memory_history',
          'relations',
          'memory_stats',
          'agents',
          'api_keys',
        ]) {
          const { rows } = await client.query(
            `SELECT count(*)::int AS n FROM ${table} WHERE workspace_id = $1`,
            [id],
          );
          expect([table, rows]).toEqual([table, [{ n: 0 }]]);
        }
        const { rows } = await client.query(
          `SELECT kind, count(*)::int AS n FROM changes WHERE workspace_id = $1 AND gone GROUP BY 1 ORDER BY 1`,
          [id],
        );
        expect(rows).toEqual([
          { kind: 'memory', n: 30 },
          { kind: 'relation', n: 1 },
        ]);
      });
      const stats = await operator.get(`/admin/tenants/${acme.slug}/stats`);
      expect(stats.body).toMatchObject({
        memory_count: 1,
        vector_points: 1,
        graph_nodes: 1,
        graph_relationships: 0,
        workspace_count: 1,
      });
      const { vectors, graph } = await loci.server.app.get(Verification).verify(await tenantOf(loci, acme));
      expect([vectors.equal, graph.equal]).toEqual([true, true]);
      expect((await acme.get(`/memory/${kept.body.memory_id}`)).status).toBe(200);
    });

    it('are no default workspace: that one stays', async () => {
      const acme = await acmeOf();
      expect(await acme.delete('/v1/workspaces/default')).toMatchObject({
        status: 422,
        body: { code: 'workspace.is_default' },
      });
      expect((await acme.post('/memory', { content: 'Still here' })).status).toBe(201);
    });

    it('are finished by another process where the first one died half-way', async () => {
      const acme = await acmeOf();
      const { id } = await make(acme, 'halfway');
      await acme.post('/memory', { content: 'Left behind', workspace_id: 'halfway' });
      await asSuperuser(loci, (client) =>
        client.query(`UPDATE workspaces SET deleted_at = now() - interval '1 hour' WHERE id = $1`, [id]),
      );
      expect((await acme.get('/v1/workspaces/halfway')).status).toBe(404);
      expect((await operator.get(`/v1/workspaces/${id}`)).status).toBe(404);
      await loci.server.app.get(WorkspaceErasure).finishInterrupted();
      const { body } = await operator.get(`/admin/tenants/${acme.slug}/stats`);
      expect(body).toMatchObject({ memory_count: 0, workspace_count: 1, vector_points: 0 });
    });

    it('let nothing in that was on its way: such a write is told that there is no such workspace', async () => {
      const acme = await acmeOf();
      const { id } = await make(acme, 'gone');
      await acme.delete('/v1/workspaces/gone');
      const late = loci.server.app
        .get(Ledger)
        .write(await tenantOf(loci, acme), id as WorkspaceId, systemCause('late'), (tx) =>
          tx.rows(
            `INSERT INTO agents (tenant_id, workspace_id, id, slug, name) VALUES ($1, $2, $3, 'late', 'Late')`,
            [acme.id as TenantId, id, randomUUID()],
          ),
        );
      await expect(late).rejects.toMatchObject({ code: 'workspace.not_found' });
    });

    it('answer no writer with a fault of ours while they go', async () => {
      const acme = await acmeOf();
      for (let round = 0; round < 5; round++) {
        await make(acme, `race-${round}`);
        const store = () => acme.post('/memory', { content: word(), workspace_id: `race-${round}` });
        const [first, ...rest] = [
          store(),
          store(),
          acme.delete(`/v1/workspaces/race-${round}`),
          store(),
          store(),
        ];
        const statuses = (await Promise.all([first, ...rest])).map((reply) => reply?.status);
        expect(statuses.filter((status) => ![200, 201, 404].includes(status ?? 0))).toEqual([]);
      }
      const { body } = await operator.get(`/admin/tenants/${acme.slug}/stats`);
      expect(body).toMatchObject({ memory_count: 0, workspace_count: 1 });
    });
  });

  it('have answered every operation as it is described', () => {
    const operations = description
      .operations()
      .filter((name) => /^\w+ \/v1\/workspaces(?:\/\{workspace\})?$/.test(name));
    expect(operations).toHaveLength(5);
    expect(description.unseen(operations)).toEqual([]);
  });

  async function recordOf(tenant: string): Promise<string[]> {
    return asSuperuser(loci, async (client) => {
      const { rows } = await client.query<{ line: string }>(
        `SELECT actor || ' ' || action AS line FROM audit_records
         WHERE tenant_id = $1 AND action LIKE 'workspace.%' ORDER BY id`,
        [tenant],
      );
      return rows.map(({ line }) => line);
    });
  }
});
