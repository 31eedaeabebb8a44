import type { SpaceName, TenantId } from '../tenancy/tenant.js';

/** Which ledger a projection was built from: the tenant's UUID and its epoch, `<uuid>:<epoch>`. */
export type LedgerId = `${string}:${number}`;

export function ledgerId(tenant: TenantId, epoch: number): LedgerId {
  return `${tenant}:${epoch}`;
}

/** How far a projection has applied which ledger. A store that holds nothing: `{ledger: null, revision: 0}`. */
export interface Watermark {
  ledger: LedgerId | null;
  revision: number;
}

export const NOTHING_APPLIED: Watermark = { ledger: null, revision: 0 };

export function sameWatermark(a: Watermark, b: Watermark): boolean {
  return a.ledger === b.ledger && a.revision === b.revision;
}

/** Where a tenant's ledger stands. */
export interface LedgerHead {
  ledger: LedgerId;
  revision: number;
}

/** What the ledger holds after a watermark, read in one statement. */
export interface Changes<Item> {
  ledger: LedgerId;
  /** The revision that is reached when the items are applied. */
  to: number;
  /** Whole items in revision order, tombstones too. */
  items: Item[];
  /** Items that cannot be opened, as tombstones: to be recorded, and passed. */
  unreadable: { item: Item; error: unknown }[];
  /** There are more beyond the limit. */
  cut: boolean;
  /** Those, where the ledger has begun to read them already. */
  next?: () => Promise<Changes<Item>>;
}

/** Whole items in revision order, tombstones among them, that take a projection from one watermark to another. */
export interface Batch<Item> {
  ledger: LedgerId;
  /** The watermark that the items were read after. Where it has moved, nothing is applied. */
  from: Watermark;
  /** The revision up to which the ledger is applied once this batch is. */
  to: number;
  items: Item[];
}

/** `moved`: the watermark was no longer `from`; nothing was changed, start again from the new one. */
export type Applied = 'applied' | 'moved';

/** Where a tenant's projections live in their engines. */
export interface SpaceAddress {
  tenant: TenantId;
  name: SpaceName;
}

/**
 * An index built from one tenant's ledger. Disposable: whatever it loses, the ledger still has.
 *
 * Guarantees, held by `test/contracts`:
 * - The watermark is read from the store itself at every call, and is changed in the same step as the items.
 * - `apply` is all or nothing, and conditional on `from`. Where `from.ledger` is not `batch.ledger`
 *   (an empty store, or another ledger's), everything in the store is dropped first.
 * - An item never overwrites one with a newer revision, nor revives one whose tombstone is as new or newer.
 * - Reading never creates a store.
 */
export abstract class Projection<Item> {
  abstract watermark(): Promise<Watermark>;
  abstract apply(batch: Batch<Item>): Promise<Applied>;
  /** Removes everything, watermark included. Dropping what is not there is no error. */
  abstract drop(): Promise<void>;
}
