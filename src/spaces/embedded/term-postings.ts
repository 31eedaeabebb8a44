import { bytesOf, uint32sOf } from './blobs.js';
import type { TenantFile } from './tenant-file.js';
import type { TermCounts } from './term-counts.js';

/** Places in one stored block of a term: a block is rewritten whole, so it is at most 32 KB. */
const BLOCK_BITS = 13;
const BLOCK = 2 ** BLOCK_BITS;

/** One entry: the place within its block, and how often the term occurs alone and joined. */
function entryOf(place: number, counts: number): number {
  return ((place % BLOCK) << 16) | counts;
}

interface Changes {
  removed: Set<number>;
  added: number[];
}

/**
 * The inverted index of one workspace: for each term, which memories hold it and how often.
 *
 * Our own and not FTS5's, measured on 10,000 memories of conversation, alone and joined: FTS5 4.5 ms for a question
 * (38 ms at 100,000), this less than a tenth of it. FTS5 looks up every match's length in a tree of its own, needs an
 * index for each part, and counts how rare a word is over all workspaces together, so that siblings' words would
 * show in the scores.
 */
export class TermPostings {
  private readonly changes = new Map<number, Changes>();

  constructor(
    private readonly file: TenantFile,
    private readonly table: string,
    private readonly ws: number,
  ) {}

  remove(place: number, terms: TermCounts): void {
    for (let at = 0; at < terms.length; at += 2)
      this.change(terms[at] ?? 0, place).removed.add(place % BLOCK);
  }

  add(place: number, terms: TermCounts): void {
    for (let at = 0; at < terms.length; at += 2) {
      this.change(terms[at] ?? 0, place).added.push(entryOf(place, terms[at + 1] ?? 0));
    }
  }

  /** Writes what was added and removed since the last time, each block once. Removals come first. */
  flush(): void {
    const read = this.file
      .sql(`SELECT entries FROM ${this.table} WHERE ws = ? AND term = ? AND block = ?`)
      .pluck();
    const write = this.file.sql(`INSERT OR REPLACE INTO ${this.table} VALUES (?, ?, ?, ?)`);
    const clear = this.file.sql(`DELETE FROM ${this.table} WHERE ws = ? AND term = ? AND block = ?`);
    for (const [at, { removed, added }] of this.changes) {
      const term = Math.floor(at / BLOCKS);
      const block = at % BLOCKS;
      const stored = read.get(this.ws, term, block);
      const entries = merge(stored === undefined ? new Uint32Array(0) : uint32sOf(stored), removed, added);
      if (entries.length === 0) clear.run(this.ws, term, block);
      else write.run(this.ws, term, block, bytesOf(entries));
    }
    this.changes.clear();
  }

  private change(term: number, place: number): Changes {
    const at = term * BLOCKS + Math.floor(place / BLOCK);
    let changes = this.changes.get(at);
    if (changes === undefined) {
      changes = { removed: new Set(), added: [] };
      this.changes.set(at, changes);
    }
    return changes;
  }
}

/** Term and block in one exact integer: 32 bits and 19. */
const BLOCKS = 2 ** 19;

function merge(stored: Uint32Array, removed: Set<number>, added: number[]): Uint32Array {
  const kept = removed.size === 0 ? stored : stored.filter((entry) => !removed.has(entry >>> 16));
  const merged = new Uint32Array(kept.length + added.length);
  merged.set(kept);
  merged.set(added, kept.length);
  return merged;
}

/** Calls back with every stored entry of a workspace. */
export function eachPosting(
  file: TenantFile,
  table: string,
  ws: number,
  found: (term: number, place: number, counts: number) => void,
): void {
  const rows = file.sql(`SELECT term, block, entries FROM ${table} WHERE ws = ?`).raw().iterate(ws);
  for (const [term, block, entries] of rows as Iterable<[number, number, unknown]>) {
    for (const entry of uint32sOf(entries)) found(term, block * BLOCK + (entry >>> 16), entry & 0xffff);
  }
}

/** Calls back with every stored block of a term. */
export function readPostings(
  file: TenantFile,
  table: string,
  ws: number,
  term: number,
  found: (firstPlace: number, entries: Uint32Array) => void,
): void {
  const rows = file.sql(`SELECT block, entries FROM ${table} WHERE ws = ? AND term = ?`).raw().all(ws, term);
  for (const row of rows as [number, unknown][]) found(row[0] * BLOCK, uint32sOf(row[1]));
}
