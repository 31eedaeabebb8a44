import type { Link, Path, PathQuery, Related, RelatedQuery } from '../graph-space.js';

/** An edge, and which of its ends lies on the other side. */
export interface Neighbour extends Link {
  far: string;
}

/** Where a walk goes: only to ends that are there. */
export interface Ground {
  knows(id: string): boolean;
  /** Those that lead away and those that lead here, each strongest first, ties by the far end's id, then the edge's own. */
  neighbours(id: string): Iterable<Neighbour>[];
}

/**
 * Breadth first, level by level, so that a memory is reached by its shortest way; where several relations of one
 * level reach it, by the strongest, ties by the relation's id. A level that fills the limit is the last one:
 * what lies deeper could not come before it. So no level starts from more memories than the limit, and none reads more of
 * a memory's edges than lead to as many others: in a crowd the first are the strongest.
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
      for (const neighbours of ground.neighbours(near)) {
        const reached = new Set<string>();
        for (const { far, ...relation } of neighbours) {
          if (relation.strength < weakest || reached.size === query.limit) break;
          if (startOf.has(far) || types?.has(relation.type) === false) continue;
          reached.add(far);
          const known = level.get(far);
          if (known === undefined || isBetter(relation, known.relation)) {
            level.set(far, { id: far, depth, start, relation });
          }
        }
      }
    }
    const reached = [...level.values()].sort(
      (a, b) => b.relation.strength - a.relation.strength || compare(a.id, b.id),
    );
    for (const { id, start } of reached) startOf.set(id, start);
    found.push(...reached);
    frontier = reached.map(({ id }) => id);
  }
  return found.slice(0, query.limit);
}

/** Breadth first from one end, each memory come to by the best edge of its level, until the other end is met. */
export function pathBetween(query: PathQuery, ground: Ground): Path {
  const { from, to } = query;
  const types = query.types === undefined ? null : new Set(query.types);
  const weakest = query.minStrength ?? 0;
  if (!ground.knows(from) || !ground.knows(to)) return { links: null, complete: true };
  const cameBy = new Map<string, { near: string; link: Link } | null>([[from, null]]);
  let frontier = [from];
  let looked = 0;
  for (let depth = 1; depth <= query.depth && frontier.length > 0; depth++) {
    const level = new Map<string, { near: string; link: Link }>();
    for (const near of frontier) {
      for (const neighbours of ground.neighbours(near)) {
        for (const { far, ...link } of neighbours) {
          if (link.strength < weakest) break;
          if (types?.has(link.type) === false) continue;
          if (++looked > query.most) return { links: null, complete: false };
          if (cameBy.has(far)) continue;
          const known = level.get(far);
          if (known === undefined || isBetter(link, known.link)) level.set(far, { near, link });
        }
      }
    }
    for (const [id, step] of level) cameBy.set(id, step);
    if (level.has(to)) return { links: linksTo(to, cameBy), complete: true };
    frontier = [...level.keys()];
  }
  return { links: null, complete: true };
}

function linksTo(end: string, cameBy: ReadonlyMap<string, { near: string; link: Link } | null>): Link[] {
  const links: Link[] = [];
  for (let step = cameBy.get(end) ?? null; step !== null; step = cameBy.get(step.near) ?? null)
    links.unshift(step.link);
  return links;
}

function isBetter(a: Link, b: Link): boolean {
  return a.strength > b.strength || (a.strength === b.strength && a.id < b.id);
}

/** The order of `Ground.neighbours`. */
export function strongestFirst(a: Neighbour, b: Neighbour): number {
  return b.strength - a.strength || (a.far === b.far ? compare(a.id, b.id) : compare(a.far, b.far));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}
