/** A memory's place in its session: by its own time, then by its order of arrival. */
export interface ChainLink {
  id: string;
  timestamp: number;
  position: number;
  /** The memory before it, as the ledger has it so far. */
  previous: string | null;
}

/** A memory that has another predecessor than before. */
export interface Relink {
  id: string;
  previous: string | null;
}

/**
 * Puts memories into a session's order and tells whose predecessor changes.
 *
 * `known`: the part of the session that the ledger holds around the added ones: everything between the first and the
 * last of them, the one before and the one after. The first known memory's own predecessor lies outside and stays.
 */
export function weave(known: ChainLink[], added: ChainLink[]): Relink[] {
  const chain = [...known, ...added].sort(inOrder);
  const relinks: Relink[] = [];
  let before: ChainLink | null = null;
  for (const link of chain) {
    const previous: string | null = before === null ? link.previous : before.id;
    if (previous !== link.previous) relinks.push({ id: link.id, previous });
    before = link;
  }
  return relinks;
}

function inOrder(a: ChainLink, b: ChainLink): number {
  return a.timestamp - b.timestamp || a.position - b.position;
}
