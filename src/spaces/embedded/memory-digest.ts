import { exactDigest, unitVectorDigest, vectorDigest, type Digest } from '../digest.js';
import type { FilterFields, MemoryPoint, RankingFacts } from '../vector-space.js';
import { countTerms } from './term-counts.js';
import { HAS_ALONE, HAS_JOINED, hundredths } from './workspace-index.js';

/** What the file holds of one memory, gathered from all of its tables. */
export interface StoredMemory extends FilterFields, RankingFacts {
  /** `asked`, `importance` and `confidence` in hundredths; lengths in terms, `joinedLength` null: no joined text. */
  aloneLength: number;
  joinedLength: number | null;
  has: number;
  /** Those that lie with the memory, and those that a search finds it by. */
  terms: TermSum;
  searchable: TermSum;
  alone: Float32Array | null;
  joined: Float32Array | null;
  /** Whether sign codes and the second table's id are those of this very memory. */
  fits: boolean;
}

/** Of a set of terms, in whatever order: two sums of 32 bits. */
export interface TermSum {
  a: number;
  b: number;
}

export function digestOfStored(stored: StoredMemory): Digest {
  return {
    exact: exactDigest(exactly(stored)),
    vectors: [...vectorDigest(stored.alone), ...vectorDigest(stored.joined)],
  };
}

/** Of what the file is to hold of a memory. */
export function digestOfMemory(item: MemoryPoint): Digest {
  const { alone, joined } = item;
  const [aloneVector, joinedVector] = [
    unitVectorDigest(alone.vector),
    unitVectorDigest(joined?.vector ?? null),
  ];
  const terms = sumOf(countTerms(alone.terms.join(' '), joined?.terms.join(' ') ?? null));
  return {
    exact: exactDigest(
      exactly({
        ...item,
        asked: hundredths(item.asked),
        importance: hundredths(item.importance),
        confidence: hundredths(item.confidence),
        aloneLength: alone.terms.length,
        joinedLength: joined?.terms.length ?? null,
        has: (aloneVector.length > 0 ? HAS_ALONE : 0) | (joinedVector.length > 0 ? HAS_JOINED : 0),
        terms,
        searchable: terms,
        fits: true,
      }),
    ),
    vectors: [...aloneVector, ...joinedVector],
  };
}

export function sumOf(termCounts: Uint32Array): TermSum {
  const sum = { a: 0, b: 0 };
  for (let at = 0; at < termCounts.length; at += 2) {
    const mixed = mix(termCounts[at] ?? 0, termCounts[at + 1] ?? 0);
    sum.a = (sum.a + mixed) >>> 0;
    sum.b = (sum.b + remix(mixed)) >>> 0;
  }
  return sum;
}

/** One term and how often it occurs, as 32 well mixed bits. */
export function mix(term: number, counts: number): number {
  let mixed = Math.imul(term ^ Math.imul(counts, 0x9e3779b1), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Another 32 of the same. */
export function remix(mixed: number): number {
  const again = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (again ^ (again >>> 12)) >>> 0;
}

function exactly(held: Omit<StoredMemory, 'alone' | 'joined'>): unknown[] {
  const { type, tags, timestamp, validFrom, validUntil, session, user, agent } = held;
  const { speaker, asked, importance, confidence } = held;
  const { aloneLength, joinedLength, has, terms, searchable, fits } = held;
  return [
    [type, [...new Set(tags)].sort(), timestamp, validFrom, validUntil, session, user, agent],
    [aloneLength, joinedLength, has, terms.a, terms.b, searchable.a, searchable.b, fits],
    [speaker, asked, importance, confidence],
  ];
}
