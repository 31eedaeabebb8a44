import { createHash } from 'node:crypto';

/**
 * What a store holds of an item beside its name and revision, in short: computed from what lies in the store now, never
 * from a note that was made when it was written. Those of one engine compare with each other.
 */
export interface Digest {
  /** Of whatever a store keeps as it was given: 96 bits of a SHA-256. */
  exact: string;
  /**
   * Of vectors, which stores scale and round in ways of their own: each one's products with `DIRECTIONS` fixed vectors,
   * one vector after the other.
   */
  vectors: number[];
}

const DIRECTIONS = 4;
/**
 * Rounding to 32-bit floats, to eight decimals and to unit length moves a product by 1e-5 at the most. A vector that was
 * changed by a hundredth of its length moves all four of them by less than this once in 10^8 times.
 */
const ROUNDING = 1e-4;

export function exactDigest(fields: unknown): string {
  return createHash('sha256').update(JSON.stringify(fields)).digest('base64url').slice(0, 16);
}

/** As it lies in the store. Null: []. */
export function vectorDigest(vector: ArrayLike<number> | null): number[] {
  return vector === null ? [] : products(vector);
}

/** As a store is to hold it: of unit length. One without a direction is none. */
export function unitVectorDigest(vector: Float32Array | null): number[] {
  if (vector === null) return [];
  let square = 0;
  for (const value of vector) square += value * value;
  return square === 0 ? [] : products(vector).map((product) => product / Math.sqrt(square));
}

export function sameDigest(a: Digest, b: Digest): boolean {
  return (
    a.exact === b.exact &&
    a.vectors.length === b.vectors.length &&
    a.vectors.every((product, at) => Math.abs(product - (b.vectors[at] ?? Number.NaN)) <= ROUNDING)
  );
}

function products(vector: ArrayLike<number>): number[] {
  const { length } = vector;
  const directions = directionsFor(length);
  return Array.from({ length: DIRECTIONS }, (_, direction) => {
    let product = 0;
    for (let at = 0, along = direction * length; at < length; at++, along++) {
      product += (vector[at] as number) * (directions[along] as number);
    }
    return product;
  });
}

const known = new Map<number, Float64Array>();

/** Numbers from -1 to 1, always the same (mulberry32). */
function directionsFor(dimensions: number): Float64Array {
  let directions = known.get(dimensions);
  if (directions === undefined) {
    let state = 0x10c1;
    directions = new Float64Array(dimensions * DIRECTIONS).map(() => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
    });
    known.set(dimensions, directions);
  }
  return directions;
}
