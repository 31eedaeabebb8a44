import { DutyRoster } from '../../src/background/duty-roster.js';
import { Schedule, type Duty } from '../../src/background/schedule.service.js';
import { Settings } from '../../src/platform/config/settings.js';
import { TenantDirectory } from '../../src/tenancy/tenant-directory.js';
import { asSuperuser, tenantOf } from '../isolation/two-palaces.js';
import { eventually } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';

const DAY_MS = 86_400_000;

describe('the schedule', () => {
  let loci: Loci;
  const running: Schedule[] = [];

  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.onApplicationShutdown()));
  });
  afterAll(() => loci.stop());

  const roster = () => loci.server.app.get(DutyRoster);

  /** As one replica keeps it. */
  function replica(duty: Duty): Schedule {
    const schedule = new Schedule(
      roster(),
      loci.server.app.get(TenantDirectory),
      loci.server.app.get(Settings),
    );
    schedule.add(duty);
    running.push(schedule);
    return schedule;
  }

  function duty(name: string, perform: Duty['perform']): Duty {
    return { name, everyMs: DAY_MS, perform };
  }

  const state = async (tenant: TestTenant, name: string) =>
    roster().state(await tenantOf(loci, tenant), name);
  const bringForward = async (tenant: TestTenant, name: string) =>
    roster().bringForward(await tenantOf(loci, tenant), name);

  it('does a duty once for each time it is due, whichever of the replicas looks', async () => {
    const tenants = [await loci.tenant(), await loci.tenant(), await loci.tenant()];
    const done: string[] = [];
    const counted = duty('once', (tenant) => Promise.resolve(void done.push(tenant.id)));
    for (const tenant of tenants) await bringForward(tenant, 'once');
    await Promise.all([replica(counted).look(), replica(counted).look(), replica(counted).look()]);
    expect(done.filter((id) => tenants.some((tenant) => tenant.id === id)).sort()).toEqual(
      tenants.map(({ id }) => id).sort(),
    );
    const { nextAt, lastDoneAt, running: still, lastError } = await state(tenants[0] ?? raise(), 'once');
    expect((nextAt?.getTime() ?? 0) - Date.now()).toBeGreaterThan(DAY_MS / 2);
    expect(lastDoneAt).not.toBeNull();
    expect({ still, lastError }).toEqual({ still: false, lastError: null });
  });

  it('gives a new tenant its first time within the period', async () => {
    const tenant = await loci.tenant();
    await replica(duty('first', () => Promise.resolve())).look();
    const { nextAt } = await state(tenant, 'first');
    expect(nextAt?.getTime()).toBeLessThanOrEqual(Date.now() + DAY_MS);
  });

  it('does again, sooner than usual, what has failed, and says why', async () => {
    const tenant = await loci.tenant();
    let fails = true;
    const schedule = replica(
      duty('failing', () => (fails ? Promise.reject(new Error('Not today')) : Promise.resolve())),
    );
    await bringForward(tenant, 'failing');
    await schedule.look();
    const failed = await state(tenant, 'failing');
    expect(failed).toMatchObject({ lastError: 'Not today', lastDoneAt: null });
    expect((failed.nextAt?.getTime() ?? Infinity) - Date.now()).toBeLessThan(DAY_MS / 2);
    fails = false;
    await bringForward(tenant, 'failing');
    await schedule.look();
    expect(await state(tenant, 'failing')).toMatchObject({ lastError: null });
  });

  it('takes over from a replica that fell silent, whose turn is over then', async () => {
    const tenant = await loci.tenant();
    const takes: string[] = [];
    const performed = duty('taken-over', ({ id }) => Promise.resolve(void takes.push(id)));
    await bringForward(tenant, 'taken-over');
    const silent = '00000000-0000-4000-8000-000000000000';
    let claimed = await roster().claim('taken-over', silent);
    while (claimed !== null && claimed !== tenant.id) claimed = await roster().claim('taken-over', silent);
    expect(claimed).toBe(tenant.id);
    await replica(performed).look();
    expect(takes).not.toContain(tenant.id);
    await asSuperuser(loci, (client) =>
      client.query(`UPDATE duties SET leased_until = now() - interval '1 second' WHERE tenant_id = $1`, [
        tenant.id,
      ]),
    );
    await replica(performed).look();
    expect(takes).toContain(tenant.id);
    expect(await roster().renew(tenant.id as never, 'taken-over', silent)).toBe(false);
  });

  it('stops in the middle where the server stops, and is due again at once', async () => {
    const tenant = await loci.tenant();
    let begun = false;
    const schedule = replica(
      duty('long', async (_tenant, signal) => {
        begun = true;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      }),
    );
    await bringForward(tenant, 'long');
    const looked = schedule.look();
    await eventually('it has begun', () => Promise.resolve(begun));
    await schedule.onApplicationShutdown();
    await looked;
    const { nextAt, running: still, lastDoneAt } = await state(tenant, 'long');
    expect(nextAt?.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
    expect({ still, lastDoneAt }).toEqual({ still: false, lastDoneAt: null });
  });
});

function raise(): never {
  throw new Error('There is no tenant');
}
