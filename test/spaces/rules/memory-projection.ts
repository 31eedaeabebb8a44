import { ledgerId, type Batch, type Changes, type Watermark } from '../../../src/spaces/projection.js';
import { Projection, type Applied, type LedgerId } from '../../../src/spaces/projection.js';
import { ItemRefused } from '../../../src/spaces/space-errors.js';
import type { TenantId } from '../../../src/tenancy/tenant.js';

/** The least that can be projected. */
export interface Thing {
  id: string;
  revision: number;
  gone: boolean;
}

/** Lets others through: what is asked of a store takes a while, and so does its answer. */
export type Turn = () => Promise<unknown>;

/**
 * A projection in memory, for trying every interleaving with `CatchUp`: held to the contract of all projections.
 * It can be wiped and rolled back behind everybody's back, as a store's disk can.
 */
export class MemoryProjection extends Projection<Thing> {
  private mark: Watermark = { ledger: null, revision: 0 };
  private things = new Map<string, Thing>();
  /** Ids that this engine refuses, whatever the revision. */
  refuses: ReadonlySet<string> = new Set();
  /** Thrown by the next call, once. */
  outage: Error | null = null;
  applied = 0;

  constructor(private readonly turn: Turn = () => Promise.resolve()) {
    super();
  }

  async watermark(): Promise<Watermark> {
    return this.work(() => this.mark);
  }

  async apply(batch: Batch<Thing>): Promise<Applied> {
    return this.work(() => {
      if (this.mark.ledger !== batch.from.ledger || this.mark.revision !== batch.from.revision)
        return 'moved';
      const refused = batch.items.find((item) => this.refuses.has(item.id));
      if (refused !== undefined) throw new ItemRefused(refused, 'this engine does not take it');
      if (this.mark.ledger !== batch.ledger) this.things = new Map();
      for (const item of batch.items) this.put(item);
      this.mark = { ledger: batch.ledger, revision: batch.to };
      this.applied++;
      return 'applied';
    });
  }

  async drop(): Promise<void> {
    await this.work(() => this.wipe());
  }

  /** Id and revision of what it holds, tombstones left out. */
  get held(): { id: string; revision: number }[] {
    return [...this.things.values()]
      .filter(({ gone }) => !gone)
      .map(({ id, revision }) => ({ id, revision }))
      .sort((a, b) => a.id.localeCompare(b.id));
  }

  get at(): Watermark {
    return this.mark;
  }

  wipe(): void {
    this.mark = { ledger: null, revision: 0 };
    this.things = new Map();
  }

  /** What it is now; call the result to put it back. */
  copy(): () => void {
    const [mark, things] = [this.mark, new Map(this.things)];
    return () => {
      this.mark = mark;
      this.things = new Map(things);
    };
  }

  private put(item: Thing): void {
    const known = this.things.get(item.id);
    if (known !== undefined && known.revision > item.revision) return;
    if (known !== undefined && known.revision === item.revision && known.gone) return;
    this.things.set(item.id, item);
  }

  private async work<T>(step: () => T): Promise<T> {
    await this.turn();
    const { outage } = this;
    this.outage = null;
    if (outage !== null) throw outage;
    const result = step();
    await this.turn();
    return result;
  }
}

/** One tenant's ledger in memory: each commit takes the next revisions, and an item shows once, at its latest. */
export class MemoryLedger {
  revision = 0;
  private epoch = 1;
  private changes = new Map<string, Thing>();

  constructor(private readonly turn: Turn = () => Promise.resolve()) {}

  get id(): LedgerId {
    return ledgerId('00000000-0000-4000-8000-000000000000' as TenantId, this.epoch);
  }

  commit(changed: { id: string; gone: boolean }[]): void {
    for (const { id, gone } of changed) this.changes.set(id, { id, gone, revision: ++this.revision });
  }

  /** Read in one statement, and handed over later. */
  async after(after: number, limit: number): Promise<Changes<Thing>> {
    await this.turn();
    const newer = [...this.changes.values()]
      .filter(({ revision }) => revision > after)
      .sort((a, b) => a.revision - b.revision);
    const items = newer.slice(0, limit);
    const cut = items.length === limit;
    const changes = {
      ledger: this.id,
      to: cut ? (items.at(-1)?.revision ?? 0) : this.revision,
      items,
      unreadable: [],
      cut,
    };
    await this.turn();
    return changes;
  }

  get live(): { id: string; revision: number }[] {
    return [...this.changes.values()]
      .filter(({ gone }) => !gone)
      .map(({ id, revision }) => ({ id, revision }))
      .sort((a, b) => a.id.localeCompare(b.id));
  }

  /** What it is now; call the result to restore it, under another epoch where a restore says that it is one. */
  backup(): (options: { newEpoch: boolean }) => void {
    const [revision, changes] = [this.revision, new Map(this.changes)];
    return ({ newEpoch }) => {
      this.revision = revision;
      this.changes = new Map(changes);
      if (newEpoch) this.epoch++;
    };
  }
}
