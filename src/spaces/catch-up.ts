import {
  sameWatermark,
  type LedgerId,
  type Applied,
  type Batch,
  type Changes,
  type Projection,
  type Watermark,
} from './projection.js';
import { SpaceUnavailable } from './space-errors.js';

/** Whole items in one step: enough to be quick, few enough to be undone cheaply, and to read the next meanwhile. */
const BATCH = 250;
/** A watermark that keeps moving means another replica is catching up too: it is its turn, not a fault. */
const MOST_RACES = 50;

/**
 * What one write has just committed, as the ledger would tell it to whoever asks after the revision `from`. It saves reading
 * it back, where the projection stands at just that revision; and is otherwise of no use, and harmless.
 */
export interface Committed<Item> {
  ledger: LedgerId;
  from: number;
  to: number;
  /** All that changed between the two. */
  items: Item[];
}

/** What those who wait for one run want of it. */
interface Wanted<Item> {
  committed: Committed<Item>[];
  /** Whether somebody wants all that the ledger holds, and not only what was committed here. */
  everything: boolean;
}

/** Reads the ledger after a revision, for one tenant and one projection. */
export type ChangesAfter<Item> = (after: number, limit: number) => Promise<Changes<Item>>;

/** Records an item that the engine refuses, so that the next ones can pass. */
export type Unindexable<Item> = (item: Item, error: unknown) => Promise<void>;

/**
 * The one trick every projection knows: ask its watermark, read the ledger after it, apply.
 *
 * Nothing else repairs, moves or migrates an index. Single-flight: who comes while one runs shares the next, as
 * group commit does. It waits for the next one because the one that runs may have read before the comer's commit.
 */
export class CatchUp<Item extends { revision: number }> {
  private running: Promise<void> | null = null;
  private next: Promise<void> | null = null;
  /** Of the run that starts next. */
  private wanted: Wanted<Item> = nothingWanted();

  constructor(
    private readonly projection: Projection<Item>,
    private readonly changesAfter: ChangesAfter<Item>,
    private readonly unindexable: Unindexable<Item>,
    /** An engine's failure that is about the engine and not about an item. */
    private readonly isOutage: (error: unknown) => boolean,
  ) {}

  /**
   * Resolves once everything that was committed before this call is applied; with `committed`, once that is, and all
   * before it. Rejects with the engine's outage.
   */
  run(committed: Committed<Item> | null = null): Promise<void> {
    if (committed === null) this.wanted.everything = true;
    else this.wanted.committed.push(committed);
    if (this.running === null) return this.start();
    this.next ??= this.running.catch(() => undefined).then(() => this.start());
    return this.next;
  }

  private start(): Promise<void> {
    this.next = null;
    const { wanted } = this;
    this.wanted = nothingWanted();
    const run = this.apply(wanted).finally(() => {
      if (this.running === run) this.running = null;
    });
    this.running = run;
    return run;
  }

  private async apply(wanted: Wanted<Item>): Promise<void> {
    let ahead: { from: Watermark; changes: Promise<Changes<Item>> } | null = null;
    for (let races = 0; races < MOST_RACES;) {
      const from = await this.projection.watermark();
      // Read while the batch before was applied: of use where the watermark is the one that it was read for.
      const readAhead: Promise<Changes<Item>> | null =
        ahead !== null && sameWatermark(ahead.from, from) ? ahead.changes : null;
      ahead = null;
      const brought = readAhead === null ? broughtAfter(from, wanted.committed) : null;
      if (brought !== null) {
        if ((await this.applyOrSplit(brought)) === 'moved') races++;
        else if (!wanted.everything && wanted.committed.every(({ to }) => to <= brought.to)) return;
        continue;
      }
      let changes: Changes<Item> = await (readAhead ?? this.changesAfter(from.revision, BATCH));
      if (from.ledger === changes.ledger && from.revision > changes.to) {
        // Ahead of the ledger: it was built from a later state, which the ledger has lost.
        await this.projection.drop();
        continue;
      }
      if (from.ledger !== changes.ledger && from.revision > 0) changes = await this.changesAfter(0, BATCH);
      // What the ledger itself cannot read is no reason to keep the rest waiting either.
      for (const { item, error } of changes.unreadable) await this.unindexable(item, error);
      const nothingNew = changes.items.length === 0;
      // Nothing to project makes no store; another ledger's store is emptied all the same.
      if (nothingNew && from.ledger === null) return;
      if (nothingNew && from.ledger === changes.ledger && from.revision === changes.to) return;
      const batch = { ledger: changes.ledger, from, to: changes.to, items: changes.items };
      if (changes.cut) {
        const next = changes.next?.() ?? this.changesAfter(changes.to, BATCH);
        // Whoever reads it hears of its failure; it may be that nobody does.
        next.catch(() => undefined);
        ahead = { from: { ledger: changes.ledger, revision: changes.to }, changes: next };
      }
      const applied = await this.applyOrSplit(batch);
      if (applied === 'moved') races++;
      else if (!changes.cut) return;
    }
    throw new SpaceUnavailable('the watermark moved at every attempt');
  }

  /** Where a batch is refused, halves find the item that is to blame; it is recorded and passed. */
  private async applyOrSplit(batch: Batch<Item>): Promise<Applied> {
    try {
      return await this.projection.apply(batch);
    } catch (error) {
      if (this.isOutage(error)) throw error;
      const [only] = batch.items;
      if (only === undefined) throw error;
      if (batch.items.length === 1) {
        await this.unindexable(only, error);
        return this.projection.apply({ ...batch, items: [] });
      }
      return this.applyHalves(batch);
    }
  }

  private async applyHalves(batch: Batch<Item>): Promise<Applied> {
    const middle = Math.ceil(batch.items.length / 2);
    const head = batch.items.slice(0, middle);
    const reached = head.at(-1)?.revision ?? batch.to;
    const first = await this.applyOrSplit({ ...batch, to: reached, items: head });
    if (first === 'moved') return first;
    const from = { ledger: batch.ledger, revision: reached };
    return this.applyOrSplit({ ...batch, from, items: batch.items.slice(middle) });
  }
}

function nothingWanted<Item>(): Wanted<Item> {
  return { committed: [], everything: false };
}

/** What several writes have committed one after the other from just this watermark on, as one batch. */
function broughtAfter<Item extends { revision: number }>(
  from: Watermark,
  committed: Committed<Item>[],
): Batch<Item> | null {
  const { ledger } = from;
  if (ledger === null) return null;
  const items: Item[] = [];
  let to = from.revision;
  for (const one of [...committed].sort((a, b) => a.from - b.from)) {
    if (one.ledger !== ledger || one.to <= to) continue;
    // Something else was written in between.
    if (one.from > to) break;
    for (const item of one.items) {
      if (item.revision <= to) continue;
      if (items.length === BATCH) return { ledger, from, to, items };
      items.push(item);
      to = item.revision;
    }
    to = one.to;
  }
  return to === from.revision ? null : { ledger, from, to, items };
}
