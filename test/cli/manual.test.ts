import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { runLoci } from './loci-command.js';

describe('docs/cli.md', () => {
  it('is what the commands say of themselves (loci manual > docs/cli.md)', async () => {
    const { code, stdout } = await runLoci(['manual'], { cwd: tmpdir() });
    expect(code).toBe(0);
    expect(readFileSync(join(__dirname, '../../docs/cli.md'), 'utf8')).toBe(stdout);
  });
});
