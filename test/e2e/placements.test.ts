import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SpaceEpochs } from '../../src/ledger/space-epochs.js';
import { Database } from '../../src/platform/database/database.js';
import { HotSpaces } from '../../src/spaces/hot-spaces.js';
import { Placements } from '../../src/spaces/placements.js';
import { Reconciler } from '../../src/spaces/reconciler.js';
import { TenantDirectory } from '../../src/tenancy/tenant-directory.js';
import type { TenantId } from '../../src/tenancy/tenant.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { scratchFolder } from '../support/scratch-folder.js';

interface PlacementBody {
  placement: string;
  state: string;
  progress: { revision: number; vectors: number; graph: number } | null;
}

describe('placements', () => {
  let scratch: Awaited<ReturnType<typeof scratchFolder>>;
  let loci: Loci;

  beforeAll(async () => {
    scratch = await scratchFolder();
    await mkdir(scratch.path, { recursive: true });
    const file = join(scratch.path, 'placements.json');
    await writeFile(file, JSON.stringify({ shared: {}, second: {}, small: { max_hot_spaces: 3 } }));
    loci = await Loci.start({ LOCI_PLACEMENTS: file });
  }, 120_000);
  afterAll(async () => {
    await loci.stop();
    await scratch.remove();
  });

  const fileOf = (tenant: TestTenant, placement: string) =>
    join(loci.dataFolder, 'spaces', placement === 'shared' ? '' : placement, `memories_${tenant.slug}.db`);

  async function settled(tenant: TestTenant, placement: string): Promise<void> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
      const { body } = await loci.operator.get<PlacementBody>(`/admin/tenants/${tenant.slug}/placement`);
      if (body.state === 'settled' && body.placement === placement) return;
      await new Promise((resume) => setTimeout(resume, 50));
    }
    throw new Error(`${tenant.slug} did not arrive in ${placement}`);
  }

  const found = async (tenant: TestTenant, query: string): Promise<number> => {
    for (const deadline = Date.now() + 20_000; ;) {
      const { status, headers, body } = await tenant.get<{ count: number }>(
        `/recall?limit=100&query=${query}`,
      );
      // At the very moment of a switch, or while waking, one is asked to come again.
      if (status !== 503 || Date.now() > deadline) return body.count;
      expect(headers.get('Retry-After')).not.toBeNull();
      await new Promise((resume) => setTimeout(resume, 100));
    }
  };

  it('verifies and rebuilds a tenant wherever it is moved meanwhile', async () => {
    const tenant = await loci.tenant();
    await tenant.post('/memory', { content: 'A lantern that travels' });
    let moving = true;
    const asked: Promise<unknown>[] = ['verify', 'rebuild'].map(async (order) => {
      while (moving) {
        const { status, body } = await loci.operator.post(`/admin/tenants/${tenant.slug}/${order}`);
        expect([order, status, body['code'] ?? body['equal']]).toEqual([order, 200, true]);
      }
    });
    for (const placement of ['second', 'shared', 'second', 'shared', 'second']) {
      await loci.operator.post(`/admin/tenants/${tenant.slug}/placement`, { placement });
      await settled(tenant, placement);
    }
    moving = false;
    await Promise.all(asked);
    expect(await found(tenant, 'lantern')).toBe(1);
  });

  it('moves a tenant while it writes and recalls, losing and inventing nothing', async () => {
    const tenant = await loci.tenant();
    for (let i = 0; i < 20; i++)
      await tenant.post('/memory', { content: `Before the move, lantern number ${i}.` });
    const writing = (async () => {
      const statuses: number[] = [];
      for (let i = 0; i < 30; i++) {
        statuses.push(
          (await tenant.post('/memory', { content: `During the move, lantern number ${i + 20}.` })).status,
        );
        expect(await found(tenant, 'lantern')).toBe(Math.min(100, i + 21));
      }
      return statuses;
    })();
    const moved = await loci.operator.post(`/admin/tenants/${tenant.slug}/placement`, {
      placement: 'second',
    });
    expect(moved.status).toBe(202);
    expect(await writing).toEqual(Array<number>(30).fill(201));
    await settled(tenant, 'second');
    expect(await found(tenant, 'lantern')).toBe(50);
    expect(existsSync(fileOf(tenant, 'second'))).toBe(true);
    expect(existsSync(fileOf(tenant, 'shared'))).toBe(false);
  });

  it('finishes a move that a restart interrupted', async () => {
    const tenant = await loci.tenant();
    await tenant.post('/memory', { content: 'The harbour light is green.' });
    await loci.operator.post(`/admin/tenants/${tenant.slug}/placement`, { placement: 'second' });
    await loci.restart();
    await settled(tenant, 'second');
    expect(await found(tenant, 'harbour')).toBe(1);
  });

  it('cools the longest idle beyond the cap, and wakes it by replay at the first touch', async () => {
    const tenants: TestTenant[] = [];
    for (let i = 0; i < 5; i++) {
      const tenant = await loci.tenant({ placement: 'small' });
      await tenant.post('/memory', { content: `Tenant ${i} keeps a lighthouse.` });
      tenants.push(tenant);
    }
    const hot = () => tenants.filter((tenant) => existsSync(fileOf(tenant, 'small'))).length;
    for (const deadline = Date.now() + 10_000; hot() > 3 && Date.now() < deadline;) {
      await new Promise((resume) => setTimeout(resume, 20));
    }
    expect(hot()).toBe(3);
    for (const tenant of tenants) expect(await found(tenant, 'lighthouse')).toBe(1);
  });

  it('remembers over a restart who is hot, and for how long each was idle', async () => {
    const made: TestTenant[] = [];
    for (let i = 0; i < 3; i++) {
      const tenant = await loci.tenant({ placement: 'small' });
      await tenant.post('/memory', { content: `Tenant ${i} keeps a foghorn.` });
      made.push(tenant);
    }
    const [first, second, third] = made as [TestTenant, TestTenant, TestTenant];
    await found(first, 'foghorn');
    await loci.restart();
    const late = await loci.tenant({ placement: 'small' });
    await late.post('/memory', { content: 'The latest foghorn.' });
    const hot = () => [first, second, third, late].filter((tenant) => existsSync(fileOf(tenant, 'small')));
    for (const deadline = Date.now() + 10_000; hot().length > 3 && Date.now() < deadline;) {
      await new Promise((resume) => setTimeout(resume, 20));
    }
    expect(hot().map(({ slug }) => slug)).toEqual([first.slug, third.slug, late.slug]);
  });

  it('counts for all replicas what each of them touched', async () => {
    const { app } = loci.server;
    // As another replica has it, on the same stores.
    const replica = new HotSpaces(
      app.get(Placements),
      app.get(SpaceEpochs),
      app.get(Database),
      app.get(TenantDirectory),
    );
    const made: TestTenant[] = [];
    for (let i = 0; i < 4; i++) made.push(await loci.tenant({ placement: 'small' }));
    for (const [i, tenant] of made.entries()) {
      const value = await app.get(TenantDirectory).tenantById(tenant.id as TenantId);
      if (value === null) throw new Error(`${tenant.slug} is not there`);
      (i % 2 === 0 ? replica : app.get(HotSpaces)).touch(value);
      // One after the other, by any clock.
      await new Promise((resume) => setTimeout(resume, 10));
    }
    const remembered = () =>
      app
        .get(Database)
        .readAsSystem<{ id: string }>(
          `SELECT tenant_id AS id FROM hot_spaces WHERE placement = 'small' ORDER BY touched_at`,
          [],
        );
    for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
      const ids = (await remembered()).map(({ id }) => id);
      if (ids.length === 3 && ids.at(-1) === made[3]?.id) break;
      await new Promise((resume) => setTimeout(resume, 20));
    }
    expect((await remembered()).map(({ id }) => id)).toEqual(made.slice(1).map(({ id }) => id));
  });

  it('finds what was there before anybody remembered it, and counts it first among the idle', async () => {
    const [old, late] = [
      await loci.tenant({ placement: 'small' }),
      await loci.tenant({ placement: 'small' }),
    ] as const;
    await late.post('/memory', { content: 'A new bell.' });
    await old.post('/memory', { content: 'An old bell.' });
    // As where there was no limit until now.
    await loci.restart();
    const { app } = loci.server;
    await app
      .get(Database)
      .asSystem((manager) =>
        manager.query(`DELETE FROM hot_spaces WHERE placement = 'small' AND tenant_id <> $1`, [late.id]),
      );
    await app.get(Reconciler).reconcile();
    const remembered = await app
      .get(Database)
      .readAsSystem<{ id: string; at: Date }>(
        `SELECT tenant_id AS id, touched_at AS at FROM hot_spaces WHERE placement = 'small'`,
        [],
      );
    expect(remembered.find(({ id }) => id === late.id)?.at.getTime()).toBeGreaterThan(0);
    expect(remembered.filter(({ id }) => id !== late.id).map(({ at }) => at.getTime())).toContain(0);
    expect(remembered.length).toBeLessThanOrEqual(3);
  });

  it('answers 422 for a placement that there is not', async () => {
    const tenant = await loci.tenant();
    const { status, body } = await loci.operator.post(`/admin/tenants/${tenant.slug}/placement`, {
      placement: 'nowhere',
    });
    expect([status, body['code']]).toEqual([422, 'placement.unknown']);
    const made = await loci.operator.post('/admin/tenants', { tenant_id: 'homeless', placement: 'nowhere' });
    expect(made.status).toBe(422);
  });
});
