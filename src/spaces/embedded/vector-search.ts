import type { Near, NearQuery, VectorQuery } from '../vector-space.js';
import { best, mergeRankings, promisingFirst, type Merged, type Ranking } from '../best.js';
import { float32sOf, uint32sOf } from './blobs.js';
import { firstKey, lastKey, placeOf } from './keys.js';
import { borneMarks } from './marks.js';
import { passing, type SearchedWorkspace } from './passing.js';
import { differencesWithin, nearestCodes, writeSignCode } from './sign-codes.js';
import { CANDIDATE_COLUMNS, type PackedCandidates } from './space-work.js';
import { FileCorrupt } from './tenant-file.js';
import { textScores, type TextScores } from './text-scores.js';
import { productsWith, type Products } from './vector-kernels.js';
import { HAS_ALONE, HAS_JOINED } from './workspace-index.js';

/** Up to so many memories every vector is compared in full; beyond, sign codes choose whose are. */
const EXACT = 400;
/**
 * How many each part's codes choose, for a small workspace and for a large one. Measured with MiniLM on 2,960 turns of
 * conversation: of the best ten, .983 are among the 100 nearest codes, .994 among 128, .997 among 200, .998 among 320.
 * Where there are no words to fill the list, the limit if it is more.
 */
const CHOSEN = { upTo: 20_000, few: 128, many: 320 };

/** What has been read of the memories that a search looks at. By place, and valid until the next search. */
interface Read {
  ids: Map<number, string>;
  /** Cosines; NaN where there is no vector. */
  alone: Float64Array;
  joined: Float64Array;
  products: Products | null;
}

let cosines = { alone: new Float64Array(0), joined: new Float64Array(0) };

export function searchWorkspace(workspace: SearchedWorkspace, query: VectorQuery): PackedCandidates {
  const { index } = workspace;
  const allowed = passing(workspace, query.filter);
  const products = query.vector === null ? null : productsWith(query.vector);
  const read: Read = { ids: new Map(), ...roomFor(index.places), products };
  index.points.touch();
  const rankings: Ranking[] = [];
  let text: TextScores | null = null;
  if (allowed.count > 0 && query.vector === null && query.terms.length === 0) {
    rankings.push(best(placesOf(allowed.mask), index.timestamps, query.limit));
  } else if (allowed.count > 0) {
    if (query.vector !== null) {
      const places =
        allowed.count <= EXACT
          ? placesOf(allowed.mask)
          : chosenByCodes(workspace, query.vector, allowed.mask, query.terms.length === 0 ? query.limit : 0);
      for (const place of places) readPoint(workspace, place, read);
      rankings.push(best(places, read.alone, query.limit), best(places, read.joined, query.limit));
    }
    if (query.terms.length > 0) {
      text = textScores(workspace, query.terms, allowed.mask);
      rankings.push(best(text.places, text.alone, query.limit, 0));
      rankings.push(best(text.places, text.joined, query.limit, 0));
    }
  }
  const merged = mergeRankings(rankings, query.limit);
  for (const { place } of merged) if (!read.ids.has(place)) readPoint(workspace, place, read);
  return inOrder(workspace, merged, read, text, query);
}

/** One code of each memory is looked at, and only those few vectors are read whose codes are near. */
export function nearInWorkspace(workspace: SearchedWorkspace, query: NearQuery): Near[] {
  const { index } = workspace;
  const allowed = passing(workspace, query.filter);
  if (allowed.count === 0) return [];
  const read: Read = { ids: new Map(), ...roomFor(index.places), products: productsWith(query.vector) };
  index.points.touch();
  const question = new Uint32Array(index.words);
  writeSignCode(query.vector, question, 0);
  const places =
    allowed.count <= EXACT
      ? placesOf(allowed.mask)
      : nearestCodes(
          (index.codes ?? readCodes(workspace)).alone,
          question,
          { mask: allowed.mask, has: index.has, bit: HAS_ALONE, places: index.places },
          Math.max(query.limit, CHOSEN.few),
          differencesWithin(query.atLeast, index.dimensions),
        );
  const near: Near[] = [];
  for (const place of places) {
    readPoint(workspace, place, read);
    const cosine = read.alone[place] as number;
    if (cosine >= query.atLeast) near.push({ id: read.ids.get(place) ?? '', cosine });
  }
  return near.sort((a, b) => b.cosine - a.cosine || (a.id < b.id ? -1 : 1)).slice(0, query.limit);
}

