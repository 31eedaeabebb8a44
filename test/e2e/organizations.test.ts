import { randomBytes, randomUUID } from 'node:crypto';
import { Description, DescribedCaller } from '../support/described.js';
import { ADMIN_TOKEN, Loci, type TestTenant } from '../support/loci.js';
import { workspaceKey } from '../isolation/strangers.js';

interface Organization {
  id: string;
  slug: string;
  workspace_id: string;
  api_key?: { key: string };
}

const word = (): string => `o${randomBytes(4).toString('hex')}`;

describe('organizations', () => {
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
  async function acmeOf(): Promise<TestTenant & DescribedCaller> {
    const { token, slug, id, workspaceId } = await loci.tenant();
    return Object.assign(described(token), { slug, id, workspaceId });
  }

  it('are tenants under their other name', async () => {
    const order = {
      name: 'Acme Corp',
      slug: word(),
      plan_tier: 'pro',
      contact_email: 'admin@acme.com',
      contact_name: 'Admin User',
    };
    const made = await operator.post<Organization>('/v1/organizations', order);
    expect(made).toMatchObject({
      status: 201,
      body: { ...order, max_workspaces: 10, max_documents_per_workspace: 5_000, state: 'active' },
    });
    const tenant = await operator.get(`/admin/tenants/${order.slug}`);
    expect(tenant.body).toMatchObject({ id: made.body.id, tenant_id: order.slug, plan_tier: 'pro' });
    const again = await operator.post<Organization>('/v1/organizations', order);
    expect([again.status, again.body.id, again.body.api_key]).toEqual([200, made.body.id, undefined]);
    const owner = described(made.body.api_key?.key ?? '');
    expect((await owner.get(`/v1/organizations/${made.body.id}`)).body).toMatchObject(order);
    const changed = await owner.patch(`/v1/organizations/${order.slug}`, {
      name: 'Acme',
      contact_name: null,
    });
    expect(changed.body).toMatchObject({ name: 'Acme', contact_name: null });
    expect((await operator.get<{ data: Organization[] }>('/v1/organizations')).body.data).toEqual(
      expect.arrayContaining([changed.body]),
    );
  });

  it('are free where no plan is named, and slugs are needed', async () => {
    const made = await operator.post('/v1/organizations', { name: 'Small', slug: word() });
    expect(made.body).toMatchObject({ plan_tier: 'free', max_workspaces: 1 });
    for (const slug of [undefined, 'No Slug', randomUUID()]) {
      expect(await operator.post('/v1/organizations', { name: 'Small', slug })).toMatchObject({
        status: 400,
        body: { errors: [{ location: 'body.slug' }] },
      });
    }
  });

  it('make and list their workspaces, for the operator and for their own', async () => {
    const acme = await acmeOf();
    for (const caller of [operator, acme]) {
      const slug = word();
      const made = await caller.post<{ id: string }>(`/v1/organizations/${acme.id}/workspaces`, {
        name: 'Docs',
        slug,
        settings: {},
      });
      expect(made).toMatchObject({ status: 201, body: { organization_id: acme.id, slug } });
      const { body } = await caller.get<{ data: { id: string }[] }>(
        `/v1/organizations/${acme.slug}/workspaces`,
      );
      expect(body.data.map(({ id }) => id)).toContain(made.body.id);
      expect((await caller.get(`/v1/workspaces/${made.body.id}`)).status).toBe(200);
    }
  });

  it('are known to no other tenant, and to no key without `manage`', async () => {
    const [acme, other] = [await acmeOf(), await acmeOf()];
    const key = described((await workspaceKey(loci, acme, acme.workspaceId)).token);
    const order = { name: 'X', slug: 'x' };
    for (const name of [acme.id, acme.slug, randomUUID(), 'never-was']) {
      const at = `/v1/organizations/${name}`;
      const answers = [
        await other.get(at),
        await other.patch(at, { name: 'Mine' }),
        await other.delete(at),
        await other.get(`${at}/workspaces`),
        await other.post(`${at}/workspaces`, order),
      ];
      expect(answers.map(({ status, body }) => [status, body['code']])).toEqual(
        Array(5).fill([404, 'tenant.not_found']),
      );
      expect((await key.get(at)).status).toBe(403);
    }
    for (const caller of [acme, key]) {
      expect((await caller.get('/v1/organizations')).status).toBe(403);
      expect((await caller.post('/v1/organizations', order)).status).toBe(403);
    }
    expect((await operator.get(`/admin/tenants/${acme.slug}`)).body).toMatchObject({ state: 'active' });
  });

  it('do not give themselves a larger plan, and may delete themselves', async () => {
    const acme = await acmeOf();
    const at = `/v1/organizations/${acme.id}`;
    expect((await acme.patch(at, { plan_tier: 'enterprise' })).status).toBe(403);
    expect((await operator.patch(at, { plan_tier: 'starter' })).body).toMatchObject({ max_workspaces: 3 });
    expect((await acme.delete(at)).body).toMatchObject({ state: 'deleted', tenant_id: acme.slug });
    expect((await acme.get(at)).status).toBe(401);
    expect((await operator.get(at)).body).toMatchObject({ state: 'deleted' });
    expect((await operator.get(`${at}/workspaces`)).status).toBe(404);
    expect((await operator.post(`/admin/tenants/${acme.slug}/restore`)).status).toBe(200);
    const { body } = await operator.get<{ data: { action: string; actor: string }[] }>(
      `/admin/audit?tenant=${acme.slug}&action=tenant.delete`,
    );
    expect(body.data).toMatchObject([
      { action: 'tenant.delete', actor: expect.stringMatching(/^key:/) as string },
    ]);
  });

  it('have the operator’s routes of tenants beside them', async () => {
    const slug = word();
    const made = await operator.post<{ tenant_id: string }>('/v1/tenants', { tenant_id: slug, plan: 'pro' });
    expect(made).toMatchObject({ status: 201, body: { tenant_id: slug, plan_tier: 'pro' } });
    expect((await operator.post('/v1/tenants', { tenant_id: slug, plan: 'pro' })).status).toBe(200);
    const { body } = await operator.get<{ data: { tenant_id: string }[] }>('/v1/tenants?limit=1');
    expect(body.data.map(({ tenant_id }) => tenant_id)).toEqual([slug]);
    expect((await operator.get(`/v1/tenants/${slug}/stats`)).body).toMatchObject({ tenant_id: slug });
    const acme = await acmeOf();
    for (const path of ['/v1/tenants', `/v1/tenants/${acme.slug}/stats`]) {
      expect((await acme.get(path)).status).toBe(403);
    }
  });

  it('have answered every operation as it is described', () => {
    const operations = description
      .operations()
      .filter((name) => /\/v1\/organizations|^\w+ \/v1\/tenants(?:$|\/\{)/.test(name));
    expect(operations).toHaveLength(10);
    expect(description.unseen(operations)).toEqual([]);
  });
});
