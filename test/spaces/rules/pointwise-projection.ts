import {
  Projection,
  type Applied,
  type Batch,
  type LedgerId,
  type Watermark,
} from '../../../src/spaces/projection.js';
import { livingIn, type Thing } from './memory-ledger.js';
import { putNewest } from './memory-projection.js';
import { MemoryStore, Wire, type Shown } from './memory-store.js';

interface Mark extends Watermark {
  ledger: LedgerId;
  /** New with every change. */
  stamp: number;
}

export interface Pointwise {
  mark: Mark | null;
  /** By ledger and id. */
  points: ReadonlyMap<string, Thing>;
}

export function pointwiseStore(): MemoryStore<Pointwise> {
  return new MemoryStore<Pointwise>({ mark: null, points: new Map() });
}

/** So many points share a request. */
const REQUEST = 2;
let stamps = 0;

/**
 * A projection in a store that has no transactions, by the rules that `QdrantVectorSpace` states: each point guarded by
 * itself, a stamp that every request renews and the next builds on, the watermark last and read back.
 */
export class PointwiseProjection extends Projection<Thing> implements Shown {
  constructor(
    private readonly store = pointwiseStore(),
    private readonly wire = new Wire(),
  ) {
    super();
  }

  watermark(): Promise<Watermark> {
    return this.wire.call(() => this.at);
  }

  async apply({ ledger, from, to, items }: Batch<Thing>): Promise<Applied> {
    const found = await this.mark();
    if ((found?.ledger ?? null) !== from.ledger || (found?.revision ?? 0) !== from.revision) return 'moved';
    let at = found ?? (await this.claim(ledger));
    if (at === null) return 'moved';
    const before = at.ledger;
    const requests = Array.from({ length: Math.max(1, Math.ceil(items.length / REQUEST)) }, (_, number) =>
      items.slice(number * REQUEST, (number + 1) * REQUEST),
    );
    for (const [number, some] of requests.entries()) {
      const isLast = number === requests.length - 1;
      const next: Mark = isLast ? { ledger, revision: to, stamp: ++stamps } : { ...at, stamp: ++stamps };
      const { stamp } = at;
      await this.wire.call(() => this.put(ledger, some, stamp, next));
      at = next;
    }
    if ((await this.mark())?.stamp !== at.stamp) return 'moved';
    if (before !== ledger) await this.wire.call(() => this.forget(before));
    return 'applied';
  }

  async drop(): Promise<void> {
    await this.wire.call(() => this.store.change({ mark: null, points: new Map() }));
  }

  get held(): Thing[] {
    const { mark, points } = this.store.state;
    return livingIn(
      [...points].filter(([key]) => key.startsWith(`${mark?.ledger} `)).map(([, thing]) => thing),
    );
  }

  get at(): Watermark {
    const { mark } = this.store.state;
    return { ledger: mark?.ledger ?? null, revision: mark?.revision ?? 0 };
  }

  private mark(): Promise<Mark | null> {
    return this.wire.call(() => this.store.state.mark);
  }

  /** The first watermark of a store that has none; null where somebody else was quicker. */
  private async claim(ledger: LedgerId): Promise<Mark | null> {
    const claim: Mark = { ledger, revision: 0, stamp: ++stamps };
    await this.wire.call(() => {
      if (this.store.state.mark === null) this.store.change({ mark: claim });
    });
    return (await this.mark())?.stamp === claim.stamp ? claim : null;
  }

  /** One point after the other, and the mark after all of them: each may be the last that reached the disk. */
  private put(ledger: LedgerId, items: Thing[], stamp: number, next: Mark): void {
    for (const item of items) {
      const points = new Map(this.store.state.points);
      putNewest(points, `${ledger} ${item.id}`, item);
      this.store.change({ points });
    }
    if (this.store.state.mark?.stamp === stamp) this.store.change({ mark: next });
  }

  private forget(ledger: LedgerId): void {
    const kept = [...this.store.state.points].filter(([key]) => !key.startsWith(`${ledger} `));
    this.store.change({ points: new Map(kept) });
  }
}
