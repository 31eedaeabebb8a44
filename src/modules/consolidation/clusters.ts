import { setImmediate as nextTurn } from 'node:timers/promises';

/** Fewer make no pattern. */
export const SMALLEST_CLUSTER = 3;
/** What is about one thing in more memories than these is told in several clusters. */
export const LARGEST_CLUSTER = 200;

const LEVELS = 40;
/** So many steps, and requests have their turn. */
const TURN = 2_000;

/**
 * Gathers pairs of near memories, and joins them into clusters: the nearest first, none beyond `LARGEST_CLUSTER`. A pair costs
 * twelve bytes, whatever there is in memories; whoever has no near neighbour costs nothing.
 */
export class Clusters {
  private readonly numbers = new Map<string, number>();
  private readonly ids: string[] = [];
  /** Pairs by how near they are, end to end. */
  private readonly levels: number[][] = Array.from({ length: LEVELS + 1 }, () => []);

  /** `nearness`: 0..1 */
  add(one: string, other: string, nearness: number): void {
    const level = Math.max(0, Math.min(LEVELS, Math.round(nearness * LEVELS)));
    this.levels[level]?.push(this.numberOf(one), this.numberOf(other));
  }

  /** Each with its members in the order of their ids; the largest first. */
  async joined(): Promise<string[][]> {
    const parents = this.ids.map((_, number) => number);
    const sizes = this.ids.map(() => 1);
    let steps = 0;
    const rootOf = (number: number): number => {
      let at = number;
      for (let up = parents[at] ?? at; up !== at; up = parents[at] ?? at) {
        parents[at] = parents[up] ?? up;
        at = parents[at] ?? at;
      }
      return at;
    };
    for (const pairs of this.levels.toReversed()) {
      for (let at = 0; at < pairs.length; at += 2) {
        if (++steps % TURN === 0) await nextTurn();
        const [one, other] = [rootOf(pairs[at] ?? 0), rootOf(pairs[at + 1] ?? 0)];
        const size = (sizes[one] ?? 1) + (sizes[other] ?? 1);
        if (one === other || size > LARGEST_CLUSTER) continue;
        parents[other] = one;
        sizes[one] = size;
      }
    }
    const clusters = new Map<number, string[]>();
    for (const [number, id] of this.ids.entries()) {
      if (++steps % TURN === 0) await nextTurn();
      const root = rootOf(number);
      if ((sizes[root] ?? 1) < SMALLEST_CLUSTER) continue;
      const members = clusters.get(root);
      if (members === undefined) clusters.set(root, [id]);
      else members.push(id);
    }
    for (const members of clusters.values()) {
      if (++steps % TURN === 0) await nextTurn();
      members.sort();
    }
    return [...clusters.values()].sort(
      (a, b) => b.length - a.length || ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1),
    );
  }

  private numberOf(id: string): number {
    const known = this.numbers.get(id);
    if (known !== undefined) return known;
    const number = this.ids.push(id) - 1;
    this.numbers.set(id, number);
    return number;
  }
}
