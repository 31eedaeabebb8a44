import { closeSync, openSync, readSync } from 'node:fs';

interface Entry {
  dtype: string;
  shape: number[];
  /** Half-open, counted from the end of the header. */
  data_offsets: [number, number];
}

/**
 * A file of tensors (https://huggingface.co/docs/safetensors): eight bytes with the header's length,
 * the header as JSON, then the tensors. Each is read from the file when it is asked for, so that
 * a model is never in memory whole. Throws where the file is cut short or a tensor is missing.
 */
export class Safetensors {
  private constructor(
    private readonly file: number,
    private readonly start: number,
    private readonly entries: Record<string, Entry>,
  ) {}

  static open(path: string): Safetensors {
    const file = openSync(path, 'r');
    try {
      const headerLength = Number(new DataView(read(file, 0, 8).buffer).getBigUint64(0, true));
      const header = new TextDecoder().decode(read(file, 8, headerLength));
      return new Safetensors(file, 8 + headerLength, JSON.parse(header) as Record<string, Entry>);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** A tensor's numbers, row by row, whether the file holds them in half or full precision. */
  floats(name: string): Float32Array {
    const { dtype } = this.entry(name);
    const { buffer } = this.bytes(name);
    if (dtype === 'F32') return new Float32Array(buffer);
    if (dtype === 'F16') return widen(new Uint16Array(buffer));
    throw new Error(`Tensor ${name} is ${dtype}, neither F16 nor F32`);
  }

  /** A tensor's half-precision numbers as they are. */
  halves(name: string): Uint16Array {
    const { dtype } = this.entry(name);
    if (dtype !== 'F16') throw new Error(`Tensor ${name} is ${dtype}, not F16`);
    return new Uint16Array(this.bytes(name).buffer);
  }

  close(): void {
    closeSync(this.file);
  }

  private bytes(name: string): Uint8Array<ArrayBuffer> {
    const [from, to] = this.entry(name).data_offsets;
    return read(this.file, this.start + from, to - from);
  }

  private entry(name: string): Entry {
    const entry = this.entries[name];
    if (entry === undefined) throw new Error(`No tensor ${name} in the file`);
    return entry;
  }
}

function read(file: number, from: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const count = readSync(file, bytes, done, length - done, from + done);
    if (count === 0) throw new Error('The file of tensors is cut short');
    done += count;
  }
  return bytes;
}

function widen(halves: Uint16Array): Float32Array {
  const floats = new Float32Array(halves.length);
  halves.forEach((half, i) => (floats[i] = halfToNumber(half)));
  return floats;
}

/** IEEE 754 binary16: a sign, five bits of exponent, ten of fraction. */
function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
