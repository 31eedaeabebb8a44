import type { Schemas } from '@qdrant/js-client-rest';
import { best, mergeRankings, promisingFirst, type Ranking } from '../embedded/best.js';
import type { Candidate, VectorQuery } from '../vector-space.js';
import { inWorkspace, passing } from './filters.js';
import { sentVector } from './memory-points.js';
import type { ModelNames } from './model-names.js';
import type { Abilities } from './server-abilities.js';
import { askedText } from './sparse-text.js';

type Search = Schemas['QueryRequest'];
type Found = Schemas['ScoredPoint'];

/** The server settles ties as it likes; so many beyond the limit are asked for, so that they can be settled by id. */
const TIES = 32;
/** Which ledger a point belongs to comes with it: what is left of another one is passed over. */
const TOLD = ['id', 'ledger'];

/**
 * One search as one request, `/points/query/batch`: the watermark, which says whose points count, and a query for each
 * part. The port wants a candidate's cosines however it was found. Fetching vectors for those that text found would
 * be some 15 KB of JSON each, and a second request would be a second round trip; so the two dense queries prefetch the
 * best of all parts and score whatever comes together. The server then looks twice for the best of each part, which it
 * does in parallel and which is cheap beside the trip.
 */
export function searchesFor(query: VectorQuery, names: ModelNames, abilities: Abilities): Search[] {
  const filter = passing(names.model, query.workspace, query.filter, abilities);
  const limit = query.limit + TIES;
  const watermark: Search = {
    filter: { must: [{ has_id: [names.watermark] }] },
    limit: 1,
    with_payload: ['ledger'],
  };
  if (query.vector === null && query.terms.length === 0) {
    const newest = { order_by: { key: 'timestamp', direction: 'desc' as const } };
    return [watermark, { query: newest, filter, limit, with_payload: [...TOLD, 'timestamp'] }];
  }
  const dense = query.vector === null ? null : sentVector(query.vector);
  const text = askedText(query.terms);
  const byVector =
    dense === null ? [] : [names.alone, names.joined].map((using) => ({ query: dense, using }));
  const byText =
    text.indices.length === 0
      ? []
      : [names.textAlone, names.textJoined].map((using) => ({
          query: text,
          using,
          ...(abilities.rarityByWorkspace
            ? { params: { idf: { corpus: inWorkspace(names.model, query.workspace) } } }
            : {}),
        }));
  const parts = [...byVector, ...byText].map((part) => ({ ...part, filter, limit }));
  return [
    watermark,
    ...byVector.map((part) => ({
      ...part,
      prefetch: parts,
      limit: parts.length * limit,
      with_payload: TOLD,
    })),
    ...parts.slice(byVector.length).map((part) => ({ ...part, with_payload: TOLD })),
  ];
}

interface Scored {
  id: string;
  scores: (number | null)[];
}

/** Puts together what `searchesFor` found: the union of the best by each part, the most promising first. */
export function candidatesOf(query: VectorQuery, answers: Schemas['QueryResponse'][]): Candidate[] {
  const [watermark, ...found] = answers.map(({ points }) => points);
  const ledger = watermark?.[0]?.payload?.['ledger'];
  if (ledger === undefined) return [];
  const parts = (query.vector === null ? 0 : 2) + (query.terms.length === 0 ? 0 : 2);
  const firstText = query.vector === null ? 0 : 2;
  const memories = new Map<string, number>();
  const scored: Scored[] = [];
  const rankings = found.map((points, part): Ranking => {
    const ranking: Ranking = { places: [], scores: [] };
    for (const point of points) {
      if (point.payload?.['ledger'] !== ledger) continue;
      const place = placeOf(point, memories, scored);
      const score = parts === 0 ? Number(point.payload['timestamp']) : point.score;
      const one = scored[place];
      if (one !== undefined && parts > 0) one.scores[part] = score;
      ranking.places.push(place);
      ranking.scores.push(score);
    }
    return best(ranking, query.limit);
  });
  const merged = mergeRankings(rankings, query.limit).flatMap((one) => {
    const point = scored[one.place];
    return point === undefined ? [] : [{ ...one, ...point }];
  });
  merged.sort((a, b) => promisingFirst(a, b) || (a.id < b.id ? -1 : 1));
  const score = (scores: (number | null)[], part: number): number | null => scores[part] ?? null;
  const hasText = query.terms.length > 0;
  return merged.slice(0, query.limit).map(({ id, scores }) => ({
    id,
    vector:
      firstText === 0 ? { alone: null, joined: null } : { alone: score(scores, 0), joined: score(scores, 1) },
    text: hasText
      ? { alone: score(scores, firstText), joined: score(scores, firstText + 1) }
      : { alone: null, joined: null },
  }));
}

function placeOf({ id, payload }: Found, memories: Map<string, number>, scored: Scored[]): number {
  const known = memories.get(String(id));
  if (known !== undefined) return known;
  memories.set(String(id), scored.length);
  return scored.push({ id: String(payload?.['id']), scores: [] }) - 1;
}
