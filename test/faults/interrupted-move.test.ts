import { AuditTrail } from '../../src/ledger/audit-trail.js';
import { Erasure } from '../../src/ledger/erasure.js';
import { HomeMirror } from '../../src/ledger/home-mirror.js';
import { Homes, MAIN } from '../../src/ledger/homes.js';
import { LedgerMove } from '../../src/ledger/ledger-move.js';
import { LEDGER_TABLES } from '../../src/ledger/ledger-tables.js';
import { moveOf, TenantMove } from '../../src/modules/tenants/tenant-move.service.js';
import type { Database } from '../../src/platform/database/database.js';
import { TenantDirectory } from '../../src/tenancy/tenant-directory.js';
import type { TenantId } from '../../src/tenancy/tenant.js';
import { type TestTenant } from '../support/loci.js';
import { settledIn } from '../support/moved.js';
import { rowsOf, startHomed, type Homed } from '../support/own-database.js';

/** More than a mover asks its databases. */
const MOMENTS = 32;

class Died extends Error {}

/** The databases as a process sees them that dies before it has asked them anything for the n-th time. */
function dyingHomes(real: Homes, dies: number): { homes: Homes; alive: () => boolean } {
  let asked = 0;
  const dying = (database: Database): Database =>
    new Proxy(database, {
      get(target, name: keyof Database) {
        const member: unknown = target[name];
        if (typeof member !== 'function') return member;
        return (...values: unknown[]): unknown => {
          if (++asked >= dies) return Promise.reject(new Died(`before question ${dies}`));
          return Reflect.apply(member, target, values);
        };
      },
    });
  const homes = new Proxy(real, {
    get(target, name: keyof Homes) {
      if (name === 'main') return dying(target.main);
      if (name === 'of') return async (home: string) => dying(await target.of(home));
      const member: unknown = target[name];
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  return { homes, alive: () => asked < dies };
}

describe('a ledger on its way to another database', () => {
  let homed: Homed;
  beforeAll(async () => {
    homed = await startHomed();
  }, 120_000);
  afterAll(() => homed.stop());

  /** As the worker does it, alone with this tenant, up to where it dies. False: it came to the end. */
  async function moveAndDie(tenant: TestTenant, placement: string, dies: number): Promise<boolean> {
    const { app, stores } = homed.loci.server;
    const { homes, alive } = dyingHomes(app.get(Homes), dies);
    const mirror = new HomeMirror(homes, app.get(AuditTrail));
    const moves = new LedgerMove(homes, mirror, new Erasure(homes, app.get(AuditTrail)));
    const to = { placement, home: placement === 'acme' ? 'acme' : MAIN, raise: 1 } as const;
    await stores.database.exclusively(moveOf(tenant.id as TenantId), async () => {
      await stores.database.asSystem((manager) =>
        manager.query('UPDATE tenants SET moving_to = $2 WHERE id = $1', [tenant.id, placement]),
      );
      const here = await app.get(TenantDirectory).tenantById(tenant.id as TenantId);
      if (here === null) throw new Error(`${tenant.slug} is not there`);
      try {
        await mirror.push(here.id);
        await moves.follow(here, to);
        await moves.change(here, to);
      } catch (error) {
        if (alive()) throw error;
      }
    });
    return !alive();
  }

  it.each([
    ['shared', 'acme'],
    ['acme', 'shared'],
  ])(
    'arrives with all it holds, whatever moment its mover dies at: from %s to %s',
    async (from, to) => {
      const { loci, own } = homed;
      const moves = loci.server.app.get(TenantMove);
      const palaces = await Promise.all(
        Array.from({ length: MOMENTS }, async () => {
          const tenant = await loci.tenant({ placement: from });
          for (const place of ['quay', 'yard']) {
            await tenant.post('/memory', { content: `A bollard at the ${place}.`, session_id: 'bollards' });
          }
          return tenant;
        }),
      );
      const died: boolean[] = [];
      const late: Promise<number>[] = [];
      for (const [moment, tenant] of palaces.entries()) {
        died.push(await moveAndDie(tenant, to, moment + 1));
        const content = 'A bollard in between.';
        late.push(tenant.post('/memory', { content }).then(({ status }) => status));
        moves.look();
      }
      // Whatever state it was left in, a write is taken, or refused for a while; never taken and lost.
      const taken = await Promise.all(late);
      for (const status of taken) expect([201, 503]).toContain(status);
      // All the moments there are, and then one at which it was through.
      expect(died.slice(0, 15)).toEqual(Array<boolean>(15).fill(true));
      expect(died.at(-1)).toBe(false);
      const [left, there] = to === 'acme' ? [loci.database, own] : [own, loci.database];
      for (const [moment, tenant] of palaces.entries()) {
        const kept = taken[moment] === 201 ? 3 : 2;
        await settledIn(loci, tenant.slug, to);
        const verdict = await loci.operator.post(`/admin/tenants/${tenant.slug}/verify`);
        expect([moment, verdict.body]).toMatchObject([moment, { equal: true, vectors: { in_ledger: kept } }]);
        expect([moment, (await rowsOf(there, tenant.id))['memories']]).toEqual([moment, kept]);
        let rows: Record<string, number> = {};
        for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
          rows = await rowsOf(left, tenant.id);
          if (LEDGER_TABLES.every((table) => rows[table] === 0)) break;
          moves.look();
          await new Promise((resume) => setTimeout(resume, 100));
        }
        expect([moment, LEDGER_TABLES.filter((table) => rows[table] !== 0)]).toEqual([moment, []]);
      }
    },
    180_000,
  );
});
