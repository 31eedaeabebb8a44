import fc from 'fast-check';
import type { Applied, Batch, Watermark } from '../../../src/spaces/projection.js';
import { projectionContract } from '../../contracts/projection.contract.js';
import { holds } from '../../support/replayable.js';
import { MemoryLedger, type Thing } from './memory-ledger.js';
import { MemoryProjection, transactedStore, type Transacted } from './memory-projection.js';
import type { MemoryStore, Wire } from './memory-store.js';
import { PointwiseProjection, pointwiseStore } from './pointwise-projection.js';
import { play, story, type Kind, type Shows } from './stories.js';

const RUNS = 600;
/** In `npm run test:long` there are many more. */
jest.setTimeout(600_000);

const transacted: Kind<Transacted> = {
  store: transactedStore,
  reach: (store, wire) => new MemoryProjection(store, wire),
};
const pointwise = {
  store: pointwiseStore,
  reach: (store: ReturnType<typeof pointwiseStore>, wire: Wire) => new PointwiseProjection(store, wire),
};

function converges<State>(kind: Kind<State>) {
  return fc.asyncProperty(fc.scheduler(), story, (scheduler, told) => play(scheduler, told, kind));
}

describe.each([
  ['in one step', () => new MemoryProjection()],
  ['point by point', () => new PointwiseProjection()],
])('a projection in memory that writes %s', (_, open: () => Shows) => {
  projectionContract<Thing>(() => {
    const projection = open();
    const ledger = new MemoryLedger();
    const first = ledger.id;
    ledger.backup()({ newEpoch: true });
    return {
      projection,
      ledger: first,
      otherLedger: ledger.id,
      item: (id, revision) => ({ id: String(id), revision, gone: false, write: revision }),
      tombstone: (id, revision) => ({ id: String(id), revision, gone: true, write: revision }),
      held: async () => projection.held.map(({ id, revision }) => ({ id: Number(id), revision })),
      exists: async () => projection.at.ledger !== null,
    };
  });
});

/**
 * Any interleaving of writers and replicas, of processes that crash, of calls that are lost, done late or done twice, of
 * answers that are lost, of stores that are wiped or lose their last changes, and of ledgers that are restored.
 */
describe('whatever happens in whatever order, a projection', () => {
  it('ends as a fresh rebuild would, where items and watermark change in one step', () =>
    holds(converges(transacted), RUNS));

  it('ends as a fresh rebuild would, where they change point by point', () =>
    holds(converges(pointwise), RUNS));
});

/** That the property can fail: each of these breaks one rule of the projection, and is caught. */
describe('a projection that breaks a rule is found out:', () => {
  class Unconditional extends MemoryProjection {
    override apply(batch: Batch<Thing>): Promise<Applied> {
      return this.wire.call(() => {
        const things = new Map(this.store.state.things);
        for (const item of batch.items) things.set(item.id, item);
        this.store.change({ mark: { ledger: batch.ledger, revision: batch.to }, things });
        return 'applied';
      });
    }
  }

  class Remembering extends MemoryProjection {
    private remembered: Watermark | null = null;

    override async watermark(): Promise<Watermark> {
      return (this.remembered ??= await super.watermark());
    }

    override async apply(batch: Batch<Thing>): Promise<Applied> {
      const applied = await super.apply(batch);
      this.remembered = applied === 'applied' ? { ledger: batch.ledger, revision: batch.to } : null;
      return applied;
    }
  }

  class WatermarkFirst extends MemoryProjection {
    override async apply(batch: Batch<Thing>): Promise<Applied> {
      const applied = await super.apply({ ...batch, items: [] });
      if (applied === 'moved') return applied;
      await this.wire.call(() => {
        const things = new Map(this.store.state.things);
        for (const item of batch.items) things.set(item.id, item);
        this.store.change({ things });
      });
      return applied;
    }
  }

  it.each([
    ['one that applies whatever its watermark is', Unconditional],
    ['one that remembers its watermark and does not ask', Remembering],
    ['one that moves its watermark before the items', WatermarkFirst],
  ])('%s', async (_, Flawed: new (store: MemoryStore<Transacted>, wire: Wire) => Shows) => {
    const flawed = {
      store: transactedStore,
      reach: (store: MemoryStore<Transacted>, wire: Wire) => new Flawed(store, wire),
    };
    expect(await fc.check(converges(flawed), { numRuns: 500, seed: 1, endOnFailure: true })).toMatchObject({
      failed: true,
    });
  });
});
