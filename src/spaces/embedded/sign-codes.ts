/** One bit for each dimension: whether the vector points up there. Of unit vectors, close ones share most bits. */
export function wordsFor(dimensions: number): number {
  return Math.ceil(dimensions / 32);
}

export function writeSignCode(vector: Float32Array, code: Uint32Array, offset: number): void {
  for (let at = 0; at < vector.length; at++) {
    if ((vector[at] ?? 0) > 0) {
      const word = offset + (at >>> 5);
      code[word] = (code[word] ?? 0) | (1 << (at & 31));
    }
  }
}

/**
 * The places whose codes differ least from the question's, at most `most`: a first pass over everything, whose
 * finds are then scored with their full vectors. In no order.
 */
export function nearestCodes(
  codes: Uint32Array,
  question: Uint32Array,
  wanted: (place: number) => boolean,
  places: number,
  most: number,
): number[] {
  const words = question.length;
  const distances = scratch(places);
  const histogram = new Uint32Array(words * 32 + 1);
  for (let place = 0, offset = 0; place < places; place++, offset += words) {
    if (!wanted(place)) {
      distances[place] = NONE;
      continue;
    }
    let distance = 0;
    for (let word = 0; word < words; word++) {
      let bits = (codes[offset + word] as number) ^ (question[word] as number);
      bits -= (bits >>> 1) & 0x55555555;
      bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
      distance += Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
    }
    distances[place] = distance;
    histogram[distance] = (histogram[distance] as number) + 1;
  }
  return closest(distances, histogram, places, most);
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
