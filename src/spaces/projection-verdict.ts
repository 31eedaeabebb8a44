import type { WorkspaceId } from '../tenancy/tenant.js';
import type { ChangesAfter } from './catch-up.js';
import { sameDigest, type Digest } from './digest.js';

/** One projection held against the ledger. The examples are kind, workspace and id, at most ten of each. */
export interface ProjectionVerdict {
  /** Both hold the same items at the same revisions, with the same content. */
  equal: boolean;
  inLedger: number;
  inProjection: number;
  /** In the ledger, not in the projection. */
  missing: Differences;
  /** In the projection, not in the ledger, or there twice. */
  surplus: Differences;
  /** In both, at another revision. */
  stale: Differences;
  /** In both, at the same revision, with other content: vectors, terms, filter fields, a relation's ends or strength. */
  changed: Differences;
}

interface Differences {
  count: number;
  examples: string[];
}

interface Named {
  kind?: 'memory' | 'relation';
  workspace: WorkspaceId;
  id: string;
  revision: number;
}

type Held = Named & { digest: Digest };

export interface Compared<Item> {
  changesAfter: ChangesAfter<Item>;
  /** Null: a tombstone. */
  digestOf: (item: Item) => Digest | null;
  /** Names and revisions (`nameAt`) of what the engine refused: not expected of it. */
  refused: ReadonlySet<string>;
  /** What the store holds, once it has caught up with all that was committed before the call. */
  list: () => Promise<Held[]>;
}

const PAGE = 500;
const EXAMPLES = 10;

/** The ledger is read to its end, then the store, then what the ledger took meanwhile: that is no difference. */
export async function verdictOn<Item extends Named>(compared: Compared<Item>): Promise<ProjectionVerdict> {
  const ledger = new Map<string, { revision: number; digest: Digest }>();
  const reached = await readAfter(0, compared.changesAfter, (item, readable) => {
    const isRefused = !readable || compared.refused.has(nameAt(item));
    const digest = isRefused ? null : compared.digestOf(item);
    if (digest === null) ledger.delete(nameOf(item));
    else ledger.set(nameOf(item), { revision: item.revision, digest });
  });
  const projection = new Map<string, Held>();
  const twice: string[] = [];
  for (const item of await compared.list()) {
    const name = nameOf(item);
    if (projection.has(name)) twice.push(name);
    projection.set(name, item);
  }
  const meanwhile = new Set<string>();
  await readAfter(reached, compared.changesAfter, (item) => void meanwhile.add(nameOf(item)));

  const settled = (names: Iterable<string>): string[] => [...names].filter((name) => !meanwhile.has(name));
  const wanted = settled(ledger.keys());
  const both = wanted.filter((name) => projection.has(name));
  const isStale = (name: string) => projection.get(name)?.revision !== ledger.get(name)?.revision;
  const isChanged = (name: string): boolean => {
    const [held, due] = [projection.get(name), ledger.get(name)];
    return held !== undefined && due !== undefined && !sameDigest(held.digest, due.digest);
  };
  const surplus = settled(projection.keys()).filter((name) => !ledger.has(name));
  const differences = {
    missing: told(wanted.filter((name) => !projection.has(name))),
    surplus: told([...surplus, ...settled(twice)]),
    stale: told(both.filter(isStale)),
    changed: told(both.filter((name) => !isStale(name) && isChanged(name))),
  };
  return {
    equal: Object.values(differences).every(({ count }) => count === 0),
    inLedger: ledger.size,
    inProjection: projection.size + twice.length,
    ...differences,
  };
}

/** An item at one of its revisions. */
export function nameAt(item: Named): string {
  return `${nameOf(item)}@${item.revision}`;
}

function nameOf({ kind = 'memory', workspace, id }: Omit<Named, 'revision'>): string {
  return `${kind}/${workspace}/${id}`;
}

/** Resolves with the revision that was reached. */
async function readAfter<Item extends Named>(
  from: number,
  changesAfter: ChangesAfter<Item>,
  meet: (item: Item, readable: boolean) => void,
): Promise<number> {
  for (let changes = await changesAfter(from, PAGE); ;) {
    const { items, unreadable, to, cut, next } = changes;
    for (const item of items) meet(item, true);
    for (const { item } of unreadable) meet(item, false);
    if (!cut) return to;
    changes = await (next?.() ?? changesAfter(to, PAGE));
  }
}

function told(names: string[]): Differences {
  return { count: names.length, examples: names.slice(0, EXAMPLES) };
}
