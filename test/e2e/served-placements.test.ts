import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Reconciler } from '../../src/spaces/reconciler.js';
import { TenantDirectory } from '../../src/tenancy/tenant-directory.js';
import { Loci, type TestTenant, urlOf } from '../support/loci.js';
import { settledIn } from '../support/moved.js';
import { scratchFolder } from '../support/scratch-folder.js';

// Whole servers, on machines that do something else too.
jest.setTimeout(120_000);

let scratch: Awaited<ReturnType<typeof scratchFolder>>;

beforeAll(async () => {
  scratch = await scratchFolder();
  await mkdir(scratch.path, { recursive: true });
}, 120_000);
afterAll(() => scratch.remove());

async function placementsFile(name: string, content: object): Promise<string> {
  const file = join(scratch.path, name);
  await writeFile(file, JSON.stringify(content));
  return file;
}

describe('two processes, each bound to a placement', () => {
  let here: Loci;
  let there: Loci;

  beforeAll(async () => {
    const env = {
      LOCI_PLACEMENTS: await placementsFile('two.json', { shared: {}, acme: {} }),
      LOCI_MASTER_KEY: randomBytes(32).toString('base64'),
    };
    here = await Loci.start({ ...env, LOCI_SERVE_PLACEMENTS: 'shared' });
    there = await Loci.start({
      ...env,
      DATABASE_URL: urlOf(here.database),
      LOCI_SERVE_PLACEMENTS: 'acme',
    });
  }, 120_000);
  afterAll(async () => {
    await there.stop();
    await here.stop();
  });

  it('answer for the tenants of their own and refuse others with 421, whatever they ask', async () => {
    const ours = await here.tenant();
    // An operator may ask either of them.
    const theirs = await here.tenant({ placement: 'acme' });
    const asked = (loci: Loci, tenant: TestTenant) => [
      loci.as(tenant.token).post('/memory', { content: 'The gate is green.' }),
      loci.as(tenant.token).get('/recall?query=gate'),
      loci.as(tenant.token).get('/v1/tenants/current'),
    ];
    for (const [loci, own, foreign] of [
      [here, ours, theirs],
      [there, theirs, ours],
    ] as const) {
      const answered = await Promise.all(asked(loci, own));
      expect(answered.map(({ status }) => status)).toEqual([201, 200, 200]);
      for (const { status, body } of await Promise.all(asked(loci, foreign))) {
        expect([status, body['code']]).toEqual([421, 'placement.elsewhere']);
        expect(JSON.stringify(body)).not.toMatch(/acme|shared/);
      }
    }
  });

  it('list and show every tenant to their operator, and purge or measure none that is elsewhere', async () => {
    const theirs = await here.tenant({ placement: 'acme' });
    const { body } = await here.operator.get<{ data: { tenant_id: string }[] }>(
      '/admin/tenants?include_stats=true',
    );
    expect(body.data.map((tenant) => tenant.tenant_id)).toContain(theirs.slug);
    expect((await here.operator.get(`/admin/tenants/${theirs.slug}`)).body['placement']).toBe('acme');
    for (const refused of [
      await here.operator.get(`/admin/tenants/${theirs.slug}/stats`),
      await here.operator.post(`/admin/tenants/${theirs.slug}/verify`),
      await here.operator.delete(`/admin/tenants/${theirs.slug}?purge=true`),
    ]) {
      expect([refused.status, refused.body['code']]).toEqual([421, 'placement.elsewhere']);
    }
    expect((await here.operator.get(`/admin/tenants/${theirs.slug}`)).body['state']).toBe('active');
  });

  it('look after their own tenants and leave the others to the others', async () => {
    const ours = await here.tenant();
    const theirs = await here.tenant({ placement: 'acme' });
    for (const [loci, own, foreign] of [
      [here, ours, theirs],
      [there, theirs, ours],
    ] as const) {
      const looked: string[] = [];
      for await (const { slug } of loci.server.app.get(TenantDirectory).activeTenants(2)) looked.push(slug);
      expect(looked).toContain(own.slug);
      expect(looked).not.toContain(foreign.slug);
      await loci.server.app.get(Reconciler).reconcile();
    }
  });

  it('leave a move to a worker that serves both ends', async () => {
    const tenant = await here.tenant();
    await tenant.post('/memory', { content: 'The crane stands at the quay.' });
    const { status } = await here.operator.post(`/admin/tenants/${tenant.slug}/placement`, {
      placement: 'acme',
    });
    expect(status).toBe(202);
    const { body } = await there.operator.get(`/admin/tenants/${tenant.slug}/placement`);
    expect(body).toMatchObject({ placement: 'shared', state: 'moving', moving_to: 'acme' });
    // Served from where it is, until it has moved.
    expect((await tenant.get('/recall?query=crane')).body['count']).toBe(1);
  });
});

describe('a placement that has left the file', () => {
  it('keeps nobody stuck: its tenants are listed, shown and moved out, with all that they stored', async () => {
    const both = await placementsFile('both.json', { shared: {}, second: {} });
    const one = await placementsFile('one.json', { shared: {} });
    const loci = await Loci.start({ LOCI_PLACEMENTS: both });
    try {
      const tenant = await loci.tenant({ placement: 'second' });
      for (const place of ['quay', 'harbour', 'yard']) {
        await tenant.post('/memory', { content: `The crane stands in the ${place}.` });
      }
      await loci.restart(undefined, { LOCI_PLACEMENTS: one });

      const { body: list } = await loci.operator.get<{ data: object[] }>('/admin/tenants?include_stats=true');
      expect(list.data).toContainEqual(
        expect.objectContaining({
          tenant_id: tenant.slug,
          placement: 'second',
          stats: expect.objectContaining({ memory_count: 3 }) as object,
        }),
      );
      const stats = await loci.operator.get(`/admin/tenants/${tenant.slug}/stats`);
      expect(stats.body).toMatchObject({ memory_count: 3, placement: 'second', vector_points: 0 });
      const refused = await tenant.get('/recall?query=crane');
      expect([refused.status, refused.body['code']]).toEqual([503, 'placement.missing']);
      expect(refused.headers.get('Retry-After')).not.toBeNull();
      // Looking over all tenants does not end at one whose placement is not there.
      await loci.server.app.get(Reconciler).reconcile();

      await loci.operator.post(`/admin/tenants/${tenant.slug}/placement`, { placement: 'shared' });
      await settledIn(loci, tenant.slug, 'shared');
      expect((await tenant.get('/recall?query=crane')).body['count']).toBe(3);
      const verdict = await loci.operator.post(`/admin/tenants/${tenant.slug}/verify`);
      expect(verdict.body).toMatchObject({ equal: true, vectors: { in_projection: 3 } });
    } finally {
      await loci.stop();
    }
  });
});
