import { float32sOf, uint32sOf } from './blobs.js';
import { firstKey, lastKey, placeOf } from './keys.js';
import type { SearchedWorkspace } from './passing.js';
import { FileCorrupt } from './tenant-file.js';
import type { Products } from './vector-kernels.js';
import { HAS_ALONE, HAS_JOINED } from './workspace-index.js';

/** What has been read of the memories that a search looks at. By place, and valid until the next search. */
export interface Read {
  ids: Map<number, string>;
  /** Cosines; NaN where there is no vector. */
  alone: Float64Array;
  joined: Float64Array;
  products: Products | null;
}

let cosines = { alone: new Float64Array(0), joined: new Float64Array(0) };

/** Whatever was read for the last one is forgotten. `products` of null: no vector is asked for. */
export function readingFor(places: number, products: Products | null): Read {
  if (cosines.alone.length < places) {
    const size = Math.ceil(places * 1.25);
    cosines = { alone: new Float64Array(size), joined: new Float64Array(size) };
  }
  return { ids: new Map(), ...cosines, products };
}

/** The sign codes of every memory, by place: read from the file at the first search that wants them. */
export function codesOf({ file, tables, ws, index }: SearchedWorkspace): {
  alone: Uint32Array;
  joined: Uint32Array;
} {
  if (index.codes !== null) return index.codes;
  const codes = index.makeCodes();
  const rows = file
    .sql(`SELECT key, codes FROM ${tables}_memories WHERE key BETWEEN ? AND ? AND codes IS NOT NULL`)
    .raw()
    .iterate(firstKey(ws), lastKey(ws));
  for (const row of rows as IterableIterator<[number, unknown]>)
    index.putCodes(placeOf(row[0]), uint32sOf(row[1]));
  return codes;
}

/** Its id, and its cosines with what is asked. */
export function readPoint(workspace: SearchedWorkspace, place: number, read: Read): void {
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
