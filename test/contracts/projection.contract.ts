import type { Applied, Batch, LedgerId, Projection, Watermark } from '../../src/spaces/projection.js';

export const EMPTY: Watermark = { ledger: null, revision: 0 };

/** Applies items as `catchUp` would: after the watermark that is there, up to the last item's revision. */
export async function applyItems<Item extends { revision: number }>(
  projection: Projection<Item>,
  ledger: LedgerId,
  items: Item[],
  to = Math.max(0, ...items.map(({ revision }) => revision)),
): Promise<Applied> {
  const from = await projection.watermark();
  return projection.apply({
    ledger,
    from,
    to: Math.max(to, from.ledger === ledger ? from.revision : 0),
    items,
  });
}

export interface Case<Item> {
  projection: Projection<Item>;
  ledger: LedgerId;
  otherLedger: LedgerId;
  /** An item with this number for an id. */
  item(id: number, revision: number): Item;
  tombstone(id: number, revision: number): Item;
  /** What the store holds: number and revision. */
  held(): Promise<{ id: number; revision: number }[]>;
  exists(): Promise<boolean>;
}

/** What every projection guarantees, whatever it indexes: the docstring of `Projection`, clause by clause. */
export function projectionContract<Item extends { revision: number }>(open: () => Case<Item>): void {
  let c: Case<Item>;
  beforeEach(() => {
    c = open();
  });
  const batch = (from: Watermark, to: number, items: Item[], ledger = c.ledger): Batch<Item> => ({
    ledger,
    from,
    to,
    items,
  });

  it('has an empty watermark where nothing was applied', async () => {
    expect(await c.projection.watermark()).toEqual(EMPTY);
  });

  it('is not made by reading', async () => {
    await c.projection.watermark();
    expect(await c.held()).toEqual([]);
    expect(await c.exists()).toBe(false);
  });

  it('takes a batch and its watermark in one step', async () => {
    expect(await c.projection.apply(batch(EMPTY, 9, [c.item(1, 3), c.item(2, 7)]))).toBe('applied');
    expect(await c.projection.watermark()).toEqual({ ledger: c.ledger, revision: 9 });
    expect(await c.held()).toEqual([
      { id: 1, revision: 3 },
      { id: 2, revision: 7 },
    ]);
  });

  it('takes a batch without items', async () => {
    expect(await c.projection.apply(batch(EMPTY, 4, []))).toBe('applied');
    expect(await c.projection.watermark()).toEqual({ ledger: c.ledger, revision: 4 });
  });

  it.each([
    ['an older revision', 2],
    ['a newer revision', 8],
  ])('changes nothing where the batch was read after %s', async (_, revision) => {
    await c.projection.apply(batch(EMPTY, 5, [c.item(1, 5)]));
    const moved = batch({ ledger: c.ledger, revision }, 9, [c.item(2, 9), c.tombstone(1, 8)]);
    expect(await c.projection.apply(moved)).toBe('moved');
    expect(await c.projection.watermark()).toEqual({ ledger: c.ledger, revision: 5 });
    expect(await c.held()).toEqual([{ id: 1, revision: 5 }]);
  });

  it("changes nothing where the batch was read after another ledger's watermark", async () => {
    await c.projection.apply(batch(EMPTY, 5, [c.item(1, 5)]));
    expect(await c.projection.apply(batch({ ledger: c.otherLedger, revision: 5 }, 9, [c.item(2, 9)]))).toBe(
      'moved',
    );
    expect(await c.projection.apply(batch(EMPTY, 9, [c.item(2, 9)]))).toBe('moved');
    expect(await c.held()).toEqual([{ id: 1, revision: 5 }]);
  });

  it('makes nothing for a batch that was read after a watermark it never had', async () => {
    expect(await c.projection.apply(batch({ ledger: c.ledger, revision: 3 }, 4, [c.item(1, 4)]))).toBe(
      'moved',
    );
    expect(await c.projection.watermark()).toEqual(EMPTY);
    expect(await c.exists()).toBe(false);
  });

  it('lets one of two racing batches through', async () => {
    const racing = [c.item(1, 1), c.item(2, 2)].map((item) =>
      c.projection.apply(batch(EMPTY, item.revision, [item])),
    );
    expect((await Promise.all(racing)).sort()).toEqual(['applied', 'moved']);
    expect(await c.held()).toHaveLength(1);
  });

  it("drops everything of another ledger before it takes this one's", async () => {
    await c.projection.apply(
      batch(EMPTY, 50, [c.item(1, 49), c.item(2, 50), c.tombstone(3, 48)], c.otherLedger),
    );
    const from = { ledger: c.otherLedger, revision: 50 };
    expect(await c.projection.apply(batch(from, 2, [c.item(2, 1), c.item(3, 2)]))).toBe('applied');
    expect(await c.projection.watermark()).toEqual({ ledger: c.ledger, revision: 2 });
    // Also the tombstone of 3 and the newer revision of 2 are gone: they were another ledger's.
    expect(await c.held()).toEqual([
      { id: 2, revision: 1 },
      { id: 3, revision: 2 },
    ]);
  });

  it('never lets an older revision overwrite a newer one', async () => {
    await applyItems(c.projection, c.ledger, [c.item(1, 5)], 9);
    await applyItems(c.projection, c.ledger, [c.item(1, 4)]);
    expect(await c.held()).toEqual([{ id: 1, revision: 5 }]);
    await applyItems(c.projection, c.ledger, [c.item(1, 10)]);
    expect(await c.held()).toEqual([{ id: 1, revision: 10 }]);
  });

  it('never revives an item whose tombstone is as new or newer', async () => {
    await applyItems(c.projection, c.ledger, [c.item(1, 1)]);
    await applyItems(c.projection, c.ledger, [c.tombstone(1, 6)]);
    await applyItems(c.projection, c.ledger, [c.item(1, 5)]);
    await applyItems(c.projection, c.ledger, [c.item(1, 6)]);
    expect(await c.held()).toEqual([]);
    await applyItems(c.projection, c.ledger, [c.item(1, 7)]);
    expect(await c.held()).toEqual([{ id: 1, revision: 7 }]);
  });

  it('remembers a tombstone that came before its item', async () => {
    await applyItems(c.projection, c.ledger, [c.tombstone(1, 6)]);
    await applyItems(c.projection, c.ledger, [c.item(1, 3), c.item(2, 4)]);
    expect(await c.held()).toEqual([{ id: 2, revision: 4 }]);
  });

  it('passes over a tombstone that is older than the item', async () => {
    await applyItems(c.projection, c.ledger, [c.item(1, 6)]);
    await applyItems(c.projection, c.ledger, [c.tombstone(1, 5)]);
    expect(await c.held()).toEqual([{ id: 1, revision: 6 }]);
  });

  it('takes an item that comes twice in one batch in its last revision', async () => {
    await applyItems(c.projection, c.ledger, [
      c.item(1, 1),
      c.tombstone(1, 2),
      c.item(1, 3),
      c.item(2, 4),
      c.tombstone(2, 5),
    ]);
    expect(await c.held()).toEqual([{ id: 1, revision: 3 }]);
  });

  it('is the same after a replay', async () => {
    const items = [c.item(1, 1), c.item(2, 2), c.tombstone(1, 3), c.item(3, 4)];
    await applyItems(c.projection, c.ledger, items);
    const before = await c.held();
    await applyItems(c.projection, c.ledger, items);
    await applyItems(c.projection, c.ledger, items.slice(0, 2));
    expect(await c.held()).toEqual(before);
  });

  it('is empty once dropped, tombstones too, and dropping again is no error', async () => {
    await applyItems(c.projection, c.ledger, [c.item(1, 1), c.tombstone(2, 9)]);
    await c.projection.drop();
    expect(await c.projection.watermark()).toEqual(EMPTY);
    expect(await c.held()).toEqual([]);
    await c.projection.drop();
    await applyItems(c.projection, c.ledger, [c.item(2, 2)]);
    expect(await c.held()).toEqual([{ id: 2, revision: 2 }]);
  });

  it('dropping makes no store', async () => {
    await c.projection.drop();
    expect(await c.exists()).toBe(false);
  });
}
