import { FileCorrupt } from './tenant-file.js';

/** A blob column as numbers, uncopied where its memory is aligned. */
export function uint32sOf(blob: unknown): Uint32Array {
  const bytes = aligned(blob);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
}

export function float32sOf(blob: unknown): Float32Array {
  const bytes = aligned(blob);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
}

export function bytesOf(numbers: Uint32Array | Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function aligned(blob: unknown): Uint8Array {
  if (!(blob instanceof Uint8Array) || blob.byteLength % 4 !== 0)
    throw new FileCorrupt('a blob is cut short');
  return blob.byteOffset % 4 === 0 ? blob : Uint8Array.from(blob);
}
