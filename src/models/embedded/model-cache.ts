import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  writevSync,
} from 'node:fs';
import { basename, join } from 'node:path';

const READ_SIZE = 1 << 20;

/**
 * The path of a model's file in `folder`, built and written where it is not there yet. The file's name holds
 * what it was built from and its own SHA-256 (`<name>.<version>.<hash>.onnx`), so a file of another version
 * or with a damaged content is never used. Written beside its place and renamed: safe with several at once.
 * Files of this model that are out of date are removed.
 */
export function cachedModel(
  folder: string,
  name: string,
  version: number,
  build: () => readonly Uint8Array[],
): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const prefix = `${name}.${version}.`;
  const kept = readdirSync(folder)
    .filter((file) => file.startsWith(prefix) && file.endsWith('.onnx'))
    .map((file) => join(folder, file))
    .find((path) => basename(path) === `${prefix}${hashOfFile(path)}.onnx`);
  if (kept !== undefined) return kept;

  const chunks = build();
  const path = join(folder, `${prefix}${hashOf(chunks)}.onnx`);
  const draft = join(folder, `${name}.${randomUUID()}.draft`);
  try {
    writeDurably(draft, chunks);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  for (const file of readdirSync(folder)) {
    const outdated = file.startsWith(`${name}.`) && file.endsWith('.onnx') && file !== basename(path);
    if (outdated) rmSync(join(folder, file), { force: true });
  }
  return path;
}

function writeDurably(path: string, chunks: readonly Uint8Array[]): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    // writev takes at most 1,024 pieces; most of a model's are a few bytes long.
    for (let i = 0; i < chunks.length; i += 1000) writeAll(file, chunks.slice(i, i + 1000));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function writeAll(file: number, chunks: readonly Uint8Array[]): void {
  for (let rest = [...chunks]; rest.length > 0;) {
    let written = writevSync(file, rest);
    while (rest[0] !== undefined && written >= rest[0].length) {
      written -= rest[0].length;
      rest = rest.slice(1);
    }
    if (rest[0] !== undefined) rest[0] = rest[0].subarray(written);
  }
}

function hashOf(chunks: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

function hashOfFile(path: string): string {
  const hash = createHash('sha256');
  const piece = new Uint8Array(READ_SIZE);
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const count = readSync(file, piece);
      if (count === 0) return hash.digest('hex');
      hash.update(piece.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}
