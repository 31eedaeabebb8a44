import { randomBytes, randomUUID } from 'node:crypto';
import { Description, DescribedCaller } from '../support/described.js';
import { ADMIN_TOKEN, Loci } from '../support/loci.js';

interface Provisioned {
  id: string;
  tenant_id: string;
  api_key?: { id: string; key: string; key_prefix: string };
}

const slug = (): string => `op-${randomBytes(4).toString('hex')}`;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe('operators', () => {
  let loci: Loci;
  let operator: DescribedCaller;
  let description: Description;
  beforeAll(async () => {
    loci = await Loci.start();
    description = await Description.of(loci);
    operator = new DescribedCaller(() => loci.url, ADMIN_TOKEN, description);
  });
  afterAll(() => loci.stop());

  const as = (key: string | undefined): DescribedCaller =>
    new DescribedCaller(() => loci.url, key ?? '', description);
  const provision = (order: Record<string, unknown>) => operator.post<Provisioned>('/admin/tenants', order);

  describe('who provision a tenant', () => {
    it('get a tenant with workspace, agent and a key that does everything', async () => {
      const order = {
        tenant_id: slug(),
        name: 'Acme',
        plan_tier: 'pro',
        contact_email: 'a@acme.example',
        domain: `${slug()}.example`,
        features: ['chat'],
        settings: { theme: 'dark' },
        metadata: { crm: 7 },
        api_credentials: { token: 'never shown' },
      };
      const { status, body } = await provision(order);
      expect(status).toBe(201);
      expect(body).toMatchObject({
        id: expect.stringMatching(UUID) as string,
        tenant_id: order.tenant_id,
        name: 'Acme',
        plan_tier: 'pro',
        state: 'active',
        is_active: true,
        placement: 'shared',
        namespace: `memories_${order.tenant_id}`,
        workspace_id: expect.stringMatching(UUID) as string,
        agent_id: expect.stringMatching(UUID) as string,
        domain: order.domain,
        features: ['chat'],
        settings: { theme: 'dark' },
        metadata: { crm: 7 },
      });
      expect(JSON.stringify(body)).not.toContain('never shown');
      expect(body.api_key?.key).toMatch(/^loci_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
      const me = await as(body.api_key?.key).get<{ scopes: string[] }>('/v1/tenants/current');
      expect(me.body).toMatchObject({ tenant_id: order.tenant_id, plan_tier: 'pro' });
      expect(me.body.scopes).toEqual(['memory:read', 'memory:write', 'search', 'chat', 'ingest', 'manage']);
    });

    it('get the same tenant again for the same body, without its key', async () => {
      const order = { tenant_id: slug(), name: 'Twice' };
      const first = await provision(order);
      const second = await provision({ name: 'Twice', tenant_id: order.tenant_id });
      expect(second.status).toBe(200);
      expect(second.body.id).toBe(first.body.id);
      expect(second.body.api_key).toBeUndefined();
      expect(await provision({ ...order, name: 'Otherwise' })).toMatchObject({
        status: 409,
        body: { code: 'tenant.slug_taken' },
      });
    });

    it('make one tenant where the same order comes ten times at once', async () => {
      const order = { tenant_id: slug() };
      const replies = await Promise.all(Array.from({ length: 10 }, () => provision(order)));
      expect(replies.map(({ status }) => status).sort()).toEqual([...Array<number>(9).fill(200), 201]);
      expect(new Set(replies.map(({ body }) => body.id)).size).toBe(1);
    });

    it('replay an Idempotency-Key without the secret', async () => {
      const [order, key] = [{ tenant_id: slug() }, { 'Idempotency-Key': randomUUID() }];
      const first = await operator.post<Provisioned>('/admin/tenants', order, key);
      const second = await operator.post<Provisioned>('/admin/tenants', order, key);
      expect(second.status).toBe(201);
      expect(second.headers.get('idempotency-replayed')).toBe('true');
      expect(second.body.api_key).toEqual({
        id: first.body.api_key?.id,
        key_prefix: first.body.api_key?.key_prefix,
      });
      const other = await operator.post('/admin/tenants', { tenant_id: slug() }, key);
      expect(other).toMatchObject({ status: 409, body: { code: 'idempotency.conflict' } });
    });

    it('are refused a deleted tenant’s slug, an id, a domain or a token that is in use', async () => {
      const order = {
        tenant_id: slug(),
        id: randomUUID(),
        domain: `${slug()}.example`,
        api_token: `token-${slug()}`,
      };
      expect((await provision(order)).status).toBe(201);
      const conflict = { status: 409, body: { code: 'tenant.conflict' } };
      expect(await provision({ tenant_id: slug(), id: order.id })).toMatchObject(conflict);
      expect(await provision({ tenant_id: slug(), domain: order.domain.toUpperCase() })).toMatchObject(
        conflict,
      );
      expect(await provision({ tenant_id: slug(), api_token: order.api_token })).toMatchObject({
        status: 409,
        body: { code: 'key.in_use' },
      });
      expect(await provision({ tenant_id: slug(), api_token: ADMIN_TOKEN })).toMatchObject({
        status: 409,
        body: { code: 'key.in_use' },
      });
      await operator.delete(`/admin/tenants/${order.tenant_id}`);
      expect(await provision(order)).toMatchObject({ status: 409, body: { code: 'tenant.deleted' } });
    });

    it('bring a token along that becomes the key', async () => {
      const api_token = `brought-${slug()}`;
      const { body } = await provision({ tenant_id: slug(), api_token });
      expect(body.api_key).toMatchObject({ key: api_token });
      expect((await as(api_token).get('/v1/tenants/current')).body).toMatchObject({
        tenant_id: body.tenant_id,
      });
      expect(await provision({ tenant_id: slug(), api_token: 'seven77' })).toMatchObject({
        status: 400,
        body: { errors: [{ location: 'body.api_token' }] },
      });
    });

    it('may leave the slug to the name, and the plan to the installation', async () => {
      const unique = randomBytes(3).toString('hex');
      const { status, body } = await provision({ name: `Café Zürich & Söhne ${unique}!` });
      expect(status).toBe(201);
      expect(body).toMatchObject({ tenant_id: `cafe-zurich-sohne-${unique}`, plan_tier: 'enterprise' });
      expect(await provision({ name: '北京' })).toMatchObject({ status: 400 });
      expect(await provision({})).toMatchObject({
        status: 400,
        body: { errors: [{ location: 'body.tenant_id' }] },
      });
    });

    it.each([
      ['a UUID', randomUUID()],
      ['upper case', 'Acme'],
      ['a dot', 'a.b'],
      ['a slash', 'a/b'],
      ['a hyphen at the end', 'acme-'],
      ['49 letters', 'a'.repeat(49)],
      ['a letter of another script', 'аcme'],
    ])('are refused a slug with %s', async (_name, tenant_id) => {
      expect(await provision({ tenant_id })).toMatchObject({
        status: 400,
        body: { code: 'request.invalid', errors: [{ location: 'body.tenant_id' }] },
      });
    });
  });

  describe('who list tenants', () => {
    it('see all of them once, newest first, over several pages', async () => {
      for (let i = 0; i < 5; i++) await provision({ tenant_id: slug() });
      const seen: { tenant_id: string; created_at: string }[] = [];
      let cursor: string | null = null;
      let pages = 0;
      do {
        const path: string = `/admin/tenants?limit=3${cursor === null ? '' : `&cursor=${cursor}`}`;
        const { body } = await operator.get<{ data: typeof seen; next_cursor: string | null }>(path);
        expect(body.data.length).toBeLessThanOrEqual(3);
        seen.push(...body.data);
        cursor = body.next_cursor;
        pages++;
      } while (cursor !== null);
      expect(pages).toBeGreaterThan(2);
      expect(new Set(seen.map(({ tenant_id }) => tenant_id)).size).toBe(seen.length);
      const times = seen.map(({ created_at }) => created_at);
      expect(times).toEqual([...times].sort().reverse());
      const whole = await operator.get<{ data: unknown[]; next_cursor: null }>('/admin/tenants?limit=1000');
      expect(whole.body.data).toHaveLength(seen.length);
      expect(whole.body.next_cursor).toBeNull();
    });

    it('see counts and states where they ask for them', async () => {
      const { body } = await provision({ tenant_id: slug() });
      await as(body.api_key?.key).post('/memory', { content: 'Counted' });
      await operator.post(`/admin/tenants/${body.tenant_id}/suspend`, { reason: 'test' });
      const list = await operator.get<{
        data: { tenant_id: string; state: string; stats?: { memory_count: number } }[];
      }>('/admin/tenants?include_stats=true&state=suspended&limit=1000');
      expect(list.body.data.every(({ state }) => state === 'suspended')).toBe(true);
      expect(list.body.data.find(({ tenant_id }) => tenant_id === body.tenant_id)?.stats).toMatchObject({
        memory_count: 1,
        workspace_count: 1,
        agent_count: 1,
      });
      const plain = await operator.get<{ data: { stats?: unknown }[] }>('/admin/tenants');
      expect(plain.body.data.every(({ stats }) => stats === undefined)).toBe(true);
    });
  });

  describe('who change a tenant', () => {
    it('name it by slug or UUID, and change only what they name', async () => {
      const { body: made } = await provision({
        tenant_id: slug(),
        name: 'Before',
        settings: { a: 1, b: { c: 2, d: 3 } },
      });
      for (const ref of [made.tenant_id, made.id, made.id.toUpperCase()])
        expect((await operator.get(`/admin/tenants/${ref}`)).body).toMatchObject({
          id: made.id,
          name: 'Before',
        });
      const { status, body } = await operator.patch(`/admin/tenants/${made.id}`, {
        name: 'After',
        plan: 'starter',
        settings: { b: { c: null }, quotas: { max_memories: 2 } },
      });
      expect(status).toBe(200);
      expect(body).toMatchObject({
        tenant_id: made.tenant_id,
        name: 'After',
        plan_tier: 'starter',
        settings: { a: 1, b: { d: 3 }, quotas: { max_memories: 2 } },
        limits: { max_memories: 2, requests_per_minute: 300 },
      });
      const tenant = as(made.api_key?.key);
      for (const content of ['one', 'two'])
        expect((await tenant.post('/memory', { content })).status).toBe(201);
      expect(await tenant.post('/memory', { content: 'three' })).toMatchObject({
        status: 403,
        body: { code: 'quota.exceeded', quota: 'max_memories', limit: 2, used: 2 },
      });
    });

    it.each([
      ['the slug', { tenant_id: 'other' }],
      ['the id', { id: randomUUID() }],
      ['a plan that is none', { plan_tier: 'gold' }],
      ['two plans', { plan_tier: 'pro', plan: 'free' }],
      ['a quota that is no number', { settings: { quotas: { max_memories: 'many' } } }],
      ['an e-mail that is none', { contact_email: 'nobody' }],
      ['a domain that is none', { domain: 'http://x' }],
    ])('cannot change %s', async (_name, change) => {
      const { body } = await provision({ tenant_id: slug() });
      expect(await operator.patch(`/admin/tenants/${body.id}`, change)).toMatchObject({
        status: 400,
        body: { code: 'request.invalid' },
      });
    });

    it('are told of a tenant that is not there', async () => {
      for (const ref of ['never-was', randomUUID()]) {
        const missing = { status: 404, body: { code: 'tenant.not_found' } };
        expect(await operator.get(`/admin/tenants/${ref}`)).toMatchObject(missing);
        expect(await operator.patch(`/admin/tenants/${ref}`, { name: 'x' })).toMatchObject(missing);
        expect(await operator.delete(`/admin/tenants/${ref}?purge=true`)).toMatchObject(missing);
        expect(await operator.get(`/admin/tenants/${ref}/stats`)).toMatchObject(missing);
        expect(await operator.get(`/admin/tenants/${ref}/keys`)).toMatchObject(missing);
        for (const move of ['suspend', 'resume', 'restore'])
          expect(await operator.post(`/admin/tenants/${ref}/${move}`)).toMatchObject(missing);
      }
    });
  });

  describe('who end a tenant', () => {
    it('suspend and resume it, and nothing is lost', async () => {
      const { body } = await provision({ tenant_id: slug() });
      const tenant = as(body.api_key?.key);
      const { body: stored } = await tenant.post<{ memory_id: string }>('/memory', { content: 'Kept' });
      expect(
        (await operator.post(`/admin/tenants/${body.id}/suspend`, { reason: 'unpaid' })).body,
      ).toMatchObject({
        state: 'suspended',
        is_active: false,
        suspended_reason: 'unpaid',
      });
      expect(await tenant.get(`/memory/${stored.memory_id}`)).toMatchObject({
        status: 403,
        body: { code: 'tenant.suspended' },
      });
      expect((await operator.post(`/admin/tenants/${body.id}/suspend`)).status).toBe(200);
      expect(await operator.post(`/admin/tenants/${body.id}/restore`)).toMatchObject({
        status: 409,
        body: { code: 'tenant.invalid_transition' },
      });
      expect((await operator.post(`/admin/tenants/${body.id}/resume`)).body).toMatchObject({
        state: 'active',
        suspended_reason: null,
      });
      expect((await tenant.get(`/memory/${stored.memory_id}`)).status).toBe(200);
    });

    it('delete and restore it, with its memories and their recall', async () => {
      const { body } = await provision({ tenant_id: slug() });
      const tenant = as(body.api_key?.key);
      await tenant.post('/memory', { content: 'The lighthouse keeper hums.' });
      expect((await operator.delete(`/admin/tenants/${body.tenant_id}`)).body).toMatchObject({
        state: 'deleted',
        restorable_until: expect.any(String) as string,
      });
      expect((await tenant.get('/recall?query=lighthouse')).status).toBe(401);
      expect((await operator.get(`/admin/tenants/${body.id}`)).body).toMatchObject({ state: 'deleted' });
      expect((await operator.post(`/admin/tenants/${body.id}/keys`)).body).toMatchObject({
        code: 'tenant.deleted',
      });
      expect((await operator.post(`/admin/tenants/${body.id}/resume`)).status).toBe(409);
      expect((await operator.post(`/admin/tenants/${body.id}/restore`)).body).toMatchObject({
        state: 'active',
      });
      expect((await tenant.get('/recall?query=lighthouse')).body).toMatchObject({ count: 1 });
    });

    it('purge it with a receipt, and its slug is free again for another with nothing of the first', async () => {
      const order = { tenant_id: slug() };
      const { body } = await provision(order);
      const tenant = as(body.api_key?.key);
      const memories = Array.from({ length: 5 }, (_, i) => ({ content: `Erased ${i}` }));
      const stored = await tenant.post<{ memory_ids: string[] }>('/memory/batch', { memories });
      const [one, two] = stored.body.memory_ids;
      await tenant.post('/associate', { memory1_id: one, memory2_id: two, type: 'RELATES_TO' });
      const receipt = await operator.delete<{ stores: { ledger: Record<string, { remaining: number }> } }>(
        `/admin/tenants/${body.id}?purge=true`,
      );
      expect(receipt.body).toMatchObject({
        state: 'purged',
        verified: true,
        stores: {
          ledger: {
            memories: { removed: 5, remaining: 0 },
            relations: { removed: 1, remaining: 0 },
            embeddings: { remaining: 0 },
            api_keys: { removed: 1, remaining: 0 },
          },
          vectors: { removed: 5, remaining: 0 },
          graph: { removed: 6, remaining: 0 },
        },
      });
      expect(Object.values(receipt.body.stores.ledger).every(({ remaining }) => remaining === 0)).toBe(true);
      expect((await tenant.get('/v1/tenants/current')).status).toBe(401);
      expect((await operator.get(`/admin/tenants/${body.id}`)).status).toBe(404);
      const again = await provision(order);
      expect(again.status).toBe(201);
      expect((await as(again.body.api_key?.key).get('/recall?query=erased')).body).toMatchObject({
        count: 0,
      });
      expect((await as(again.body.api_key?.key).get(`/memory/${one}`)).status).toBe(404);
    });
  });

  describe('who manage a tenant’s keys', () => {
    interface Key {
      id: string;
      key: string;
      scopes: string[];
    }
    const newKey = (ref: string, order: Record<string, unknown> = {}) =>
      operator.post<Key>(`/admin/tenants/${ref}/keys`, order);

    it('give each its scopes, and no more', async () => {
      const { body: tenant } = await provision({ tenant_id: slug() });
      const { body: stored } = await as(tenant.api_key?.key).post('/memory', { content: 'Scoped' });
      const reader = as((await newKey(tenant.id, { scopes: ['memory:read'] })).body.key);
      const writer = as((await newKey(tenant.id, { scopes: ['memory:write'] })).body.key);
      const both = as((await newKey(tenant.id, { scopes: ['memory'] })).body.key);
      const neither = as((await newKey(tenant.id, { scopes: ['search', 'chat'] })).body.key);
      const read = `/memory/${String(stored['memory_id'])}`;
      const status = async (caller: DescribedCaller): Promise<number[]> => [
        (await caller.get(read)).status,
        (await caller.get('/recall?query=scoped')).status,
        (await caller.post('/memory', { content: randomUUID() })).status,
        (await caller.call('DELETE', '/memory/by-tag?tags=none')).status,
      ];
      expect(await status(reader)).toEqual([200, 200, 403, 403]);
      expect(await status(writer)).toEqual([403, 403, 201, 200]);
      expect(await status(both)).toEqual([200, 200, 201, 200]);
      expect(await status(neither)).toEqual([403, 403, 403, 403]);
      expect((await neither.post('/memory', { content: 'x' })).body).toMatchObject({
        code: 'auth.forbidden',
      });
    });

    it('give a viewer’s key no more than a viewer may', async () => {
      const { body: tenant } = await provision({ tenant_id: slug() });
      const viewer = await newKey(tenant.id, { role: 'tenant_viewer' });
      const me = await as(viewer.body.key).get<{ scopes: string[] }>('/v1/tenants/current');
      expect(me.body.scopes).toEqual(['memory:read', 'search']);
      const user = await newKey(tenant.id, { role: 'tenant_user' });
      expect(user.body.scopes).toEqual(['memory:read', 'memory:write', 'search', 'chat', 'ingest']);
      expect(await newKey(tenant.id, { role: 'tenant_viewer', scopes: ['memory'] })).toMatchObject({
        status: 400,
        body: { errors: [{ location: 'body.scopes' }] },
      });
    });

    it('bind a key to one workspace, where it cannot manage', async () => {
      const { body: tenant } = await provision({ tenant_id: slug() });
      const ws = (await operator.get<{ workspace_id: string }>(`/admin/tenants/${tenant.id}`)).body
        .workspace_id;
      const bound = await newKey(tenant.id, { workspace_id: ws });
      expect(bound).toMatchObject({ status: 201, body: { workspace_id: ws } });
      expect(bound.body.scopes).not.toContain('manage');
      expect(await newKey(tenant.id, { workspace_id: ws, scopes: ['manage'] })).toMatchObject({
        status: 400,
      });
      expect(await newKey(tenant.id, { workspace_id: randomUUID() })).toMatchObject({
        status: 404,
        body: { code: 'workspace.not_found' },
      });
    });

    it('let a key expire by itself', async () => {
      const { body: tenant } = await provision({ tenant_id: slug() });
      const expires_at = new Date(Date.now() + 1_500).toISOString();
      const { body: key } = await newKey(tenant.id, { expires_at });
      expect((await as(key.key).get('/v1/tenants/current')).status).toBe(200);
      let status = 200;
      while (status === 200 && Date.now() < Date.parse(expires_at) + 2_000)
        status = (await as(key.key).get('/v1/tenants/current')).status;
      expect(status).toBe(401);
      expect(Date.now() - Date.parse(expires_at)).toBeLessThan(1_000);
      expect(await newKey(tenant.id, { expires_at: '2020-01-01' })).toMatchObject({ status: 400 });
    });

    it('list keys without showing any, and revoke them one by one', async () => {
      const { body: tenant } = await provision({ tenant_id: slug() });
      const { body: key } = await newKey(tenant.id, {
        name: 'CI',
        environment: 'test',
        rate_limit_per_minute: 5,
      });
      expect(key.key).toMatch(/^loci_test_/);
      const limited = await as(key.key).get('/v1/tenants/current');
      expect(limited.headers.get('ratelimit-policy')).toContain('q=5');
      for (let i = 0; i < 4; i++) await as(key.key).get('/v1/tenants/current');
      const refused = await as(key.key).get('/v1/tenants/current');
      expect(refused).toMatchObject({ status: 429, body: { code: 'rate.limited' } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      const list = await operator.get<{ data: Record<string, unknown>[] }>(
        `/admin/tenants/${tenant.id}/keys`,
      );
      expect(list.body.data.map((each) => each['name'])).toEqual(['CI', 'Default']);
      expect(JSON.stringify(list.body)).not.toContain(key.key);
      expect(list.body.data.every((each) => !('key' in each))).toBe(true);
      expect((await operator.delete(`/admin/tenants/${tenant.id}/keys/${key.id}`)).body).toEqual({
        id: key.id,
        is_active: false,
      });
      expect((await as(key.key).get('/v1/tenants/current')).status).toBe(401);
      const { body: other } = await provision({ tenant_id: slug() });
      const missing = { status: 404, body: { code: 'key.not_found' } };
      expect(
        await operator.delete(`/admin/tenants/${other.id}/keys/${tenant.api_key?.id ?? ''}`),
      ).toMatchObject(missing);
      expect(await operator.delete(`/admin/tenants/${tenant.id}/keys/${randomUUID()}`)).toMatchObject(
        missing,
      );
      expect(await operator.delete(`/admin/tenants/${tenant.id}/keys/nope`)).toMatchObject(missing);
    });

    it('bring an existing token along, once in the whole installation', async () => {
      const { body: tenant } = await provision({ tenant_id: slug() });
      const api_token = `existing-${slug()}`;
      expect((await newKey(tenant.id, { api_token })).body.key).toBe(api_token);
      const { body: other } = await provision({ tenant_id: slug() });
      expect(await newKey(other.id, { api_token })).toMatchObject({
        status: 409,
        body: { code: 'key.in_use' },
      });
      expect((await as(api_token).get('/v1/tenants/current')).body).toMatchObject({
        tenant_id: tenant.tenant_id,
      });
    });
  });

  it('who read stats get every number, and wake nothing', async () => {
    const { body: tenant } = await provision({ tenant_id: slug() });
    const empty = await operator.get(`/admin/tenants/${tenant.tenant_id}/stats`);
    expect(empty.body).toMatchObject({ memory_count: 0, vector_points: 0, revision: 0, storage_mb: 0 });
    const caller = as(tenant.api_key?.key);
    const { body: stored } = await caller.post<{ memory_ids: string[] }>('/memory/batch', {
      memories: [{ content: 'One' }, { content: 'Two' }, { content: 'Three' }],
    });
    const [memory1_id, memory2_id] = stored.memory_ids;
    await caller.post('/associate', { memory1_id, memory2_id, type: 'RELATES_TO' });
    const { body } = await operator.get<{ revision: number; storage_mb: number }>(
      `/admin/tenants/${tenant.id}/stats`,
    );
    expect(body).toMatchObject({
      tenant_id: tenant.tenant_id,
      memory_count: 3,
      graph_nodes: 3,
      graph_relationships: 1,
      vector_points: 3,
      document_count: 0,
      chunk_count: 0,
      workspace_count: 1,
      agent_count: 1,
      state: 'active',
      placement: 'shared',
      watermarks: { vectors: body.revision, graph: body.revision },
      last_active_at: expect.any(String) as string,
    });
    expect(body.storage_mb).toBeGreaterThan(0);
  });
});
