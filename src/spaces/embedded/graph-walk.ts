import type { Related, RelatedQuery } from '../graph-space.js';

/** An edge, and which of its ends lies on the other side. */
export interface Neighbour {
  id: string;
  type: string;
  from: string;
  to: string;
  strength: number;
  far: string;
}

/** Where a walk goes: only to ends that are there. */
export interface Ground {
  knows(id: string): boolean;
  neighbours(id: string): Neighbour[];
}

/**
 * Breadth first, level by level, so that a memory is reached by its shortest way; where several relations of one
 * level reach it, by the strongest, ties by the relation's id. A level that fills the limit is the last one:
 * what lies deeper could not come before it. So no level starts from more memories than the limit.
 */
export function relatedTo(query: RelatedQuery, ground: Ground): Related[] {
  const types = query.types === undefined ? null : new Set(query.types);
  const weakest = query.minStrength ?? 0;
  const starts = [...new Set(query.from)].filter((id) => ground.knows(id));
  const startOf = new Map(starts.map((id) => [id, id]));
  const found: Related[] = [];
  let frontier = starts;
  for (let depth = 1; depth <= query.depth && frontier.length > 0 && found.length < query.limit; depth++) {
    const level = new Map<string, Related>();
    for (const near of frontier) {
      const start = startOf.get(near) ?? near;
      for (const { far, ...relation } of ground.neighbours(near)) {
        if (startOf.has(far) || relation.strength < weakest || types?.has(relation.type) === false) continue;
        const known = level.get(far);
        if (known === undefined || isBetter(relation, known.relation)) {
          level.set(far, { id: far, depth, start, relation });
        }
      }
    }
    const reached = [...level.values()].sort(strongestFirst);
    for (const { id, start } of reached) startOf.set(id, start);
    found.push(...reached);
    frontier = reached.map(({ id }) => id);
  }
  return found.slice(0, query.limit);
}

function isBetter(a: Related['relation'], b: Related['relation']): boolean {
  return a.strength > b.strength || (a.strength === b.strength && a.id < b.id);
}

function strongestFirst(a: Related, b: Related): number {
  return b.relation.strength - a.relation.strength || (a.id < b.id ? -1 : 1);
}
