import fc from 'fast-check';
import { CatchUp } from '../../../src/spaces/catch-up.js';
import type { Changes, LedgerId } from '../../../src/spaces/projection.js';
import { QdrantEngine } from '../../../src/spaces/qdrant/qdrant-engine.js';
import { isOutage } from '../../../src/spaces/space-errors.js';
import type { VectorItem, VectorSpace } from '../../../src/spaces/vector-space.js';
import { ledgerOf, newAddress, newWorkspace } from '../../contracts/engine-under-test.js';
import { point, question, towards } from '../../contracts/points.js';
import { QdrantStandIn, type Fault } from '../../support/qdrant/stand-in.js';

const MODEL = { name: 'recovery', dimensions: 4 };
const WORKSPACE = newWorkspace();
const LONG = process.env['LOCI_TEST_LONG'] !== undefined;
const TIME = LONG ? 600_000 : 120_000;

/** The ledger as a projection sees it: the latest state of each memory, in revision order. */
class LedgerInMemory {
  private readonly latest = new Map<number, VectorItem>();
  private revision = 0;
  private epoch = 1;

  constructor(private readonly ledgerAt: (epoch: number) => LedgerId) {}

  edit(id: number, gone: boolean): void {
    const revision = ++this.revision;
    const name = `m${id}`;
    this.latest.set(
      id,
      gone
        ? { workspace: WORKSPACE, id: name, revision, gone: true }
        : point(WORKSPACE, { id: name, revision, text: `word${revision}`, vector: towards(4, 1, revision) }),
    );
  }

  /** As a restore, a purge or a move does: another ledger from here on. */
  nextEpoch(): void {
    this.epoch++;
  }

  changesAfter = (after: number, limit: number): Promise<Changes<VectorItem>> => {
    const all = [...this.latest.values()]
      .filter(({ revision }) => revision > after)
      .sort((a, b) => a.revision - b.revision);
    const items = all.slice(0, limit);
    const cut = all.length > limit;
    const to = cut ? (items.at(-1)?.revision ?? after) : this.revision;
    return Promise.resolve({ ledger: this.ledgerAt(this.epoch), to, items, unreadable: [], cut });
  };

  held(): string[] {
    return [...this.latest.values()]
      .flatMap((item) => (item.gone ? [] : [`${item.id}@${item.revision}`]))
      .sort();
  }

  head(): { ledger: LedgerId; revision: number } {
    return { ledger: this.ledgerAt(this.epoch), revision: this.revision };
  }
}

function catchUp(space: VectorSpace, ledger: LedgerInMemory, batch = 500): CatchUp<VectorItem> {
  return new CatchUp<VectorItem>(
    space,
    (after, limit) => ledger.changesAfter(after, Math.min(limit, batch)),
    (item, error) => Promise.reject(new Error(`${item.id} was taken for unindexable: ${String(error)}`)),
    isOutage,
  );
}

async function expectEqual(space: VectorSpace, ledger: LedgerInMemory): Promise<void> {
  expect((await space.list()).map(({ id, revision }) => `${id}@${revision}`).sort()).toEqual(ledger.held());
  expect(await space.count()).toBe(ledger.held().length);
  const found = await space.search(question(WORKSPACE, { vector: towards(4, 1), limit: 300 }));
  expect(found.map(({ id }) => id).sort()).toEqual(
    ledger
      .held()
      .map((one) => one.split('@')[0])
      .sort(),
  );
}

describe('a collection that lost something', () => {
  let server: QdrantStandIn;
  let engine: QdrantEngine;
  const address = newAddress();
  let space: VectorSpace;
  let ledger: LedgerInMemory;

  beforeEach(async () => {
    server = await QdrantStandIn.start();
    engine = new QdrantEngine({ url: server.url, apiKey: null });
    space = engine.open(address, MODEL);
    ledger = new LedgerInMemory((epoch) => ledgerOf(address, epoch));
    for (let id = 0; id < 30; id++) ledger.edit(id, false);
    await catchUp(space, ledger, 8).run();
    for (let id = 0; id < 12; id++) ledger.edit(id, id % 3 === 0);
  });
  afterEach(async () => {
    await engine.close();
    await server.close();
  });

  it('catches up with a tail of any length that it lost', async () => {
    await catchUp(space, ledger, 8).run();
    const all = server.collections.get(address.name)?.changes.length ?? 0;
    for (let lost = 1; lost <= all; lost++) {
      server.loseTail(address.name, lost);
      await catchUp(space, ledger, 8).run();
      await expectEqual(space, ledger);
    }
    expect(all).toBeGreaterThan(15);
  });

  it('is filled anew where it was deleted under a running process', async () => {
    server.remove(address.name);
    await catchUp(space, ledger).run();
    await expectEqual(space, ledger);
  });

  it('meets its own half of a batch after a crash, and passes over it', async () => {
    let crash = true;
    // The points are written, the watermark is not.
    server.interfere = ({ route, body }) => {
      const { operations } = (body ?? {}) as { operations?: unknown[] };
      if (crash && route.endsWith('/points/batch') && operations !== undefined) operations.pop();
      return null;
    };
    const before = await space.watermark();
    const { items, to } = await ledger.changesAfter(before.revision, 500);
    expect(await space.apply({ ledger: ledgerOf(address), from: before, to, items })).toBe('moved');
    expect(await space.watermark()).toEqual(before);
    crash = false;
    await catchUp(space, ledger).run();
    await expectEqual(space, ledger);
  });

  it('starts a batch again whose first half was lost before its second came', async () => {
    for (let id = 100; id < 200; id++) ledger.edit(id, false);
    const halves = new QdrantEngine({ url: server.url, apiKey: null, requestBytes: 1 });
    let requests = 0;
    server.interfere = ({ route }) => {
      // Acknowledged, but not on disk yet when the server went down and came back.
      if (route.endsWith('/points/batch') && ++requests === 2) server.loseTail(address.name, 2);
      return null;
    };
    await catchUp(halves.open(address, MODEL), ledger).run();
    expect(requests).toBeGreaterThan(3);
    await expectEqual(space, ledger);
    await halves.close();
  });

  it('takes nothing from a writer that still believes in a former ledger', async () => {
    await catchUp(space, ledger).run();
    const late = ledger.head();
    const latePoint = point(WORKSPACE, { id: 'late', revision: 10_000, text: 'late', vector: towards(4, 1) });
    let release: () => void = () => undefined;
    const held = new Promise<null>((resolve) => {
      release = () => resolve(null);
    });
    const door = await QdrantStandIn.start({ beside: server });
    const other = new QdrantEngine({ url: door.url, apiKey: null });
    door.interfere = ({ route }) => (route.endsWith('/points/batch') ? held : null);
    const lateApply = other
      .open(address, MODEL)
      .apply({ ledger: late.ledger, from: late, to: 10_000, items: [latePoint] });
    await new Promise((resolve) => setTimeout(resolve, 30));
    ledger.nextEpoch();
    await catchUp(space, ledger).run();
    release();
    expect(await lateApply).toBe('moved');
    await expectEqual(space, ledger);
    await other.close();
    await door.close();
  });
});

