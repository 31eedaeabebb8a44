import { Unreadable, type Filter, type Point } from './filter.js';
import type { Collection } from './collection.js';

export interface Query {
  prefetch?: Query | Query[] | null;
  query?: unknown;
  using?: string | null;
  filter?: Filter | null;
  params?: { idf?: 'global' | { corpus: Filter } | null } | null;
  score_threshold?: number | null;
  limit?: number | null;
  offset?: number | null;
  with_payload?: unknown;
  with_vector?: unknown;
}

export interface Hit {
  point: Point;
  score: number;
  orderValue?: number;
}

const LIMIT = 10;
/** Qdrant's constant for reciprocal rank fusion is 2, not the 60 of the paper. */
const RRF_K = 2;

/**
 * `POST /points/query`: nearest to a dense vector by cosine or dot product, or to a sparse one by the sum over shared
 * indices; by payload field; fused by rank; or by id where there is no query. With a prefetch, only what its sources
 * found together is scored. Points without the vector that is asked for are not found. Best first, ties by id.
 */
export function runQuery(collection: Collection, request: Query): Hit[] {
  const prefetches = list(request.prefetch);
  const sources = prefetches.map((one) => runQuery(collection, one));
  const limit = request.limit ?? LIMIT;
  const offset = request.offset ?? 0;
  let hits: Hit[];
  const query = request.query;
  if (isFusion(query)) {
    if (sources.length === 0) throw new Unreadable('cannot apply Fusion without prefetches');
    hits = fused(sources, query);
  } else {
    const among =
      prefetches.length === 0
        ? [...collection.points.values()]
        : [...new Set(sources.flatMap((hitsOf) => hitsOf.map(({ point }) => point)))];
    hits = scored(
      collection,
      request,
      among.filter((point) => collection.lets(point, request.filter)),
    );
  }
  const least = request.score_threshold;
  if (typeof least === 'number') hits = hits.filter(({ score }) => score >= least);
  return hits.slice(offset, offset + limit);
}

function scored(collection: Collection, request: Query, points: Point[]): Hit[] {
  const { query } = request;
  if (query === undefined || query === null) {
    return points.sort(byId).map((point) => ({ point, score: 0 }));
  }
  if (isOrderBy(query)) return ordered(collection, query, points);
  const nearest = typeof query === 'object' && 'nearest' in query ? query.nearest : query;
  const using = request.using ?? '';
  if (Array.isArray(nearest)) return nearestDense(collection, using, nearest as number[], points);
  if (typeof nearest === 'object' && nearest !== null && 'indices' in nearest && 'values' in nearest) {
    const asked = nearest as { indices: number[]; values: number[] };
    return nearestSparse(collection, using, asked, request, points);
  }
  throw new Unreadable(`the stand-in does not know this query: ${JSON.stringify(query)}`);
}

function nearestDense(collection: Collection, using: string, asked: number[], points: Point[]): Hit[] {
  const wanted = collection.prepared(using, asked);
  const hits: Hit[] = [];
  for (const point of points) {
    const vector = point.dense.get(using);
    if (vector === undefined) continue;
    let score = 0;
    for (let at = 0; at < vector.length; at++) score += (vector[at] ?? 0) * (wanted[at] ?? 0);
    hits.push({ point, score: Math.fround(score) });
  }
  return hits.sort(bestFirst);
}

/**
 * The score is the dot product over shared indices; a point that shares none is not found. With the modifier `idf`, each
 * of the question's values is first multiplied by `ln((n - df + 0.5) / (df + 0.5) + 1)`, over the points that have this
 * vector, or since 1.19 over those of them that pass `params.idf.corpus`.
 */
function nearestSparse(
  collection: Collection,
  using: string,
  asked: { indices: number[]; values: number[] },
  { params }: Query,
  points: Point[],
): Hit[] {
  const config = collection.sparse.get(using);
  if (config === undefined) throw collection.noSuchVector(using);
  if (new Set(asked.indices).size < asked.indices.length) throw new Unreadable('indices: must be unique');
  const weights = new Map(asked.indices.map((index, at) => [index, asked.values[at] ?? 0]));
  if (config.modifier === 'idf') {
    const scope = collection.abilities.idfCorpus ? params?.idf : null;
    const corpus = typeof scope === 'object' && scope !== null ? scope.corpus : null;
    let total = 0;
    const having = new Map<number, number>();
    for (const point of collection.points.values()) {
      const vector = point.sparse.get(using);
      if (vector === undefined || !collection.lets(point, corpus)) continue;
      total++;
      for (const index of weights.keys())
        if (vector.has(index)) having.set(index, (having.get(index) ?? 0) + 1);
    }
    for (const [index, weight] of weights) {
      const df = having.get(index) ?? 0;
      weights.set(index, weight * Math.log((total - df + 0.5) / (df + 0.5) + 1));
    }
  }
  const hits: Hit[] = [];
  for (const point of points) {
    const vector = point.sparse.get(using);
    if (vector === undefined) continue;
    let score = 0;
    let shared = false;
    for (const [index, weight] of weights) {
      const value = vector.get(index);
      if (value === undefined) continue;
      shared = true;
      score += weight * value;
    }
    if (shared) hits.push({ point, score: Math.fround(score) });
  }
  return hits.sort(bestFirst);
}

/** A field that is not indexed for ranges cannot order, says Qdrant; points without the field are left out. */
function ordered(collection: Collection, query: OrderBy, points: Point[]): Hit[] {
  const { key, direction } =
    typeof query.order_by === 'string' ? { key: query.order_by, direction: 'asc' } : query.order_by;
  const index = collection.indexes.get(key);
  if (index?.range !== true) {
    throw new Unreadable(
      `No range index for \`order_by\` key: \`${key}\`. Please create one to use \`order_by\`.`,
    );
  }
  const sign = direction === 'desc' ? -1 : 1;
  return points
    .flatMap((point) => {
      const value = point.payload[key];
      return typeof value === 'number' ? [{ point, score: 0, orderValue: value }] : [];
    })
    .sort((a, b) => sign * (a.orderValue - b.orderValue) || byId(a.point, b.point));
}

function fused(sources: Hit[][], query: FusionQuery): Hit[] {
  const k = ('rrf' in query ? query.rrf.k : null) ?? RRF_K;
  if ('fusion' in query && query.fusion !== 'rrf') throw new Unreadable('the stand-in fuses by rank alone');
  const scores = new Map<Point, number>();
  for (const hits of sources) {
    for (const [rank, { point }] of hits.entries()) {
      scores.set(point, (scores.get(point) ?? 0) + 1 / (k + rank));
    }
  }
  return [...scores].map(([point, score]) => ({ point, score })).sort(bestFirst);
}

type OrderBy = { order_by: string | { key: string; direction?: string | null } };
type FusionQuery = { fusion: string } | { rrf: { k?: number | null } };

function isOrderBy(query: unknown): query is OrderBy {
  return typeof query === 'object' && query !== null && 'order_by' in query;
}

function isFusion(query: unknown): query is FusionQuery {
  return typeof query === 'object' && query !== null && ('fusion' in query || 'rrf' in query);
}

function list(prefetch: Query['prefetch']): Query[] {
  if (prefetch === null || prefetch === undefined) return [];
  return Array.isArray(prefetch) ? prefetch : [prefetch];
}

function bestFirst(a: Hit, b: Hit): number {
  return b.score - a.score || byId(a.point, b.point);
}

export function byId(a: Point, b: Point): number {
  if (typeof a.id === typeof b.id) return a.id < b.id ? -1 : 1;
  return typeof a.id === 'number' ? -1 : 1;
}
