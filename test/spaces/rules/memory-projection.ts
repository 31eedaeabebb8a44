import { Projection, type Applied, type Batch, type Watermark } from '../../../src/spaces/projection.js';
import { ItemRefused } from '../../../src/spaces/space-errors.js';
import { livingIn, type Thing } from './memory-ledger.js';
import { MemoryStore, Wire, type Shown } from './memory-store.js';

export interface Transacted {
  mark: Watermark;
  things: ReadonlyMap<string, Thing>;
}

export function transactedStore(): MemoryStore<Transacted> {
  return new MemoryStore<Transacted>({ mark: { ledger: null, revision: 0 }, things: new Map() });
}

/** A projection in a store with transactions, as SQLite and FalkorDB are: items and watermark change in one step. */
export class MemoryProjection extends Projection<Thing> implements Shown {
  /** Ids that this engine refuses, whatever the revision. */
  refuses: ReadonlySet<string> = new Set();
  applied = 0;

  constructor(
    protected readonly store = transactedStore(),
    protected readonly wire = new Wire(),
  ) {
    super();
  }

  watermark(): Promise<Watermark> {
    return this.wire.call(() => this.at);
  }

  apply(batch: Batch<Thing>): Promise<Applied> {
    return this.wire.call(() => {
      if (!same(this.at, batch.from)) return 'moved';
      const refused = batch.items.find((item) => this.refuses.has(item.id));
      if (refused !== undefined) throw new ItemRefused(refused, 'this engine does not take it');
      const things = new Map(this.at.ledger === batch.ledger ? this.store.state.things : []);
      for (const item of batch.items) putNewest(things, item.id, item);
      this.store.change({ mark: { ledger: batch.ledger, revision: batch.to }, things });
      this.applied++;
      return 'applied';
    });
  }

  async drop(): Promise<void> {
    await this.wire.call(() => this.store.change({ mark: { ledger: null, revision: 0 }, things: new Map() }));
  }

  get held(): Thing[] {
    return livingIn(this.store.state.things.values());
  }

  get at(): Watermark {
    return this.store.state.mark;
  }
}

export function same(a: Watermark, b: Watermark): boolean {
  return a.ledger === b.ledger && a.revision === b.revision;
}

/** Neither over what is newer, nor over a tombstone as new. */
export function putNewest(things: Map<string, Thing>, key: string, item: Thing): void {
  const known = things.get(key);
  if (known !== undefined && known.revision > item.revision) return;
  if (known !== undefined && known.revision === item.revision && known.gone) return;
  things.set(key, item);
}
