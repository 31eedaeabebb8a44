import type { Schemas } from '@qdrant/js-client-rest';
import { best, mergeRankings, promisingFirst, type Ranking } from '../best.js';
import type { Candidate, Near, NearQuery, VectorQuery } from '../vector-space.js';
import { inWorkspace, passing } from './filters.js';
import type { ModelNames } from './model-names.js';
import type { Abilities } from './server-abilities.js';
import { askedText } from './sparse-text.js';

type Search = Schemas['QueryRequest'];
type Found = Schemas['ScoredPoint'];

/** The server settles ties as it likes; so many beyond the limit are asked for, so that they can be settled by id. */
const TIES = 32;
/** Which era a point belongs to comes with what ranking asks: what a former ledger left is passed over. */
const TOLD = [
  ...['id', 'era', 'session', 'timestamp', 'terms', 'follows'],
  ...['speaker', 'asked', 'importance', 'confidence'],
];

/**
 * One search as one request, `/points/query/batch`: the watermark, which says whose points count, and a query for each
 * part. The port wants a candidate's cosines however it was found. Fetching vectors for those that text found would
 * be some 15 KB of JSON each, and a second request would be a second round trip; so the two dense queries first have
 * the best of all parts fused by rank, and score whatever that leaves. The server then looks for the best of each
 * part more than once, which it does in parallel and which is cheap beside the trip.
 *
 * The fusion (reciprocal rank with the server's constant of 2, which favours what is first somewhere) only decides who
 * is looked at when there are more than the limit asks for: of each part at least the first quarter of it is. Their
 * names come once, with the fused list; the other answers are ids and scores alone, as most of the time that
 * Qdrant's client takes goes into reading JSON.
 */
export function searchesFor(query: VectorQuery, names: ModelNames, abilities: Abilities): Search[] {
  const filter = passing(names.model, query.workspace, query.filter, abilities);
  const told = query.marks.length === 0 ? TOLD : [...TOLD, 'tags'];
  const limit = query.limit + TIES;
  const watermark = watermarkOf(names);
  if (query.vector === null && query.terms.length === 0) {
    const newest = { order_by: { key: 'timestamp', direction: 'desc' as const } };
    return [watermark, { query: newest, filter, limit, with_payload: told }];
  }
  const dense = query.vector === null ? null : askedVector(query.vector);
  const text = askedText(query.terms);
  const byVector =
    dense === null ? [] : [names.alone, names.joined].map((using) => ({ query: dense, using }));
  const corpus = inWorkspace(names.model, query.workspace);
  const rarity = abilities.rarityByWorkspace ? { params: { idf: { corpus } } } : {};
  const byText =
    query.terms.length === 0
      ? []
      : [names.textAlone, names.textJoined].map((using) => ({ query: text, using, ...rarity }));
  const prefetch = [...byVector, ...byText].map((part) => ({ ...part, filter, limit }));
  const together = { prefetch, query: { fusion: 'rrf' as const }, limit };
  if (dense === null) {
    return [watermark, ...byText.map((part) => ({ ...part, filter, limit, with_payload: told }))];
  }
  return [
    watermark,
    { ...together, with_payload: told },
    ...byVector.map((part) => ({ ...part, prefetch: together, limit })),
    ...byText.map((part) => ({ ...part, filter, limit })),
  ];
}

/** Likewise, for each vector, those whose own are near; and the watermark. */
export function nearSearchesFor(query: NearQuery, names: ModelNames, abilities: Abilities): Search[] {
  const filter = passing(names.model, query.workspace, query.filter, abilities);
  const near = query.vectors.map((vector): Search => ({
    query: askedVector(vector),
    using: names.alone,
    filter,
    score_threshold: query.atLeast,
    limit: query.limit + TIES,
    with_payload: ['id', 'era'],
  }));
  return [watermarkOf(names), ...near];
}