function roomFor(places: number): { alone: Float64Array; joined: Float64Array } {
  if (cosines.alone.length < places) {
    const size = Math.ceil(places * 1.25);
    cosines = { alone: new Float64Array(size), joined: new Float64Array(size) };
  }
  return cosines;
}

function chosenByCodes(
  workspace: SearchedWorkspace,
  vector: Float32Array,
  mask: Uint8Array,
  least: number,
): number[] {
  const { index } = workspace;
  const codes = index.codes ?? readCodes(workspace);
  const question = new Uint32Array(index.words);
  writeSignCode(vector, question, 0);
  const most = Math.max(least, index.live <= CHOSEN.upTo ? CHOSEN.few : CHOSEN.many);
  const { has, places } = index;
  const chosen = (part: Uint32Array, bit: number): number[] =>
    nearestCodes(part, question, { mask, has, bit, places }, most);
  return [...new Set([...chosen(codes.alone, HAS_ALONE), ...chosen(codes.joined, HAS_JOINED)])];
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

function readPoint(workspace: SearchedWorkspace, place: number, read: Read): void {
  const { points, has } = workspace.index;
  const row = points.row(place);
  if (row === undefined) {
    readStored(workspace, place, read);
    return;
  }
  const { products } = read;
  const score = (part: 0 | 1, bit: number): number =>
    products === null || ((has[place] as number) & bit) === 0
      ? Number.NaN
      : points.product(row, part, products);
  read.ids.set(place, points.id(row));
  read.alone[place] = score(0, HAS_ALONE);
  read.joined[place] = score(1, HAS_JOINED);
}

function readStored({ file, tables, ws, index }: SearchedWorkspace, place: number, read: Read): void {
  const row = file
    .sql(`SELECT id, alone, joined FROM ${tables}_points WHERE key = ?`)
    .raw()
    .get(firstKey(ws) + place) as [string, unknown, unknown] | undefined;
  if (row === undefined) throw new FileCorrupt('a memory without its point');
  const alone = storedVector(row[1], index.dimensions);
  const joined = storedVector(row[2], index.dimensions);
  index.points.keep(place, row[0], alone, joined);
  const { products } = read;
  const score = (stored: Float32Array | null): number =>
    stored === null || products === null ? Number.NaN : products(stored, 0);
  read.ids.set(place, row[0]);
  read.alone[place] = score(alone);
  read.joined[place] = score(joined);
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
  workspace: SearchedWorkspace,
  merged: Merged[],
  read: Read,
  text: TextScores | null,
  { limit, marks }: VectorQuery,
): PackedCandidates {
  const { index } = workspace;
  const idOf = (place: number): string => read.ids.get(place) ?? '';
  merged.sort((a, b) => promisingFirst(a, b) || (idOf(a.place) < idOf(b.place) ? -1 : 1));
  const ids: string[] = [];
  const columns = new Float64Array(Math.min(limit, merged.length) * CANDIDATE_COLUMNS);
  const sessions = new Map<string, number>();
  const speakers = new Map<string, number>();
  const kept = merged.slice(0, limit);
  const borne = borneMarks(
    workspace,
    marks,
    kept.map(({ place }) => place),
  );
  for (const { place } of kept) {
    const first = ids.length * CANDIDATE_COLUMNS;
    ids.push(idOf(place));
    columns[first] = read.alone[place] as number;
    columns[first + 1] = read.joined[place] as number;
    columns[first + 2] = text?.alone[place] || Number.NaN;
    columns[first + 3] = text?.joined[place] || Number.NaN;
    columns[first + 4] = index.timestamps[place] as number;
    columns[first + 5] = index.aloneLengths[place] as number;
    columns[first + 6] = index.follows(place) ? 1 : 0;
    columns[first + 7] = numberOf(sessions, index.labels.session.of(place));
    columns[first + 8] = numberOf(speakers, index.labels.speaker.of(place));
    columns[first + 9] = (index.asked[place] as number) / 100;
    columns[first + 10] = (index.importances[place] as number) / 100;
    columns[first + 11] = (index.confidences[place] as number) / 100;
    columns[first + 12] = borne.get(place) ?? 0;
  }
  return { ids, sessions: [...sessions.keys()], speakers: [...speakers.keys()], columns };
}

function numberOf(sessions: Map<string, number>, session: string | null): number {
  if (session === null) return -1;
  const known = sessions.get(session);
  if (known !== undefined) return known;
  sessions.set(session, sessions.size);
  return sessions.size - 1;
}
