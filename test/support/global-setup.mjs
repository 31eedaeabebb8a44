import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare } from '../../scripts/prepare.mjs';

/** One PostgreSQL for all suites, each of which makes databases of its own in it (`freshDatabase()`). */
export default async function startPostgres() {
  const built = fileURLToPath(new URL('../../dist/platform/database/embedded-postgres.js', import.meta.url));
  if (!existsSync(built)) await prepare({ build: true });
  const folder = await mkdtemp(join(tmpdir(), 'loci-test-'));
  await chmod(folder, 0o711);
  const script = fileURLToPath(new URL('serve-postgres.mjs', import.meta.url));
  // A group of its own: Ctrl-C ends jest, whose end then stops the database in good order.
  const child = spawn(process.execPath, [script, join(folder, 'data'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const line = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', resolve);
    child.once('error', reject);
    child.once('exit', () => reject(new Error('The embedded PostgreSQL for the tests did not start.')));
  }).catch(async (error) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  process.env.LOCI_TEST_POSTGRES = line.trim();
  // Only the tests keep jest running.
  for (const handle of [child, child.stdin, child.stdout]) handle.unref();
  globalThis.stopTestPostgres = async () => {
    child.ref();
    child.stdin.end();
    await ended;
  };
}
