import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The folder that holds this project's package.json: found by walking up from this file, so it is the
 * same from `dist/` and, under jest, from `src/` (swc turns `import.meta.url` into CommonJS's own file name).
 */
export const projectRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

/**
 * The compiled file to start a worker thread from, given as its path below `dist/`:
 * `workerFile('models/embedded/minilm.worker.js')`. A thread cannot load TypeScript, so suites too start
 * their threads from `dist/`: build before testing.
 */
export function workerFile(path: string): string {
  const file = join(projectRoot, 'dist', path);
  if (!existsSync(file)) throw new Error(`${file} is missing: run \`npm run build\` first`);
  return file;
}

function findRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error(`No package.json above ${start}`);
  }
}
