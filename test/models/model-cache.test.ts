import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachedModel } from '../../src/models/embedded/model-cache.js';
import { temporaryFolder } from './temporary-folder.js';

const root = temporaryFolder();
let suite = 0;
let folder: string;
let builds: number;
beforeEach(() => {
  folder = join(root, `${suite++}`, 'models');
  builds = 0;
});

/** More pieces than can be written at once. */
const pieces = Array.from({ length: 2_500 }, (_, i) => Uint8Array.of(i % 256, i >> 8));
const whole = Buffer.concat(pieces);

function model(version = 1): string {
  return cachedModel(folder, 'some-model', version, () => {
    builds++;
    return pieces;
  });
}

describe('the kept model', () => {
  it('is built once, whole, and readable by nobody else', () => {
    const path = model();
    expect(readFileSync(path)).toEqual(whole);
    expect(path).toContain(createHash('sha256').update(whole).digest('hex'));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(model()).toBe(path);
    expect(builds).toBe(1);
  });

  it.each<[string, (path: string) => void]>([
    ['cut short', (path) => truncateSync(path, 100)],
    ['changed', (path) => writeFileSync(path, Buffer.from(whole).fill(7, 10, 11))],
    ['emptied', (path) => truncateSync(path, 0)],
  ])('is built anew where its file was %s', (_, damage) => {
    damage(model());
    expect(readFileSync(model())).toEqual(whole);
    expect(builds).toBe(2);
  });

  it('gives way to the one of another version', () => {
    const old = model(1);
    const newer = model(2);
    expect(newer).not.toBe(old);
    expect(readdirSync(folder)).toHaveLength(1);
    expect(builds).toBe(2);
  });

  it('leaves other models alone', () => {
    model();
    cachedModel(folder, 'some', 1, () => pieces);
    cachedModel(folder, 'some-model-2', 1, () => pieces);
    expect(readdirSync(folder)).toHaveLength(3);
  });

  it('leaves nothing behind where building fails', () => {
    const failing = (): string =>
      cachedModel(folder, 'some-model', 1, () => {
        throw new Error('no weights');
      });
    expect(failing).toThrow('no weights');
    expect(readdirSync(folder)).toEqual([]);
  });
});
