import type { Near, NearQuery } from '../vector-space.js';
import { passing, placesOf, type SearchedWorkspace } from './passing.js';
import { codesOf, readingFor, readPoint } from './point-reading.js';
import { differencesWithin, nearbyCodes, writeSignCode } from './sign-codes.js';
import { productsWith } from './vector-kernels.js';
import { EXACT } from './vector-search.js';
import { HAS_ALONE } from './workspace-index.js';

/** How many of a vector's nearest codes are looked at in full, where no more are asked for. */
const LOOKED_AT = 128;

/** One code of each memory is looked at, for all vectors at once, and only those few vectors are read whose codes are near. */
export function nearInWorkspace(workspace: SearchedWorkspace, query: NearQuery): Near[][] {
  const { mask, count } = passing(workspace, query.filter);
  if (count === 0) return query.vectors.map(() => []);
  workspace.index.points.touch();
  const all = count <= EXACT ? placesOf(mask) : null;
  const nearby = all === null ? nearbyPlaces(workspace, query, mask) : [];
  return query.vectors.map((vector, at) => nearest(workspace, vector, all ?? nearby[at] ?? [], query));
}

function nearbyPlaces(workspace: SearchedWorkspace, query: NearQuery, mask: Uint8Array): number[][] {
  const { has, places, words, dimensions } = workspace.index;
  const questions = new Uint32Array(words * query.vectors.length);
  query.vectors.forEach((vector, at) => writeSignCode(vector, questions, at * words));
  return nearbyCodes(
    codesOf(workspace).alone,
    questions,
    { mask, has, bit: HAS_ALONE, places },
    differencesWithin(query.atLeast, dimensions),
    Math.max(query.limit, LOOKED_AT),
  );
}

function nearest(
  workspace: SearchedWorkspace,
  vector: Float32Array,
  places: readonly number[],
  { atLeast, limit }: NearQuery,
): Near[] {
  const read = readingFor(workspace.index.places, productsWith(vector));
  const near: Near[] = [];
  for (const place of places) {
    readPoint(workspace, place, read);
    const cosine = read.alone[place] as number;
    if (cosine >= atLeast) near.push({ id: read.ids.get(place) ?? '', cosine });
  }
  return near.sort((a, b) => b.cosine - a.cosine || (a.id < b.id ? -1 : 1)).slice(0, limit);
}