export function nearOf({ vectors, limit }: NearQuery, answers: Schemas['QueryResponse'][]): Near[][] {
  const [watermark, ...found] = answers.map(({ points }) => points);
  const era = watermark?.[0]?.payload?.['era'];
  return vectors.map((_, at) =>
    (era === undefined ? [] : (found[at] ?? []))
      .flatMap(({ payload, score }) =>
        payload?.['era'] === era ? [{ id: String(payload?.['id']), cosine: score }] : [],
      )
      .sort((a, b) => b.cosine - a.cosine || (a.id < b.id ? -1 : 1))
      .slice(0, limit),
  );
}

function watermarkOf({ watermark }: ModelNames): Search {
  return { filter: { must: [{ has_id: [watermark] }] }, limit: 1, with_payload: ['era'] };
}

/** Six decimals move a cosine by less than a millionth or two, and go over the wire six times. */
function askedVector(vector: Float32Array): number[] {
  return Array.from(vector, (value) => Math.round(value * 1e6) / 1e6);
}

interface Scored {
  about: Omit<Candidate, 'vector' | 'text'>;
  /** By the place of the query in the request. */
  scores: Map<number, number>;
}

/** Puts together what `searchesFor` found: the union of the best by each part, the most promising first. */
export function candidatesOf(query: VectorQuery, answers: Schemas['QueryResponse'][]): Candidate[] {
  const [watermark, ...found] = answers.map(({ points }) => points);
  const era = watermark?.[0]?.payload?.['era'];
  if (era === undefined) return [];
  const byVector = query.vector !== null;
  const byText = query.terms.length > 0;
  const memories = new Map<string, number>();
  const scored: Scored[] = [];
  const place = ({ id, payload }: Found): number | undefined => {
    const known = memories.get(String(id));
    if (known !== undefined || payload?.['era'] !== era) return known;
    memories.set(String(id), scored.length);
    return scored.push({ about: about(payload, query.marks), scores: new Map() }) - 1;
  };
  // With a vector, the first query says who is looked at and what they are called; the others only score them.
  if (byVector) found.shift()?.forEach(place);
  const rankings = found.map((points, part): Ranking => {
    const places: number[] = [];
    const scores: number[] = [];
    for (const point of points) {
      const at = place(point);
      if (at === undefined) continue;
      const score = byVector || byText ? point.score : Number(point.payload?.['timestamp']);
      scored[at]?.scores.set(part, score);
      places.push(at);
      scores[at] = score;
    }
    return best(places, scores, query.limit);
  });
  const merged = mergeRankings(rankings, query.limit).flatMap((one) => {
    const point = scored[one.place];
    return point === undefined ? [] : [{ ...one, ...point }];
  });
  merged.sort((a, b) => promisingFirst(a, b) || (a.about.id < b.about.id ? -1 : 1));
  const pair = (scores: Map<number, number>, first: number, asked: boolean) => ({
    alone: asked ? (scores.get(first) ?? null) : null,
    joined: asked ? (scores.get(first + 1) ?? null) : null,
  });
  return merged.slice(0, query.limit).map(({ about, scores }) => ({
    ...about,
    vector: pair(scores, 0, byVector),
    text: pair(scores, byVector ? 2 : 0, byText),
  }));
}

function about(payload: NonNullable<Found['payload']>, marks: string[]): Scored['about'] {
  const { session, speaker, tags } = payload;
  const borne = Array.isArray(tags) ? marks.filter((mark) => tags.includes(mark)) : [];
  return {
    id: String(payload['id']),
    session: typeof session === 'string' ? session : null,
    timestamp: Number(payload['timestamp']),
    terms: Number(payload['terms']),
    follows: payload['follows'] === true,
    speaker: typeof speaker === 'string' ? speaker : null,
    // A point that an older version wrote has none of these until it is written again.
    asked: Number(payload['asked'] ?? 0),
    importance: Number(payload['importance'] ?? 0.5),
    confidence: Number(payload['confidence'] ?? 0.5),
    marks: borne,
  };
}
