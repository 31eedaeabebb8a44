import { VECTOR_KERNELS } from './vector-kernels.wasm.js';

/** WebAssembly, because JavaScript has no way to work on sixteen bytes at a time: a tenth of the time at 384 dimensions. */
const kernels = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(VECTOR_KERNELS, 'base64')))
  .exports as unknown as {
  memory: WebAssembly.Memory;
  differences(codes: number, question: number, count: number, blocks: number, out: number): void;
  product(a: number, b: number, bytes: number): number;
};

/** Where what lies in the kernels' memory, in bytes. It never grows, so that these views stay. */
const PAGE = 65_536;
const QUESTION = 0;
const OTHER = PAGE;
const QUESTION_CODE = 2 * PAGE;
const CODES = 3 * PAGE;
const OUT = 6 * PAGE;
const END = 7 * PAGE;
const words = new Uint32Array(kernels.memory.buffer);
const floats = new Float32Array(kernels.memory.buffer);
const shorts = new Uint16Array(kernels.memory.buffer);

const MOST_DIMENSIONS = PAGE / 4;

/** Codes are whole blocks of 128 bits. */
const BLOCK_BYTES = 16;

/**
 * In how many bits each of the first `places` codes differs from the question's code, into `distances`.
 * The codes are copied through the kernels' memory piece by piece, at a tenth of what comparing them costs in JavaScript.
 */
export function codeDifferences(
  codes: Uint32Array,
  question: Uint32Array,
  places: number,
  distances: Uint16Array,
): void {
  const bytes = question.length * 4;
  words.set(question, QUESTION_CODE / 4);
  const piece = Math.min(Math.floor((OUT - CODES) / bytes), (END - OUT) / 2);
  for (let first = 0; first < places; first += piece) {
    const count = Math.min(piece, places - first);
    const from = first * question.length;
    words.set(codes.subarray(from, from + count * question.length), CODES / 4);
    kernels.differences(CODES, QUESTION_CODE, count, bytes / BLOCK_BYTES, OUT);
    distances.set(shorts.subarray(OUT / 2, OUT / 2 + count), first);
  }
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
