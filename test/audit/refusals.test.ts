import { eventually } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';

interface Refused {
  actor: string;
  target: string;
  outcome: string;
  request_id: string;
  detail: { code: string; status: number; times: number };
}

describe('a refused attempt', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  const refused = async (query: string): Promise<Refused[]> =>
    (await loci.operator.get<{ data: Refused[] }>(`/admin/audit?outcome=refused&limit=200${query}`)).body
      .data;
  const ofTenant = (tenant: TestTenant) => refused(`&tenant=${tenant.id}`);
  const limitedKey = async (tenant: TestTenant) => {
    const order = { scopes: ['memory:read'] };
    const { body } = await loci.operator.post<{ id: string; key: string }>(
      `/admin/tenants/${tenant.slug}/keys`,
      order,
    );
    return { id: body.id, caller: loci.as(body.key) };
  };

  it('is on record in the chain of the tenant whose token it was: who, what, why', async () => {
    const acme = await loci.tenant();
    const { id, caller } = await limitedKey(acme);
    const { status } = await caller.post(
      '/memory',
      { content: 'Not mine to write' },
      { 'X-Request-Id': 'no-1' },
    );
    expect(status).toBe(403);
    await eventually('it is on record', async () => (await ofTenant(acme)).length === 1);
    expect(await ofTenant(acme)).toMatchObject([
      {
        actor: `key:${id}`,
        target: 'POST /memory',
        request_id: 'no-1',
        detail: { code: 'auth.forbidden', status: 403, times: 1 },
      },
    ]);
  });

  it('is on record also of a tenant that is suspended, and where another tenant was claimed', async () => {
    const acme = await loci.tenant();
    await acme.get('/recall?query=x', { 'X-Tenant-ID': 'other' });
    await loci.operator.post(`/admin/tenants/${acme.slug}/suspend`);
    expect((await acme.get('/recall?query=x')).status).toBe(403);
    await eventually('both are on record', async () => (await ofTenant(acme)).length === 2);
    const codes = (await ofTenant(acme)).map(({ detail }) => detail.code);
    expect(codes.sort()).toEqual(['tenant.suspended', 'tenant_mismatch']);
  });

  it('of nobody’s token is in the installation’s chain, and so is the operator’s own', async () => {
    await loci.as('loci_live_nobody').get('/recall?query=x');
    await loci.operator.get('/recall?query=x');
    const own = async () => (await refused('')).filter(({ target }) => target === 'GET /recall');
    const codes = async () => (await own()).map(({ actor, detail }) => `${actor} ${detail.code}`);
    await eventually('both are on record', async () => {
      const found = await codes();
      return found.includes('anonymous auth.invalid') && found.includes('operator operator.no_content');
    });
  });

  it('is counted and not written again and again: a flood leaves a handful of records that say how many', async () => {
    const acme = await loci.tenant();
    const { caller } = await limitedKey(acme);
    for (let n = 0; n < 20; n++) {
      await Promise.all(Array.from({ length: 10 }, () => caller.post('/memory', { content: 'No' })));
    }
    // What was counted since is written when the server stops.
    await loci.restart();
    const records = await ofTenant(acme);
    expect(records.length).toBeLessThanOrEqual(2);
    expect(records.reduce((sum, { detail }) => sum + detail.times, 0)).toBe(200);
    const { body } = await loci.operator.get<{ ok: boolean }>(`/admin/audit/verify`);
    expect(body.ok).toBe(true);
  });

  it('of too many kinds is told apart up to 20, and counted together beyond', async () => {
    const acme = await loci.tenant();
    const paths = Array.from({ length: 6 }, async () => (await limitedKey(acme)).caller);
    for (const caller of await Promise.all(paths)) {
      await caller.post('/memory', { content: 'No' });
      await caller.post('/memory/batch', { memories: [{ content: 'No' }] });
      await caller.post('/associate', {});
      await caller.get('/v1/tenants/current/audit');
      await caller.delete('/memory/by-tag?tags=a');
    }
    await loci.restart();
    const records = await ofTenant(acme);
    expect(records.length).toBeLessThanOrEqual(42);
    expect(records.some(({ actor }) => actor === 'several')).toBe(true);
    expect(records.reduce((sum, { detail }) => sum + detail.times, 0)).toBe(30);
  });
});
