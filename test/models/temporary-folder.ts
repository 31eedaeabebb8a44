import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for this suite, removed after it. Call it at the top of a suite. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'loci-models-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
