import type { VectorQuery } from '../vector-space.js';
import { best, mergeRankings, promisingFirst, type Merged, type Ranking } from '../best.js';
import { borneMarks } from './marks.js';
import { passing, placesOf, type SearchedWorkspace } from './passing.js';
import { codesOf, readingFor, readPoint, type Read } from './point-reading.js';
import { nearestCodes, writeSignCode } from './sign-codes.js';
import { CANDIDATE_COLUMNS, type PackedCandidates } from './space-work.js';
import { textScores, type TextScores } from './text-scores.js';
import { productsWith } from './vector-kernels.js';
import { HAS_ALONE, HAS_JOINED } from './workspace-index.js';

/** Up to so many memories every vector is compared in full; beyond, sign codes choose whose are. */
export const EXACT = 400;
/**
 * How many each part's codes choose, for a small workspace and for a large one. Measured with MiniLM on 2,960 turns of
 * conversation: of the best ten, .983 are among the 100 nearest codes, .994 among 128, .997 among 200, .998 among 320.
 * Where there are no words to fill the list, the limit if it is more.
 */
const CHOSEN = { upTo: 20_000, few: 128, many: 320 };

export function searchWorkspace(workspace: SearchedWorkspace, query: VectorQuery): PackedCandidates {
  const { index } = workspace;
  const allowed = passing(workspace, query.filter);
  const products = query.vector === null ? null : productsWith(query.vector);
  const read = readingFor(index.places, products);
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

function chosenByCodes(
  workspace: SearchedWorkspace,
  vector: Float32Array,
  mask: Uint8Array,
  least: number,
): number[] {
  const { index } = workspace;
  const codes = codesOf(workspace);
  const question = new Uint32Array(index.words);
  writeSignCode(vector, question, 0);
  const most = Math.max(least, index.live <= CHOSEN.upTo ? CHOSEN.few : CHOSEN.many);
  const { has, places } = index;
  const chosen = (part: Uint32Array, bit: number): number[] =>
    nearestCodes(part, question, { mask, has, bit, places }, most);
  return [...new Set([...chosen(codes.alone, HAS_ALONE), ...chosen(codes.joined, HAS_JOINED)])];
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
