import { FollowerStep } from '../../src/background/follower-step.js';
import { Followers } from '../../src/background/followers.service.js';
import type { Follower, LedgerChange, Settle } from '../../src/background/follower.js';
import { LedgerSignal } from '../../src/ledger/ledger-signal.js';
import type { ChangeKind } from '../../src/ledger/ledger-write.js';
import { SpaceUnavailable } from '../../src/spaces/space-errors.js';
import { Settings } from '../../src/platform/config/settings.js';
import { Traffic } from '../../src/platform/traffic.js';
import { Placements } from '../../src/spaces/placements.js';
import type { Tenant } from '../../src/tenancy/principal.js';
import { TenantDirectory } from '../../src/tenancy/tenant-directory.js';
import { asSuperuser, tenantOf } from '../isolation/two-palaces.js';
import { eventually, ledgerRows, revisionOf, someVector } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';

/** Counts, in the ledger itself, the memories that it was handed: what is settled twice or never shows. */
class Counting implements Follower {
  readonly kinds: readonly ChangeKind[] = ['memory', 'relation'];
  readonly batch: number = 5;
  readonly lingerMs: number = 5;
  readonly patient: boolean = false;
  /** Revisions in the order in which they were handed over. */
  readonly handed: number[] = [];
  handing: (changes: readonly LedgerChange[]) => void | Promise<void> = () => undefined;
  settling: () => void = () => undefined;

  /** Empty: every tenant. */
  readonly only: string[] = [];

  constructor(readonly name: string) {}

  follows(tenant: Tenant): boolean {
    if (this.only.length > 0 && !this.only.includes(tenant.id)) return false;
    return tenant.settings['counted'] !== false;
  }

  async handle(_tenant: Tenant, changes: readonly LedgerChange[]): Promise<Settle> {
    await this.handing(changes);
    this.handed.push(...changes.map(({ revision }) => revision));
    return (tx) => {
      for (const { workspace } of changes) tx.meter(workspace, this.name, 1);
      this.settling();
      return Promise.resolve();
    };
  }
}

