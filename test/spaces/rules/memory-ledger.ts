import type { Committed } from '../../../src/spaces/catch-up.js';
import { ledgerId, type Changes, type LedgerId } from '../../../src/spaces/projection.js';
import type { TenantId } from '../../../src/tenancy/tenant.js';

/** The least that can be projected. */
export interface Thing {
  id: string;
  revision: number;
  gone: boolean;
  /** Which write it is from: a revision that a restored ledger gives once more is another one's. */
  write: number;
}

/** Lets others through: what is asked of a store takes a while, and so does its answer. */
export type Turn = () => Promise<unknown>;

/** One tenant's ledger in memory: each commit takes the next revisions, and an item shows once, at its latest. */
export class MemoryLedger {
  revision = 0;
  private epoch = 1;
  private writes = 0;
  private changes = new Map<string, Thing>();

  constructor(private readonly turn: Turn = () => Promise.resolve()) {}

  get id(): LedgerId {
    return ledgerId('00000000-0000-4000-8000-000000000000' as TenantId, this.epoch);
  }

  /** What it has changed, as the writer knows it. */
  commit(changed: { id: string; gone: boolean }[]): Committed<Thing> {
    const write = ++this.writes;
    const from = this.revision;
    for (const { id, gone } of changed) this.changes.set(id, { id, gone, revision: ++this.revision, write });
    return { ledger: this.id, from, to: this.revision, items: this.newerThan(from) };
  }

  /** Read in one statement, and handed over later. */
  async after(after: number, limit: number): Promise<Changes<Thing>> {
    await this.turn();
    const items = this.newerThan(after).slice(0, limit);
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

  private newerThan(after: number): Thing[] {
    const newer = [...this.changes.values()].filter(({ revision }) => revision > after);
    return newer.sort((a, b) => a.revision - b.revision);
  }

  get live(): Thing[] {
    return livingIn(this.changes.values());
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

/** Tombstones left out, in the order of ids. */
export function livingIn(things: Iterable<Thing>): Thing[] {
  return [...things].filter(({ gone }) => !gone).sort((a, b) => a.id.localeCompare(b.id));
}
