import type { SearchedWorkspace } from './passing.js';
import { hashTerm } from './term-counts.js';
import { readPostings } from './term-postings.js';
import type { WorkspaceIndex } from './workspace-index.js';

/** BM25's usual two: how soon repeats stop counting, and how much a long text is held against it. */
const K1 = 1.2;
const B = 0.75;
/** A question's first so many different terms count: it bounds the work, and nobody asks that much. */
const MOST_TERMS = 256;

/** BM25 by place; 0 where no term occurs. Valid until the next call. */
export interface TextScores {
  alone: Float64Array;
  joined: Float64Array;
  /** The places that have a score. */
  places: number[];
}

let alone = new Float64Array(0);
let joined = new Float64Array(0);
let touched: number[] = [];

/** Scores every memory of a workspace that the mask lets through. How rare a term is counts over the whole workspace. */
export function textScores(workspace: SearchedWorkspace, terms: string[], mask: Uint8Array): TextScores {
  const { file, tables, ws, index } = workspace;
  clear(index.places);
  const hashes = [...new Set(terms.map(hashTerm))].slice(0, MOST_TERMS);
  const tail = tailEntries(index, hashes);
  for (const [at, hash] of hashes.entries()) {
    const blocks: { first: number; entries: Uint32Array }[] = [];
    readPostings(file, `${tables}_postings`, ws, hash, (first, entries) => blocks.push({ first, entries }));
    addTerm(index, mask, blocks, tail[at] ?? []);
  }
  return { alone, joined, places: touched };
}

/** For each term the places in the tail that hold it, each followed by its counts. */
function tailEntries({ tail }: WorkspaceIndex, hashes: number[]): number[][] {
  const found: number[][] = hashes.map(() => []);
  const order = new Map(hashes.map((hash, at) => [hash, at]));
  // Most terms are none of the question's; one bit tells so without asking the map.
  const maybe = new Uint8Array(1024);
  for (const hash of hashes) maybe[hash & 1023] = 1;
  for (const [place, terms] of tail) {
    for (let at = 0; at < terms.length; at += 2) {
      const hash = terms[at] as number;
      if (maybe[hash & 1023] === 0) continue;
      const which = order.get(hash);
      if (which !== undefined) found[which]?.push(place, terms[at + 1] as number);
    }
  }
  return found;
}

function addTerm(
  index: WorkspaceIndex,
  mask: Uint8Array,
  blocks: { first: number; entries: Uint32Array }[],
  tail: number[],
): void {
  let withAlone = 0;
  let withJoined = 0;
  for (const { entries } of blocks) {
    for (let at = 0; at < entries.length; at++) {
      const entry = entries[at] as number;
      if ((entry & 0xff00) !== 0) withAlone++;
      if ((entry & 0xff) !== 0) withJoined++;
    }
  }
  for (let at = 1; at < tail.length; at += 2) {
    if (((tail[at] as number) & 0xff00) !== 0) withAlone++;
    if (((tail[at] as number) & 0xff) !== 0) withJoined++;
  }
  const rareAlone = rarity(index.alone.memories, withAlone);
  const rareJoined = rarity(index.joined.memories, withJoined);
  const meanAlone = index.alone.terms / Math.max(1, index.alone.memories);
  const meanJoined = index.joined.terms / Math.max(1, index.joined.memories);

  const add = (place: number, counts: number): void => {
    if (mask[place] !== 1) return;
    if (alone[place] === 0 && joined[place] === 0) touched.push(place);
    const inAlone = (counts >>> 8) & 0xff;
    if (inAlone > 0) {
      const length = K1 * (1 - B + (B * (index.aloneLengths[place] as number)) / meanAlone);
      alone[place] = (alone[place] as number) + (rareAlone * inAlone * (K1 + 1)) / (inAlone + length);
    }
    const inJoined = counts & 0xff;
    if (inJoined > 0) {
      const length = K1 * (1 - B + (B * (index.joinedLengths[place] as number)) / meanJoined);
      joined[place] = (joined[place] as number) + (rareJoined * inJoined * (K1 + 1)) / (inJoined + length);
    }
  };
  for (const { first, entries } of blocks) {
    for (let at = 0; at < entries.length; at++) {
      const entry = entries[at] as number;
      add(first + (entry >>> 16), entry);
    }
  }
  for (let at = 0; at + 1 < tail.length; at += 2) add(tail[at] as number, tail[at + 1] as number);
}

/** Never negative, so that a word that most texts share still counts for a little. */
function rarity(memories: number, having: number): number {
  return Math.log(1 + (memories - having + 0.5) / (having + 0.5));
}

function clear(places: number): void {
  for (const place of touched) {
    alone[place] = 0;
    joined[place] = 0;
  }
  touched = [];
  if (alone.length < places) {
    alone = new Float64Array(Math.ceil(places * 1.25));
    joined = new Float64Array(Math.ceil(places * 1.25));
  }
}
