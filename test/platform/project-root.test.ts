import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, workerFile } from '../../src/platform/project-root.js';

describe('the project root', () => {
  it('is the folder that holds package.json, under jest too', () => {
    expect(existsSync(join(projectRoot, 'src/platform/project-root.ts'))).toBe(true);
    expect(existsSync(join(projectRoot, 'package.json'))).toBe(true);
  });

  it('names the build where a worker was not compiled', () => {
    expect(() => workerFile('nowhere/no.worker.js')).toThrow(/npm run build/);
  });
});
