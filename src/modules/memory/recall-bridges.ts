import type { LinkOf } from '../../spaces/graph-space.js';
import { isAuthorable, RELATION_TYPES } from './relation-types.js';

/**
 * Relations that can make a bridge. SIMILAR_TO and PRECEDED_BY say what vectors and sessions have told the ranking
 * already: to count them again would lift whatever stands between two hits.
 */
const BRIDGING: ReadonlySet<string> = new Set([
  ...RELATION_TYPES.filter((type) => isAuthorable(type)),
  'DISCOVERED',
]);

/**
 * Memories that connect two hits or more, and the score that this gives them, 0..1: the mean of the two best hits that
 * they lead to, each worth less where the relation is weak (half of it at strength 0). So a bridge ranks with what it
 * connects. A hit is a bridge where it connects better ones than itself. Where relations weigh less than usual, a bridge
 * comes less near to that.
 *
 * @param scores of the hits, 0..1
 * @param links the relations of each of the hits
 * @param weight how far a bridge is lifted from its own score to this one, 0..1
 */
export function bridgesBetween(
  scores: ReadonlyMap<string, number>,
  links: readonly LinkOf[],
  weight = 1,
): Map<string, number> {
  const worths = new Map<string, Map<string, number>>();
  for (const { of, far, relation } of links) {
    if (!BRIDGING.has(relation.type)) continue;
    const score = scores.get(of) ?? 0;
    if (score <= (scores.get(far) ?? 0)) continue;
    const worth = (score * (1 + relation.strength)) / 2;
    const byHit = worths.get(far) ?? new Map<string, number>();
    byHit.set(of, Math.max(worth, byHit.get(of) ?? 0));
    worths.set(far, byHit);
  }
  const bridges = new Map<string, number>();
  for (const [id, byHit] of worths) {
    const [first, second] = [...byHit.values()].sort((a, b) => b - a);
    if (first === undefined || second === undefined) continue;
    const own = scores.get(id) ?? 0;
    const score = (1 - weight) * own + (weight * (first + second)) / 2;
    if (score > own) bridges.set(id, score);
  }
  return bridges;
}
