import { codeDifferences, codesWithin } from './vector-kernels.js';

/**
 * One bit for each dimension: whether the vector points up there. Of unit vectors, close ones share most bits.
 * In 32-bit words, rounded up to what is compared at once.
 */
export function wordsFor(dimensions: number): number {
  return Math.ceil(dimensions / 128) * 4;
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

/** So many deviations beyond what a cosine makes two codes differ on average, they are near all the same: of 30,000 one. */
const DEVIATIONS = 4;

/**
 * In how many bits the codes of two vectors may differ whose cosine is at least so much: in the first 128 dimensions, in
 * the first 256, and so on to all of them. Each bit differs with a chance of their angle by pi (Charikar, 2002:
 * https://doi.org/10.1145/509907.509965).
 */
export function differencesWithin(cosine: number, dimensions: number): number[] {
  const chance = Math.acos(Math.max(-1, Math.min(1, cosine))) / Math.PI;
  return Array.from({ length: wordsFor(dimensions) / 4 }, (_, block) => {
    const bits = Math.min(dimensions, (block + 1) * 128);
    return Math.ceil(bits * (chance + DEVIATIONS * Math.sqrt((chance * (1 - chance)) / bits)));
  });
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
  const distances = scratch(places);
  const histogram = new Uint32Array(question.length * 32 + 1);
  codeDifferences(codes, question, places, distances);
  for (let place = 0; place < places; place++) {
    if (mask[place] !== 1 || ((has[place] as number) & bit) === 0) {
      distances[place] = NONE;
    } else {
      const distance = distances[place] as number;
      histogram[distance] = (histogram[distance] as number) + 1;
    }
  }
  return closest(distances, histogram, places, most);
}

/**
 * For each question, whose codes lie one after another: the places whose codes differ in no more bits than `within`, as
 * `differencesWithin` tells them, and of those the `most` that differ least. Nearest first, ties by place.
 */
export function nearbyCodes(
  codes: Uint32Array,
  questions: Uint32Array,
  wanted: Wanted,
  within: readonly number[],
  most: number,
): number[][] {
  const { mask, has, bit, places } = wanted;
  const nearby = Array.from({ length: questions.length / (within.length * 4) }, () => new Nearest(most));
  codesWithin(codes, questions, places, within, (place, question, differences) => {
    if (mask[place] === 1 && ((has[place] as number) & bit) !== 0) nearby[question]?.add(place, differences);
  });
  return nearby.map((nearest) => nearest.places());
}

/** The nearest of those that are told in order of place, in memory for twice as many. */
class Nearest {
  /** Sorting them as numbers sorts them by difference, and then by place. */
  private kept: number[] = [];
  private furthest = Number.POSITIVE_INFINITY;

  constructor(private readonly most: number) {}

  add(place: number, differences: number): void {
    // Of those that differ alike, the earlier ones stay.
    if (differences >= this.furthest) return;
    this.kept.push(differences * DIFFERENCE + place);
    if (this.kept.length >= 2 * this.most) this.trim();
  }

  places(): number[] {
    this.trim();
    return this.kept.map((each) => each % DIFFERENCE);
  }

  private trim(): void {
    this.kept.sort((a, b) => a - b);
    if (this.kept.length < this.most) return;
    this.kept.length = this.most;
    this.furthest = Math.floor((this.kept.at(-1) ?? 0) / DIFFERENCE);
  }
}

const DIFFERENCE = 2 ** 32;

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