type Step =
  | { kind: 'pass'; who: 0 | 1 }
  | { kind: 'fault'; who: 0 | 1; fault: Fault }
  | { kind: 'edit'; id: number; gone: boolean }
  | { kind: 'lose'; changes: number }
  | { kind: 'wipe' }
  | { kind: 'epoch' };

const who = fc.constantFrom<0 | 1>(0, 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 40, arbitrary: fc.record({ kind: fc.constant('pass' as const), who }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      who,
      fault: fc.constantFrom<Fault>('cut before', 'cut after', { status: 500 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('edit' as const), id: fc.nat(5), gone: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('lose' as const), changes: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'wipe' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'epoch' as const }) },
);

/** Two replicas, each behind a door that lets one request through when the course says so. */
class Replica {
  private waiting: ((fault: Fault | null) => void) | null = null;
  private arrived: (() => void) | null = null;
  private working: Promise<void> | null = null;

  constructor(
    readonly door: QdrantStandIn,
    readonly engine: QdrantEngine,
    private readonly line: () => CatchUp<VectorItem>,
  ) {
    door.interfere = ({ route }) => {
      // Made in parallel and without order among themselves.
      if (route.endsWith('/index')) return null;
      return new Promise((resolve) => {
        this.waiting = resolve;
        this.arrived?.();
      });
    };
  }

  /** Lets the next request through, of a catch-up that is under way or of a new one. */
  async step(fault: Fault | null): Promise<void> {
    this.working ??= this.line()
      .run()
      .catch((error: unknown) => {
        if (!isOutage(error)) throw error;
      })
      .finally(() => {
        this.working = null;
        this.arrived?.();
      });
    await this.standing();
    const pass = this.waiting;
    this.waiting = null;
    pass?.(fault);
    if (pass !== null) await this.standing();
  }

  /** Until the replica waits at its door or has nothing more to do. */
  private async standing(): Promise<void> {
    if (this.waiting !== null || this.working === null) return;
    await new Promise<void>((resolve) => {
      this.arrived = resolve;
    });
    this.arrived = null;
  }

  async finish(): Promise<void> {
    while (this.working !== null) await this.step(null);
  }

  async close(): Promise<void> {
    await this.finish();
    await this.engine.close();
    await this.door.close();
  }
}

it(
  'two replicas end up as the ledger says, in whatever order their requests come, are cut off, and are lost',
  async () => {
    const server = await QdrantStandIn.start({ validate: false });
    const plain = new QdrantEngine({ url: server.url, apiKey: null });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 160 }), async (course) => {
        const address = newAddress();
        const ledger = new LedgerInMemory((epoch) => ledgerOf(address, epoch));
        ledger.edit(0, false);
        const replicas = await Promise.all(
          [0, 1].map(async () => {
            const door = await QdrantStandIn.start({ beside: server, validate: false });
            const engine = new QdrantEngine({ url: door.url, apiKey: null });
            const space = engine.open(address, MODEL);
            return new Replica(door, engine, () => catchUp(space, ledger, 3));
          }),
        );
        for (const one of course) {
          if (one.kind === 'pass') await replicas[one.who]?.step(null);
          else if (one.kind === 'fault') await replicas[one.who]?.step(one.fault);
          else if (one.kind === 'edit') ledger.edit(one.id, one.gone);
          else if (one.kind === 'wipe') server.remove(address.name);
          else if (one.kind === 'epoch') ledger.nextEpoch();
          else if (server.collections.has(address.name)) server.loseTail(address.name, one.changes);
        }
        for (const replica of replicas) await replica.close();
        const space = plain.open(address, MODEL);
        await catchUp(space, ledger).run();
        expect(await space.watermark()).toEqual(ledger.head());
        await expectEqual(space, ledger);
        server.remove(address.name);
      }),
      // A failure is shrunk for a while, and then told with its seed.
      { numRuns: LONG ? 1_000 : 60, interruptAfterTimeLimit: TIME / 2 },
    );
    await plain.close();
    await server.close();
  },
  TIME,
);
