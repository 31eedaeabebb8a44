import { randomBytes } from 'node:crypto';
import { Description, DescribedCaller } from '../support/described.js';
import { ADMIN_TOKEN, Loci, type TestTenant } from '../support/loci.js';
import { sendRaw } from '../support/raw-request.js';
import { asSuperuser } from '../support/superuser.js';
import { eventually } from '../spaces/rules/projected.js';
import { workspaceKey } from '../isolation/strangers.js';

interface Usage {
  data: { start: string; meters: Record<string, number> }[];
  totals: Record<string, number>;
}

const domain = (): string => `${randomBytes(4).toString('hex')}.example`;
const CURRENT = '/v1/tenants/current';

describe('a tenant', () => {
  let loci: Loci;
  let description: Description;
  let operator: DescribedCaller;
  beforeAll(async () => {
    loci = await Loci.start({ LOCI_RESOLVE_HOSTS: 'true' });
    description = await Description.of(loci);
    operator = new DescribedCaller(() => loci.url, ADMIN_TOKEN, description);
  });
  afterAll(() => loci.stop());

  const described = (token: string): DescribedCaller =>
    new DescribedCaller(() => loci.url, token, description);
  async function acmeOf(order: Record<string, unknown> = {}): Promise<TestTenant & DescribedCaller> {
    const { token, slug, id, workspaceId } = await loci.tenant(order);
    return Object.assign(described(token), { slug, id, workspaceId });
  }
  const put = (caller: DescribedCaller, body: unknown) => caller.call('PUT', CURRENT, body);

  it('is found by its slug, its UUID and its domain', async () => {
    const store = domain();
    const acme = await acmeOf({ domain: store.toUpperCase() });
    for (const ref of [acme.slug, acme.id, acme.id.toUpperCase(), store, store.toUpperCase()]) {
      expect((await operator.get(`/admin/tenants/${ref}`)).body).toMatchObject({
        id: acme.id,
        domain: store,
      });
    }
    expect((await operator.get(`/admin/tenants/${domain()}`)).status).toBe(404);
    expect((await operator.patch(`/admin/tenants/${store}`, { domain: null })).body).toMatchObject({
      domain: null,
    });
    expect((await operator.get(`/admin/tenants/${store}`)).status).toBe(404);
  });

  describe('by its settings', () => {
    it('is changed member by member, by the operator and by itself', async () => {
      const acme = await acmeOf({ settings: { theme: 'dark', widget: { color: 'red', size: 1 } } });
      const first = await operator.patch(`/admin/tenants/${acme.slug}`, {
        settings: { widget: { color: 'blue' }, quotas: { max_memories: 7 } },
      });
      expect(first.body).toMatchObject({
        settings: { theme: 'dark', widget: { color: 'blue', size: 1 }, quotas: { max_memories: 7 } },
        limits: { max_memories: 7 },
      });
      const second = await acme.patch(CURRENT, { settings: { theme: null, widget: { size: null } } });
      expect(second.body['settings']).toEqual({ widget: { color: 'blue' }, quotas: { max_memories: 7 } });
      expect((await acme.get(CURRENT)).body['settings']).toEqual(second.body['settings']);
      const third = await put(acme, { settings: { theme: 'light' } });
      expect(third.body['settings']).toEqual({ theme: 'light', quotas: { max_memories: 7 } });
    });

    it('is refused quotas that are no numbers, and settings that grow beyond 16 KB', async () => {
      const acme = await acmeOf();
      for (const quotas of [7, [], { max_memories: 'many' }, { max_memories: -1 }]) {
        expect((await operator.patch(`/admin/tenants/${acme.slug}`, { settings: { quotas } })).status).toBe(
          400,
        );
      }
      const large = 'x'.repeat(9_000);
      expect((await acme.patch(CURRENT, { settings: { one: large } })).status).toBe(200);
      expect(await acme.patch(CURRENT, { settings: { two: large } })).toMatchObject({
        status: 400,
        body: { errors: [{ location: 'body.settings' }] },
      });
    });
  });

  describe('itself', () => {
    it('changes its name, contact and domain, and shows contact and settings to who manages it alone', async () => {
      const acme = await acmeOf();
      const change = {
        name: 'Acme & Sons',
        contact_email: 'a@acme.example',
        contact_name: 'Ada',
        domain: domain(),
      };
      expect((await acme.patch(CURRENT, change)).body).toMatchObject(change);
      expect((await acme.get(CURRENT)).body).toMatchObject({ ...change, settings: {} });
      const key = described((await workspaceKey(loci, acme, acme.workspaceId)).token);
      const seen = (await key.get(CURRENT)).body;
      expect(seen).toMatchObject({ name: change.name, domain: change.domain });
      for (const field of ['contact_email', 'contact_name', 'settings'])
        expect(seen).not.toHaveProperty(field);
      expect((await key.patch(CURRENT, change)).status).toBe(403);
      expect((await put(key, change)).status).toBe(403);
      expect((await acme.patch(CURRENT, {})).status).toBe(400);
      const other = await acmeOf();
      expect(await other.patch(CURRENT, { domain: change.domain })).toMatchObject({
        status: 409,
        body: { code: 'tenant.conflict' },
      });
    });

    it('does not give itself quotas, features or a plan', async () => {
      const acme = await acmeOf({ plan_tier: 'free' });
      const forbidden = { status: 403, body: { code: 'auth.forbidden' } };
      for (const change of [
        { settings: { quotas: { max_memories: 1e9 } } },
        { settings: { quotas: null } },
        { features: ['custom_agents', 'priority_support'] },
      ]) {
        expect(await acme.patch(CURRENT, change)).toMatchObject(forbidden);
        expect(await put(acme, change)).toMatchObject(forbidden);
      }
      expect((await acme.patch(CURRENT, { plan_tier: 'enterprise' })).status).toBe(400);
      expect((await acme.get(CURRENT)).body).toMatchObject({
        limits: { max_memories: 1_000 },
        features: ['custom_agents'],
      });
    });

    it('puts its changes on record under the key that made them', async () => {
      const acme = await acmeOf();
      await acme.patch(CURRENT, { name: 'Renamed' });
      const { body } = await acme.get<{ data: { actor: string; before?: object; after?: object }[] }>(
        `${CURRENT}/audit?action=tenant.update`,
      );
      expect(body.data).toMatchObject([{ actor: expect.stringMatching(/^key:/) as string }]);
      expect(JSON.stringify(body.data)).toContain('Renamed');
    });
  });

  describe('by its features', () => {
    const featuresOf = async (caller: DescribedCaller): Promise<unknown> =>
      (await caller.get(`${CURRENT}/features`)).body['features'];

    it.each([
      ['free', ['custom_agents']],
      ['starter', ['custom_agents', 'agent_sharing']],
      ['pro', ['custom_agents', 'agent_sharing', 'advanced_analytics']],
      ['enterprise', ['custom_agents', 'agent_sharing', 'advanced_analytics', 'priority_support']],
    ])('has what %s brings, and follows its plan', async (plan_tier, expected) => {
      const acme = await acmeOf({ plan_tier: 'free' });
      expect((await operator.patch(`/admin/tenants/${acme.slug}`, { plan_tier })).body).toMatchObject({
        features: expected,
      });
      expect(await featuresOf(acme)).toEqual(expected);
    });

    it('has exactly those that an operator gives, with any other word, until they follow the plan again', async () => {
      const acme = await acmeOf({ plan_tier: 'free', features: ['custom_agents', 'beta_ui'] });
      expect(await featuresOf(acme)).toEqual(['custom_agents', 'beta_ui']);
      await operator.patch(`/admin/tenants/${acme.slug}`, { features: [] });
      expect(await featuresOf(acme)).toEqual([]);
      await operator.patch(`/admin/tenants/${acme.slug}`, { features: null });
      expect(await featuresOf(acme)).toEqual(['custom_agents']);
    });

    it('turns them off and on itself, until an operator gives others', async () => {
      const acme = await acmeOf({ plan_tier: 'pro' });
      await acme.patch(CURRENT, { features: ['custom_agents'] });
      expect(await featuresOf(acme)).toEqual(['custom_agents']);
      await acme.patch(CURRENT, { features: ['custom_agents', 'advanced_analytics'] });
      expect(await featuresOf(acme)).toEqual(['custom_agents', 'advanced_analytics']);
      await operator.patch(`/admin/tenants/${acme.slug}`, { features: ['agent_sharing'] });
      expect(await featuresOf(acme)).toEqual(['agent_sharing']);
    });
  });

  describe('counts', () => {
    it('what it used, by hour, day and month, for its operator and for itself', async () => {
      const acme = await acmeOf();
      await acme.post('/memory/batch', { memories: [{ content: 'One' }, { content: 'Two' }] });
      await acme.post('/v1/workspaces', { name: 'Docs', slug: 'docs' });
      await acme.post('/memory', { content: 'Three', workspace_id: 'docs' });
      // The operator's own requests count for nobody; a request counts once its answer is out.
      await eventually('three requests are counted', async () => {
        const { body } = await operator.get<Usage>(`/admin/tenants/${acme.slug}/usage`);
        return body.totals['requests'] === 3;
      });
      const hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);
      await asSuperuser(loci, (client) =>
        client.query(
          `INSERT INTO usage_counters (tenant_id, workspace_id, meter, hour, quantity)
           VALUES ($1, $2, 'memories_stored', $3, 5), ($1, $2, 'memories_stored', $4, 7)`,
          [acme.id, acme.workspaceId, new Date('2026-01-31T23:00:00Z'), new Date('2026-02-01T00:00:00Z')],
        ),
      );
      const past = 'from=2026-01-01&to=2026-03-01';
      const starts = async (granularity: string): Promise<[string, number][]> => {
        const { body } = await operator.get<Usage>(
          `/admin/tenants/${acme.slug}/usage?${past.replace('01-01', granularity === 'hour' ? '01-30' : '01-01')}&granularity=${granularity}`,
        );
        return body.data.map(({ start, meters }) => [start, meters['memories_stored'] ?? 0]);
      };
      expect(await starts('month')).toEqual([
        ['2026-01-01T00:00:00.000Z', 5],
        ['2026-02-01T00:00:00.000Z', 7],
      ]);
      expect(await starts('day')).toEqual([
        ['2026-01-31T00:00:00.000Z', 5],
        ['2026-02-01T00:00:00.000Z', 7],
      ]);
      expect(await starts('hour')).toEqual([
        ['2026-01-31T23:00:00.000Z', 5],
        ['2026-02-01T00:00:00.000Z', 7],
      ]);
      const own = await acme.get<Usage>(`${CURRENT}/usage?from=${hour.toISOString()}&granularity=hour`);
      expect(own.body.totals).toMatchObject({ memories_stored: 3 });
      const docs = await acme.get<{ id: string }>('/v1/workspaces/docs');
      const key = described((await workspaceKey(loci, acme, docs.body.id)).token);
      expect((await key.get<Usage>(`${CURRENT}/usage`)).body.totals).toMatchObject({ memories_stored: 1 });
    });

    it.each([
      'from=2026-02-01&to=2026-01-01',
      'granularity=minute',
      'from=soon',
      'from=2020-01-01&granularity=hour',
    ])('nothing for %s', async (query) => {
      const acme = await acmeOf();
      expect((await acme.get(`${CURRENT}/usage?${query}`)).status).toBe(400);
      expect((await operator.get(`/admin/tenants/${acme.slug}/usage?${query}`)).status).toBe(400);
    });

    it('what it holds, for tokens that reach all of it', async () => {
      const acme = await acmeOf();
      await acme.post('/memory', { content: 'Held' });
      expect((await acme.get(`${CURRENT}/stats`)).body).toMatchObject({
        tenant_id: acme.slug,
        memory_count: 1,
        workspace_count: 1,
        agent_count: 1,
      });
      const key = described((await workspaceKey(loci, acme, acme.workspaceId)).token);
      expect((await key.get(`${CURRENT}/stats`)).status).toBe(403);
    });

    it('towards what the installation holds', async () => {
      interface Installation {
        tenants: Record<string, number>;
        workspaces: number;
        agents: number;
        memories: number;
      }
      const read = async (): Promise<Installation> => (await operator.get<Installation>('/admin/stats')).body;
      const before = await read();
      const acme = await acmeOf();
      await acme.post('/memory', { content: 'Counted' });
      const gone = await acmeOf();
      await gone.post('/memory', { content: 'Not counted any more' });
      await operator.delete(`/admin/tenants/${gone.slug}`);
      const after = await read();
      expect(after).toMatchObject({
        tenants: {
          total: (before.tenants['total'] ?? 0) + 2,
          active: (before.tenants['active'] ?? 0) + 1,
          deleted: (before.tenants['deleted'] ?? 0) + 1,
        },
        workspaces: before.workspaces + 1,
        agents: before.agents + 1,
        memories: before.memories + 1,
        documents: 0,
        chunks: 0,
        away: [],
      });
      expect((await acme.get('/admin/stats')).status).toBe(403);
    });
  });

  describe('that is a store', () => {
    const widget = (host: string, headers: Record<string, string> = {}) =>
      sendRaw(loci.url, { path: '/v1/widget', headers: { Host: host, ...headers } });

    it('is known by its host name, without a key, with its public agents and nothing private', async () => {
      const host = domain();
      const store = await acmeOf({
        name: 'Auresta',
        domain: host,
        platform: 'shopify',
        contact_email: 'a@b.example',
      });
      const agents = '/v1/workspaces/default/agents';
      await store.post(agents, {
        name: 'Helper',
        slug: 'helper',
        system_prompt: 'a-secret-prompt',
        description: 'Helps',
      });
      await store.post(agents, { name: 'Hidden', slug: 'hidden', is_public: false });
      await store.post(agents, { name: 'Resting', slug: 'resting', is_active: false });
      await store.post('/v1/workspaces', { name: 'Inner', slug: 'inner' });
      await store.post('/v1/workspaces/inner/agents', { name: 'Inner', slug: 'inner' });
      for (const name of [host, `${host}:8443`, `www.${host}`, host.toUpperCase(), `${host}.`]) {
        const { status, body } = await widget(name);
        expect([name, status]).toEqual([name, 200]);
        expect(body).toMatchObject({
          tenant: { name: 'Auresta', domain: host, platform: 'shopify' },
          agents: [{ slug: 'helper', name: 'Helper', description: 'Helps' }, { slug: 'default' }],
        });
        expect(JSON.stringify(body)).not.toMatch(/a-secret-prompt|hidden|resting|inner|a@b|settings/);
      }
    });

    it('opens nothing else to who has no key', async () => {
      const host = domain();
      await acmeOf({ domain: host, platform: 'shopify' });
      for (const path of [
        '/recall?query=x',
        '/v1/memories',
        '/v1/agents',
        CURRENT,
        '/v1/workspaces/default/agents',
      ]) {
        expect((await sendRaw(loci.url, { path, headers: { Host: host } })).status).toBe(401);
      }
      const posted = await sendRaw(loci.url, { method: 'POST', path: '/v1/widget', headers: { Host: host } });
      expect(posted.status).toBe(405);
    });

    it.each(['no platform', 'suspended', 'deleted', 'unknown', 'forwarded'])(
      'is not found where it is %s',
      async (how) => {
        const host = domain();
        const store = await acmeOf({
          domain: host,
          ...(how === 'no platform' ? {} : { platform: 'shopify' }),
        });
        if (how === 'suspended') await operator.post(`/admin/tenants/${store.slug}/suspend`, {});
        if (how === 'deleted') await operator.delete(`/admin/tenants/${store.slug}`);
        const { status, body } =
          how === 'unknown'
            ? await widget(domain())
            : how === 'forwarded'
              ? await widget(domain(), { 'X-Forwarded-Host': host })
              : await widget(host);
        expect([status, body['code']]).toEqual([404, 'tenant.not_found']);
      },
    );

    it('does not answer a scan over host names, and counts it against no tenant', async () => {
      const host = domain();
      const store = await acmeOf({ domain: host, platform: 'shopify' });
      const statuses: number[] = [];
      for (let i = 0; i < 130; i++) statuses.push((await widget(i === 0 ? host : domain())).status);
      expect(statuses).toContain(429);
      expect((await store.get(CURRENT)).status).toBe(200);
    });

    it('is not known by its host name unless that is turned on', async () => {
      const host = domain();
      await acmeOf({ domain: host, platform: 'shopify' });
      await loci.restart(undefined, { LOCI_RESOLVE_HOSTS: 'false' });
      expect(await widget(host)).toMatchObject({ status: 404, body: { code: 'route.not_found' } });
    });
  });
});
