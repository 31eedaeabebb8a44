import type { VectorQuery } from '../vector-space.js';
import { best, mergeRankings, promisingFirst, type Merged, type Ranking } from '../best.js';
import { float32sOf, uint32sOf } from './blobs.js';
import { firstKey, lastKey, placeOf } from './keys.js';
import { passing, type SearchedWorkspace } from './passing.js';
import { nearestCodes, writeSignCode } from './sign-codes.js';
import { CANDIDATE_COLUMNS, type PackedCandidates } from './space-work.js';
import { FileCorrupt } from './tenant-file.js';
import { textScores, type TextScores } from './text-scores.js';
import { productsWith, type Products } from './vector-kernels.js';
import { HAS_ALONE, HAS_JOINED, type WorkspaceIndex } from './workspace-index.js';

/** Up to so many memories every vector is compared in full; beyond, sign codes choose whose are. */
const EXACT = 400;
/**
 * How many each part's codes choose, for a small workspace and for a large one. Measured with MiniLM on 2,960 turns of
 * conversation: of the best ten, .983 are among the 100 nearest codes, .994 among 128, .997 among 200, .998 among 320.
 * Where there are no words to fill the list, the limit if it is more.
 */
const CHOSEN = { upTo: 20_000, few: 128, many: 320 };

interface Point {
  id: string;
  /** Cosines; NaN where there is no vector. */
  alone: number;
  joined: number;
}

/** The question of one search, and what has been read for it. */
export function searchWorkspace(workspace: SearchedWorkspace, query: VectorQuery): PackedCandidates {
  const allowed = passing(workspace, query.filter);
  const points = new Map<number, Point>();
  const products = query.vector === null ? null : productsWith(query.vector);
  workspace.index.points.touch();
  const rankings: Ranking[] = [];
  let text: TextScores | null = null;
  if (allowed.count > 0 && query.vector === null && query.terms.length === 0) {
    const { timestamps } = workspace.index;
    const places = placesOf(allowed.mask);
    rankings.push(best({ places, scores: places.map((place) => timestamps[place] as number) }, query.limit));
  } else if (allowed.count > 0) {
    if (query.vector !== null && products !== null) {
      const places =
        allowed.count <= EXACT
          ? placesOf(allowed.mask)
          : chosenByCodes(workspace, query.vector, allowed.mask, query.terms.length === 0 ? query.limit : 0);
      for (const place of places) points.set(place, readPoint(workspace, place, products));
      rankings.push(...vectorRankings(points, query.limit));
    }
    if (query.terms.length > 0) {
      text = textScores(workspace, query.terms, allowed.mask);
      rankings.push(...textRankings(text, query.limit));
    }
  }
  const merged = mergeRankings(rankings, query.limit);
  for (const { place } of merged) {
    if (!points.has(place)) points.set(place, readPoint(workspace, place, products));
  }
  return inOrder(workspace.index, merged, points, text, query.limit);
}

function vectorRankings(points: Map<number, Point>, limit: number): Ranking[] {
  return (['alone', 'joined'] as const).map((part) => {
    const ranking: Ranking = { places: [], scores: [] };
    for (const [place, point] of points) add(ranking, place, point[part]);
    return best(ranking, limit);
  });
}

function add({ places, scores }: Ranking, place: number, score: number): void {
  if (Number.isNaN(score)) return;
  places.push(place);
  scores.push(score);
}

function chosenByCodes(
  workspace: SearchedWorkspace,
  vector: Float32Array,
  mask: Uint8Array,
  least: number,
): Set<number> {
  const { index } = workspace;
  const codes = index.codes ?? readCodes(workspace);
  const question = new Uint32Array(index.words);
  writeSignCode(vector, question, 0);
  const most = Math.max(least, index.live <= CHOSEN.upTo ? CHOSEN.few : CHOSEN.many);
  const { has, places } = index;
  const chosen = (part: Uint32Array, bit: number): number[] =>
    nearestCodes(part, question, { mask, has, bit, places }, most);
  return new Set([...chosen(codes.alone, HAS_ALONE), ...chosen(codes.joined, HAS_JOINED)]);
}

