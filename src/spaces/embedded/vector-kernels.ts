import { VECTOR_KERNELS } from './vector-kernels.wasm.js';

/** WebAssembly, because JavaScript can neither count a word's bits nor multiply four numbers at once. */
const kernels = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(VECTOR_KERNELS, 'base64')))
  .exports as unknown as {
  memory: WebAssembly.Memory;
  differences(codes: number, question: number, count: number, bytes: number, out: number): void;
  within(
    codes: number,
    count: number,
    questions: number,
    questionsEnd: number,
    bytes: number,
    bounds: number,
    out: number,
  ): number;
  product(a: number, b: number, bytes: number): number;
};

/** Where what lies in the kernels' memory, in bytes. It never grows, so that these views stay. */
const PAGE = 65_536;
const QUESTION = 0;
const OTHER = PAGE;
const QUESTION_CODES = 2 * PAGE;
const BOUNDS = 3 * PAGE;
const CODES = 4 * PAGE;
const OUT = 8 * PAGE;
const END = 12 * PAGE;
const words = new Uint32Array(kernels.memory.buffer);
const floats = new Float32Array(kernels.memory.buffer);
const shorts = new Uint16Array(kernels.memory.buffer);
const bounds = new BigUint64Array(kernels.memory.buffer, BOUNDS, PAGE / 8);

const MOST_DIMENSIONS = PAGE / 4;
/** What `within` writes for each pair. */
const PAIR_BYTES = 8;

/**
 * In how many bits each of the first `places` codes differs from the question's code, into `distances`.
 * The codes are copied through the kernels' memory piece by piece, at a fifth of what comparing them costs.
 */
export function codeDifferences(
  codes: Uint32Array,
  question: Uint32Array,
  places: number,
  distances: Uint16Array,
): void {
  const bytes = question.length * 4;
  words.set(question, QUESTION_CODES / 4);
  const piece = Math.min(Math.floor((OUT - CODES) / bytes), (END - OUT) / 2);
  for (let first = 0; first < places; first += piece) {
    const count = Math.min(piece, places - first);
    copyCodes(codes, first, count, question.length);
    kernels.differences(CODES, QUESTION_CODES, count, bytes, OUT);
    distances.set(shorts.subarray(OUT / 2, OUT / 2 + count), first);
  }
}

/**
 * Tells of each of the first `places` codes and each question, whose codes lie one after another, that differ in no more
 * bits than `atMost` allows: after each block of 128 bits, and so after all. Several questions at once cost less than one
 * after the other, as the codes are copied and read once.
 */
export function codesWithin(
  codes: Uint32Array,
  questions: Uint32Array,
  places: number,
  atMost: readonly number[],
  tell: (place: number, question: number, differences: number) => void,
): void {
  const length = atMost.length * 4;
  const bytes = length * 4;
  const asked = questions.length / length;
  if (questions.length * 4 > PAGE) throw new RangeError('So many questions at once have no room');
  words.set(questions, QUESTION_CODES / 4);
  atMost.forEach((bound, block) => (bounds[block] = BigInt(bound)));
  const piece = Math.min(Math.floor((OUT - CODES) / bytes), Math.floor((END - OUT) / (asked * PAIR_BYTES)));
  for (let first = 0; first < places; first += piece) {
    const count = Math.min(piece, places - first);
    copyCodes(codes, first, count, length);
    const questionsEnd = QUESTION_CODES + asked * bytes;
    const end = kernels.within(CODES, count, QUESTION_CODES, questionsEnd, bytes, BOUNDS, OUT);
    for (let pair = OUT; pair < end; pair += PAIR_BYTES) {
      const at = words[pair / 4] as number;
      tell(first + at, (shorts[pair / 2 + 2] as number) / bytes, shorts[pair / 2 + 3] as number);
    }
  }
}

function copyCodes(codes: Uint32Array, first: number, count: number, length: number): void {
  words.set(codes.subarray(first * length, (first + count) * length), CODES / 4);
}

/** The product with a vector that begins at an offset. */
export type Products = (vectors: Float32Array, offset: number) => number;

/** Of vectors of unit length: their cosines with the question. Valid until the next question is asked. */
export function productsWith(question: Float32Array): Products {
  const { length } = question;
  if (length > MOST_DIMENSIONS) throw new RangeError(`Vectors have at most ${MOST_DIMENSIONS} dimensions`);
  const bytes = Math.ceil(length / 8) * 32;
  floats.fill(0, QUESTION / 4, (QUESTION + bytes) / 4);
  floats.set(question, QUESTION / 4);
  floats.fill(0, OTHER / 4, (OTHER + bytes) / 4);
  return (vectors, offset) => {
    floats.set(vectors.subarray(offset, offset + length), OTHER / 4);
    return kernels.product(QUESTION, OTHER, bytes);
  };
}
