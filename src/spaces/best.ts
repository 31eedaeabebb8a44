/** Places, best first, and beside each its rank from 0; equal scores share a rank. */
export interface Ranking {
  places: number[];
  ranks: number[];
}

/** Equal scores beyond the limit are kept so far, so that ties can still be settled by id. */
const TIES_KEPT = 256;

/**
 * The `most` best of these places, best first, and those that tie with the last of them. `scores` are by place; what is
 * not greater than `above`, NaN or not there at all has no rank.
 */
export function best(
  places: ArrayLike<number>,
  scores: ArrayLike<number>,
  most: number,
  above = Number.NEGATIVE_INFINITY,
): Ranking {
  const least = leastOfBest(places, scores, most);
  const order: number[] = [];
  for (let at = 0; at < places.length; at++) {
    const place = places[at] as number;
    const score = scores[place] as number;
    if (score >= least && score > above) order.push(place);
  }
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  order.length = Math.min(order.length, most + TIES_KEPT);
  let rank = 0;
  const ranks = order.map((place, at) => {
    if (at > 0 && scores[place] !== scores[order[at - 1] as number]) rank = at;
    return rank;
  });
  return { places: order, ranks };
}

/** The score of the last of the `most` best: the least of a heap that keeps the greatest. */
function leastOfBest(places: ArrayLike<number>, scores: ArrayLike<number>, most: number): number {
  if (places.length <= most) return Number.NEGATIVE_INFINITY;
  const heap = new Float64Array(most).fill(Number.NEGATIVE_INFINITY);
  for (let at = 0; at < places.length; at++) {
    const score = scores[places[at] as number] as number;
    if (score > (heap[0] as number)) replaceLeast(heap, score);
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
  /** The best rank in any ranking. */
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
  const next = rankings.map(() => 0);
  const longest = Math.max(0, ...rankings.map(({ places }) => places.length));
  for (let rank = 0; rank < longest && merged.size < most; rank++) {
    for (const [which, { places, ranks }] of rankings.entries()) {
      let at = next[which] as number;
      for (; at < places.length && ranks[at] === rank; at++) {
        const place = places[at] as number;
        if (!merged.has(place)) merged.set(place, { place, rank, fused: 0 });
      }
      next[which] = at;
    }
  }
  for (const { places, ranks } of rankings) {
    for (let at = 0; at < places.length; at++) {
      const known = merged.get(places[at] as number);
      if (known !== undefined) known.fused += 1 / (60 + (ranks[at] as number));
    }
  }
  const all = [...merged.values()].sort(promisingFirst);
  const last = all[most - 1];
  return last === undefined ? all : all.filter((one) => promisingFirst(one, last) <= 0);
}

export function promisingFirst(a: Merged, b: Merged): number {
  return a.rank - b.rank || b.fused - a.fused;
}
