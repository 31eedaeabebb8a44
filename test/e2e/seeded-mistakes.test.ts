import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/platform/project-root.js';

interface Mistake {
  name: string;
  file: string;
  find: string;
  put: string;
  suite: string;
  test: string;
}

const LONG = process.env['LOCI_TEST_LONG'] === '1';
const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8');

describe('mistakes that the isolation tests must catch', () => {
  const mistakes = JSON.parse(read('test/isolation/seeded-mistakes.json')) as Mistake[];

  it('are twelve', () => {
    expect(new Set(mistakes.map(({ name }) => name)).size).toBe(12);
  });

  it.each(mistakes)('can still be made: $name', ({ file, find, put, suite, test }) => {
    expect(read(file).split(find)).toHaveLength(2);
    expect(put).not.toBe(find);
    expect(existsSync(join(projectRoot, suite))).toBe(true);
    expect(test).not.toBe('');
  });

  // Twenty server starts and more: `npm run test:long`.
  if (LONG) {
    it('are all caught', async () => {
      const script = join(projectRoot, 'scripts/seeded-mistakes.mjs');
      const { stdout } = await promisify(execFile)(process.execPath, [script], {
        maxBuffer: 64 * 1024 * 1024,
      });
      expect(stdout).toContain('12 caught, 0 missed');
    }, 3_600_000);
  }
});
