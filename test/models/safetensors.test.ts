import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Safetensors } from '../../src/models/embedded/safetensors.js';
import { temporaryFolder } from './temporary-folder.js';

const folder = temporaryFolder();

describe('a file of tensors', () => {
  const path = join(folder, 'some.safetensors');
  function write(): void {
    const header = JSON.stringify({
      half: { dtype: 'F16', shape: [4, 2], data_offsets: [0, 16] },
      full: { dtype: 'F32', shape: [2], data_offsets: [16, 24] },
      whole: { dtype: 'I32', shape: [1], data_offsets: [24, 28] },
    });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0xfc00, 0x8000, 0x3555);
    const data = Buffer.concat([
      Buffer.from(halves.buffer),
      Buffer.from(Float32Array.of(0.1, -2).buffer),
      Buffer.alloc(4),
    ]);
    writeFileSync(path, Buffer.concat([length, Buffer.from(header), data]));
  }

  it('gives numbers of half and of full precision', () => {
    write();
    const tensors = Safetensors.open(path);
    const third = 0.333251953125;
    expect([...tensors.floats('half')]).toEqual([1, -2, 2 ** -24, 65504, Infinity, -Infinity, -0, third]);
    expect([...tensors.floats('full')]).toEqual([Math.fround(0.1), -2]);
    expect(tensors.halves('half')[1]).toBe(0xc000);
    tensors.close();
  });

  it('refuses what it does not hold, or cannot give', () => {
    write();
    const tensors = Safetensors.open(path);
    expect(() => tensors.floats('missing')).toThrow('missing');
    expect(() => tensors.floats('whole')).toThrow('I32');
    expect(() => tensors.halves('full')).toThrow('F32');
    tensors.close();
  });

  it('says that it is cut short', () => {
    write();
    truncateSync(path, 190);
    const tensors = Safetensors.open(path);
    expect(() => tensors.floats('full')).toThrow('cut short');
    tensors.close();
    truncateSync(path, 20);
    expect(() => Safetensors.open(path)).toThrow('cut short');
  });
});
