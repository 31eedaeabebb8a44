import type { ChangeKind, LedgerWrite } from '../ledger/ledger-write.js';
import type { Tenant } from '../tenancy/principal.js';
import type { WorkspaceId } from '../tenancy/tenant.js';

/** That an item of a ledger has changed: its latest revision. What it is now is read where it matters. */
export interface LedgerChange {
  workspace: WorkspaceId;
  kind: ChangeKind;
  id: string;
  revision: number;
  gone: boolean;
}

/** Writes what a follower has worked out, in the transaction that moves its watermark. Nothing slow belongs inside. */
export type Settle = (tx: LedgerWrite) => Promise<void>;

/**
 * Work that follows what changes in ledgers, in the background: enrichment, triggers. It knows the one trick, as any
 * projection does: it has a watermark, and handles what changed above it, in revision order, whole items at a time.
 *
 * The watermark is in the ledger and moves by compare-and-set in the transaction of what the follower writes: after a
 * crash, and beside other replicas, every change is settled exactly once. `handle` itself may run again for a change,
 * so it changes nothing; an item may have changed again since, so what it writes is checked against the ledger.
 */
export interface Follower {
  readonly name: string;
  /** Of which things the changes concern it: the others are passed unseen. */
  readonly kinds: readonly ChangeKind[];
  /** The most changes that it takes at once: what one tenant may keep the others waiting with. */
  readonly batch: number;
  /** How long it lets changes gather, from the first on, before it looks at them. Milliseconds. */
  readonly lingerMs: number;
  /** Whether it makes way for requests: it waits for a calm moment, and otherwise takes a small part of the time. */
  readonly patient: boolean;
  /** Whether it is on for this tenant. What changes while it is off is passed, and handled by no one. */
  follows(tenant: Tenant): boolean | Promise<boolean>;
  /**
   * Works out what these changes come to, where everything up to the revision `from` is handled. Null: to nothing. It may
   * see again what it has written itself.
   *
   * Where it throws, each change is handled alone; the first that fails again is tried later, several times, and then
   * set aside and passed. Errors that say when to come back (`retryAfter`) and those of stores that are away count
   * against nothing: the tenant is tried again, however often.
   */
  handle(tenant: Tenant, changes: readonly LedgerChange[], from: number): Promise<Settle | null>;
}
