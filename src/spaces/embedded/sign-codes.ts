/** One bit for each dimension: whether the vector points up there. Of unit vectors, close ones share most bits. */
export function wordsFor(dimensions: number): number {
  return Math.ceil(dimensions / 32);
}

export function writeSignCode(vector: Float32Array, code: Uint32Array, offset: number): void {
  for (let at = 0; at < vector.length; at++) {
    if ((vector[at] as number) > 0) {
      const word = offset + (at >>> 5);
      code[word] = (code[word] as number) | (1 << (at & 31));
    }
  }
}

/** Which places are looked at: those that the mask lets through and that have the wanted vector. */
export interface Wanted {
  mask: Uint8Array;
  has: Uint8Array;
  bit: number;
  places: number;
}

/**
 * The places whose codes differ least from the question's, at most `most`: a first pass over everything, whose
 * finds are then scored with their full vectors. In order of place.
 */
export function nearestCodes(
  codes: Uint32Array,
  question: Uint32Array,
  wanted: Wanted,
  most: number,
): number[] {
  const { mask, has, bit, places } = wanted;
  const words = question.length;
  const distances = scratch(places);
  const histogram = new Uint32Array(words * 32 + 1);
  for (let place = 0; place < places; place++) {
    if (((mask[place] as number) & 1) === 0 || ((has[place] as number) & bit) === 0) {
      distances[place] = NONE;
      continue;
    }
    const distance = difference(codes, place * words, question, words);
    distances[place] = distance;
    histogram[distance] = (histogram[distance] as number) + 1;
  }
  return closest(distances, histogram, places, most);
}

/**
 * How many bits differ. Three words at a time: a full adder makes two words of them, one that counts single bits and
 * one that counts double, so that a third fewer are counted.
 */
function difference(codes: Uint32Array, offset: number, question: Uint32Array, words: number): number {
  let count = 0;
  let word = 0;
  for (; word + 2 < words; word += 3) {
    const a = (codes[offset + word] as number) ^ (question[word] as number);
    const b = (codes[offset + word + 1] as number) ^ (question[word + 1] as number);
    const c = (codes[offset + word + 2] as number) ^ (question[word + 2] as number);
    const either = a ^ b;
    count += ones(either ^ c) + 2 * ones((a & b) | (either & c));
  }
  for (; word < words; word++) count += ones((codes[offset + word] as number) ^ (question[word] as number));
  return count;
}

function ones(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

const NONE = 0xffff;
let kept = new Uint16Array(0);

function scratch(places: number): Uint16Array {
  if (kept.length < places) kept = new Uint16Array(Math.ceil(places * 1.25));
  return kept;
}

function closest(distances: Uint16Array, histogram: Uint32Array, places: number, most: number): number[] {
  let within = 0;
  let furthest = 0;
  while (furthest < histogram.length && within + (histogram[furthest] as number) <= most) {
    within += histogram[furthest++] as number;
  }
  // Everything nearer than `furthest` fits; of those just at it, the first ones do.
  let room = most - within;
  const found: number[] = [];
  for (let place = 0; place < places; place++) {
    const distance = distances[place] as number;
    if (distance < furthest || (distance === furthest && room-- > 0)) found.push(place);
  }
  return found;
}