describe('a follower of the ledgers', () => {
  let loci: Loci;
  const running: Followers[] = [];
  let followers = 0;

  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.onApplicationShutdown()));
  });
  afterAll(() => loci.stop());

  const named = () => new Counting(`counting-${++followers}`);

  /** As one replica runs it. */
  function start(follower: Follower): Followers {
    const { app } = loci.server;
    const replica = new Followers(
      app.get(FollowerStep),
      app.get(TenantDirectory),
      app.get(LedgerSignal),
      app.get(Placements),
      app.get(Settings),
      app.get(Traffic),
    );
    replica.add(follower);
    replica.onApplicationBootstrap();
    running.push(replica);
    return replica;
  }

  async function store(tenant: TestTenant, count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) {
      const body = { content: `${tenant.slug} ${i}`, embedding: someVector() };
      const reply = await tenant.post<{ memory_id: string }>('/memory', body);
      expect(reply.status).toBe(201);
      ids.push(reply.body.memory_id);
    }
    return ids;
  }

  async function counted(tenant: TestTenant, { name }: Follower): Promise<number> {
    const rows = await asSuperuser(loci, async (client) => {
      const sql = 'SELECT sum(quantity)::int AS n FROM usage_counters WHERE tenant_id = $1 AND meter = $2';
      return (await client.query<{ n: number | null }>(sql, [tenant.id, name])).rows;
    });
    return rows[0]?.n ?? 0;
  }

  const state = async (tenant: TestTenant, follower: Follower) =>
    loci.server.app.get(FollowerStep).state(await tenantOf(loci, tenant), follower);

  const caughtUp = (tenant: TestTenant, follower: Follower) =>
    eventually(`${follower.name} has handled all of ${tenant.slug}`, async () => {
      const { revision, watermark } = await state(tenant, follower);
      return watermark === revision;
    });

  it('is handed what was there before it, and what comes after, in revision order', async () => {
    const tenant = await loci.tenant();
    await store(tenant, 7);
    const follower = named();
    start(follower);
    await caughtUp(tenant, follower);
    await store(tenant, 4);
    await caughtUp(tenant, follower);
    expect(await counted(tenant, follower)).toBe(11);
    expect(follower.handed).toEqual([...follower.handed].sort((a, b) => a - b));
    expect(await state(tenant, follower)).toMatchObject({ pending: 0, failed: 0, lastError: null });
  });

  it('is handed only what concerns it, and passes the rest', async () => {
    const tenant = await loci.tenant();
    const [one, other] = await store(tenant, 2);
    const related = await tenant.post('/associate', {
      memory1_id: one,
      memory2_id: other,
      type: 'RELATES_TO',
      strength: 0.5,
    });
    expect(related.status).toBe(201);
    class OfRelations extends Counting {
      override readonly kinds = ['relation'] as const;
    }
    const follower = new OfRelations(named().name);
    follower.only.push(tenant.id);
    const kinds: string[] = [];
    follower.handing = (changes) => void kinds.push(...changes.map(({ kind }) => kind));
    start(follower);
    await caughtUp(tenant, follower);
    expect(kinds).toEqual(['relation']);
  });

  it('is handed deletions too', async () => {
    const tenant = await loci.tenant();
    const [id] = await store(tenant, 1);
    const follower = named();
    follower.only.push(tenant.id);
    const gone: boolean[] = [];
    follower.handing = (changes) => void gone.push(...changes.map((change) => change.gone));
    const replica = start(follower);
    await caughtUp(tenant, follower);
    await tenant.delete(`/memory/${id}`);
    await replica.look();
    await caughtUp(tenant, follower);
    expect(gone).toEqual([false, true]);
  });

  it('settles each change once, where three replicas race and writing goes on', async () => {
    const tenant = await loci.tenant();
    const name = named().name;
    const replicas = [new Counting(name), new Counting(name), new Counting(name)];
    for (const replica of replicas) start(replica);
    await Promise.all([store(tenant, 15), store(tenant, 15).catch(() => [])]);
    const [follower] = replicas;
    if (follower === undefined) throw new Error('There is no replica');
    await caughtUp(tenant, follower);
    const [row] = await ledgerRows(loci, tenant, 'SELECT count(*)::int AS n FROM memories');
    expect(await counted(tenant, follower)).toBe(row?.['n']);
  });

  it('writes nothing where it dies in the middle of writing, and settles it after the restart', async () => {
    const tenant = await loci.tenant();
    await store(tenant, 3);
    const follower = named();
    follower.settling = () => {
      throw new SpaceUnavailable('as if the process had died here');
    };
    const before = start(follower);
    await eventually('it has tried', () => Promise.resolve(follower.handed.length > 0));
    await before.onApplicationShutdown();
    expect(await counted(tenant, follower)).toBe(0);
    const again = new Counting(follower.name);
    start(again);
    await caughtUp(tenant, again);
    expect(await counted(tenant, again)).toBe(3);
  });

  it('tries an item that fails again, several times, then sets it aside and passes it', async () => {
    const tenant = await loci.tenant();
    const ids = await store(tenant, 6);
    const poison = ids[2];
    const follower = named();
    follower.handing = (changes) => {
      if (changes.some(({ id }) => id === poison)) throw new Error('It cannot be handled');
    };
    const replica = start(follower);
    await eventually('the two before it are handled', async () => (await counted(tenant, follower)) === 2);
    await eventually(
      'it says what was wrong',
      async () => (await state(tenant, follower)).lastError === 'It cannot be handled',
    );
    let tries = 0;
    await eventually('it is set aside', async () => {
      // As if the time had passed after which it is tried again.
      tries += await asSuperuser(loci, async (client) => {
        const sql = `UPDATE followers SET next_try_at = now() WHERE tenant_id = $1 AND name = $2 AND next_try_at > now()`;
        return (await client.query(sql, [tenant.id, follower.name])).rowCount ?? 0;
      });
      await replica.look();
      return (await state(tenant, follower)).failed === 1;
    });
    expect(tries).toBe(5);
    await caughtUp(tenant, follower);
    expect(await counted(tenant, follower)).toBe(5);
    expect(await state(tenant, follower)).toMatchObject({ pending: 0, failed: 1, lastError: null });
  });

  it('waits for a store that is away, however long, and holds it against no item', async () => {
    const tenant = await loci.tenant();
    await store(tenant, 2);
    const follower = named();
    let away = true;
    let asked = 0;
    follower.handing = () => {
      asked++;
      if (away) throw new SpaceUnavailable('away');
    };
    const replica = start(follower);
    await eventually('it was asked more often than an item is tried', async () => {
      await replica.look();
      return asked > 8;
    });
    away = false;
    await replica.look();
    await caughtUp(tenant, follower);
    expect(await counted(tenant, follower)).toBe(2);
    expect((await state(tenant, follower)).failed).toBe(0);
  });

  it('holds it against no item that the tenant is deleted meanwhile, and goes on where it is restored', async () => {
    const tenant = await loci.tenant();
    await store(tenant, 3);
    const follower = named();
    follower.only.push(tenant.id);
    follower.handing = async () => {
      follower.handing = () => undefined;
      await loci.operator.delete(`/admin/tenants/${tenant.slug}`);
    };
    const before = start(follower);
    await eventually('it has tried', () => Promise.resolve(follower.handed.length > 0));
    await before.onApplicationShutdown();
    expect(follower.handed).toHaveLength(3);
    await loci.operator.post(`/admin/tenants/${tenant.slug}/restore`);
    start(follower);
    await caughtUp(tenant, follower);
    expect(await counted(tenant, follower)).toBe(3);
  });

  it('passes what changes while it is off for the tenant', async () => {
    const tenant = await loci.tenant({ settings: { counted: false } });
    await store(tenant, 3);
    const follower = named();
    start(follower);
    await caughtUp(tenant, follower);
    expect(await counted(tenant, follower)).toBe(0);
  });

  it('minds what it writes again from when it is told that it is on', async () => {
    const tenant = await loci.tenant();
    const follower = named();
    follower.only.push('nobody');
    const replica = start(follower);
    await store(tenant, 2);
    await replica.look();
    await caughtUp(tenant, follower);
    follower.only[0] = (await tenantOf(loci, tenant)).id;
    replica.wake(await tenantOf(loci, tenant));
    await store(tenant, 3);
    await caughtUp(tenant, follower);
    // What was stored before it was on is passed.
    expect(await counted(tenant, follower)).toBe(3);
  });

  it('keeps no tenant waiting for more than a turn of another', async () => {
    const busy = await loci.tenant();
    const quiet = await loci.tenant();
    const follower = named();
    await store(busy, 12);
    await store(quiet, 1);
    const slugs: string[] = [];
    let atOnce = 0;
    const handle = follower.handle.bind(follower);
    follower.handle = async (tenant, changes) => {
      expect(++atOnce).toBeLessThanOrEqual(2);
      slugs.push(tenant.slug);
      const settle = await handle(tenant, changes);
      atOnce--;
      return settle;
    };
    start(follower);
    await caughtUp(busy, follower);
    await caughtUp(quiet, follower);
    const ours = slugs.filter((slug) => slug === busy.slug || slug === quiet.slug);
    expect(ours.indexOf(quiet.slug)).toBeLessThan(3);
    expect(ours.filter((slug) => slug === busy.slug).length).toBeGreaterThanOrEqual(3);
  });

  it('does not follow what it writes itself, where nobody else wrote meanwhile', async () => {
    const tenant = await loci.tenant();
    await store(tenant, 1);
    const follower = named();
    follower.only.push(tenant.id);
    follower.handle = (_tenant, changes) => {
      follower.handed.push(...changes.map(({ revision }) => revision));
      return Promise.resolve((tx) => {
        for (const change of changes) tx.changed(change.workspace, change.kind, change.id);
        return Promise.resolve();
      });
    };
    start(follower);
    await caughtUp(tenant, follower);
    expect(await revisionOf(loci, tenant)).toBe(2);
    expect(follower.handed).toEqual([1]);
  });
});
