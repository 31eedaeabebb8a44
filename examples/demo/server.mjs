/** The server that the demo talks to: one that runs already, or one of its own, which is gone afterwards. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** `{url, adminToken, own, stop()}`. */
export async function findOrStartServer() {
  const { LOCI_URL: url, ADMIN_API_TOKEN: adminToken } = process.env;
  if (url === undefined) return startServer();
  if (adminToken === undefined) {
    throw new Error(
      'With LOCI_URL the demo needs ADMIN_API_TOKEN too: it lies in the data folder, keys/admin-token',
    );
  }
  return { url: url.replace(/\/$/, ''), adminToken, own: false, stop: async () => undefined };
}

/** Nothing set, so everything is embedded: as on a bare checkout, but on a free port and in a folder of its own. */
async function startServer() {
  const folder = await mkdtemp(join(tmpdir(), 'loci-demo-'));
  // The embedded database may run as another user, who has to get through.
  await chmod(folder, 0o711);
  const adminToken = randomBytes(24).toString('base64url');
  const { PATH, HOME, SystemRoot } = process.env;
  const child = spawn(process.execPath, [MAIN], {
    cwd: folder,
    env: {
      ...(PATH && { PATH }),
      ...(HOME && { HOME }),
      ...(SystemRoot && { SystemRoot }),
      PORT: '0',
      LOG_LEVEL: 'error',
      LOCI_DATA_DIR: join(folder, 'data'),
      ADMIN_API_TOKEN: adminToken,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    // Ctrl-C reaches the child from the terminal too: it may be stopping already.
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const url = await Promise.race([
      address(child),
      ended.then(([code]) => {
        throw new Error(`The server ended before it answered (exit code ${code})`);
      }),
    ]);
    return { url, adminToken, own: true, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function address(child) {
  return new Promise((resolve) => {
    // The lines after the address are read too, so that the child is never held up by a full pipe.
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, url] = / answers at (\S+)$/.exec(line) ?? [];
      if (url !== undefined) resolve(url);
    });
  });
}
