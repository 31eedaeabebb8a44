/** Places with one score each, best first. */
export interface Ranking {
  places: number[];
  score: (place: number) => number;
}

/** Equal scores beyond the limit are kept so far, so that ties can still be settled by id. */
const TIES_KEPT = 256;

/** The `most` best by score, best first, and those that tie with the last of them. */
export function best(places: number[], score: (place: number) => number, most: number): Ranking {
  const worst = worstOfBest(places, score, most);
  const found = places.filter((place) => score(place) >= worst).sort((a, b) => score(b) - score(a) || a - b);
  return { places: found.slice(0, most + TIES_KEPT), score };
}

/** The score of the last of the `most` best: the least of a heap that keeps the greatest. */
function worstOfBest(places: number[], score: (place: number) => number, most: number): number {
  if (places.length <= most) return Number.NEGATIVE_INFINITY;
  const heap = new Float64Array(most).fill(Number.NEGATIVE_INFINITY);
  for (const place of places) {
    const value = score(place);
    if (value > (heap[0] as number)) replaceLeast(heap, value);
  }
  return heap[0] as number;
}

function replaceLeast(heap: Float64Array, value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child++;
    if ((heap[child] as number) >= value) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = value;
}

export interface Merged {
  place: number;
  /** The best rank in any ranking, from 0; equal scores share a rank. */
  rank: number;
  /** Sum of 1 / (60 + rank) over the rankings (reciprocal rank fusion, Cormack et al. 2009). */
  fused: number;
}

/**
 * The union of several rankings' best: everybody's first, then everybody's second, and so on. Cut after `most`,
 * with those that tie with the last, in no settled order among ties.
 */
export function mergeRankings(rankings: Ranking[], most: number): Merged[] {
  const merged = new Map<number, Merged>();
  for (const { places, score } of rankings) {
    let rank = 0;
    for (const [at, place] of places.entries()) {
      const before = places[at - 1];
      if (before === undefined || score(before) !== score(place)) rank = at;
      const known = merged.get(place);
      const fused = 1 / (60 + rank);
      if (known === undefined) merged.set(place, { place, rank, fused });
      else {
        known.rank = Math.min(known.rank, rank);
        known.fused += fused;
      }
    }
  }
  const all = [...merged.values()].sort(promisingFirst);
  const last = all[most - 1];
  return last === undefined ? all : all.filter((one) => promisingFirst(one, last) <= 0);
}

export function promisingFirst(a: Merged, b: Merged): number {
  return a.rank - b.rank || b.fused - a.fused;
}