function readCodes({ file, tables, ws, index }: SearchedWorkspace): {
  alone: Uint32Array;
  joined: Uint32Array;
} {
  const codes = index.makeCodes();
  const rows = file
    .sql(`SELECT key, codes FROM ${tables}_memories WHERE key BETWEEN ? AND ? AND codes IS NOT NULL`)
    .raw()
    .iterate(firstKey(ws), lastKey(ws));
  for (const row of rows as IterableIterator<[number, unknown]>)
    index.putCodes(placeOf(row[0]), uint32sOf(row[1]));
  return codes;
}

function textRankings({ alone, joined, places }: TextScores, limit: number): Ranking[] {
  return [alone, joined].map((part) => {
    const ranking: Ranking = { places: [], scores: [] };
    for (let at = 0; at < places.length; at++) {
      const place = places[at] as number;
      const score = part[place] as number;
      if (score > 0) add(ranking, place, score);
    }
    return best(ranking, limit);
  });
}

function readPoint(workspace: SearchedWorkspace, place: number, products: Products | null): Point {
  const { points, has } = workspace.index;
  const row = points.row(place);
  if (row === undefined) return readStored(workspace, place, products);
  const score = (part: 0 | 1, bit: number): number =>
    products === null || ((has[place] as number) & bit) === 0
      ? Number.NaN
      : points.product(row, part, products);
  return { id: points.id(row), alone: score(0, HAS_ALONE), joined: score(1, HAS_JOINED) };
}

function readStored(
  { file, tables, ws, index }: SearchedWorkspace,
  place: number,
  products: Products | null,
): Point {
  const row = file
    .sql(`SELECT id, alone, joined FROM ${tables}_points WHERE key = ?`)
    .raw()
    .get(firstKey(ws) + place) as [string, unknown, unknown] | undefined;
  if (row === undefined) throw new FileCorrupt('a memory without its point');
  const alone = storedVector(row[1], index.dimensions);
  const joined = storedVector(row[2], index.dimensions);
  index.points.keep(place, row[0], alone, joined);
  const score = (stored: Float32Array | null): number =>
    stored === null || products === null ? Number.NaN : products(stored, 0);
  return { id: row[0], alone: score(alone), joined: score(joined) };
}

function storedVector(blob: unknown, dimensions: number): Float32Array | null {
  if (blob === null) return null;
  const vector = float32sOf(blob);
  if (vector.length !== dimensions) throw new FileCorrupt('a vector of another length');
  return vector;
}

function placesOf(mask: Uint8Array): number[] {
  const places: number[] = [];
  for (let place = 0; place < mask.length; place++) if (mask[place] === 1) places.push(place);
  return places;
}

function inOrder(
  index: WorkspaceIndex,
  merged: Merged[],
  points: Map<number, Point>,
  text: TextScores | null,
  limit: number,
): PackedCandidates {
  const found = merged.flatMap((one) => {
    const point = points.get(one.place);
    return point === undefined ? [] : [{ ...one, point }];
  });
  found.sort((a, b) => promisingFirst(a, b) || (a.point.id < b.point.id ? -1 : 1));
  const kept = found.slice(0, limit);
  const columns = new Float64Array(kept.length * CANDIDATE_COLUMNS);
  const sessions = new Map<string, number>();
  for (const [at, { place, point }] of kept.entries()) {
    const first = at * CANDIDATE_COLUMNS;
    columns[first] = point.alone;
    columns[first + 1] = point.joined;
    columns[first + 2] = text?.alone[place] || Number.NaN;
    columns[first + 3] = text?.joined[place] || Number.NaN;
    columns[first + 4] = index.timestamps[place] as number;
    columns[first + 5] = index.aloneLengths[place] as number;
    columns[first + 6] = index.follows(place) ? 1 : 0;
    columns[first + 7] = numberOf(sessions, index.labels.session.of(place));
  }
  return { ids: kept.map(({ point }) => point.id), sessions: [...sessions.keys()], columns };
}

function numberOf(sessions: Map<string, number>, session: string | null): number {
  if (session === null) return -1;
  const known = sessions.get(session);
  if (known !== undefined) return known;
  sessions.set(session, sessions.size);
  return sessions.size - 1;
}
