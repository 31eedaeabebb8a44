/** Places and their scores, side by side, best first. */
export interface Ranking {
  places: number[];
  scores: number[];
}

/** Equal scores beyond the limit are kept so far, so that ties can still be settled by id. */
const TIES_KEPT = 256;

/** The `most` best of the scored places, best first, and those that tie with the last of them. */
export function best({ places, scores }: Ranking, most: number): Ranking {
  const worst = worstOfBest(scores, most);
  const order: number[] = [];
  for (let at = 0; at < scores.length; at++) if ((scores[at] as number) >= worst) order.push(at);
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  order.length = Math.min(order.length, most + TIES_KEPT);
  return { places: order.map((at) => places[at] as number), scores: order.map((at) => scores[at] as number) };
}

/** The score of the last of the `most` best: the least of a heap that keeps the greatest. */
function worstOfBest(scores: number[], most: number): number {
  if (scores.length <= most) return Number.NEGATIVE_INFINITY;
  const heap = new Float64Array(most).fill(Number.NEGATIVE_INFINITY);
  for (let at = 0; at < scores.length; at++) {
    if ((scores[at] as number) > (heap[0] as number)) replaceLeast(heap, scores[at] as number);
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
  for (const { places, scores } of rankings) {
    let rank = 0;
    for (let at = 0; at < places.length; at++) {
      const place = places[at] as number;
      if (scores[at] !== scores[at - 1]) rank = at;
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
