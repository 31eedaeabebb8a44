import { join } from 'node:path';
import { readdir, readFile } from 'node:fs/promises';
import { postgresPid } from '../e2e/server-process.js';
import { withFalkorDb } from '../support/falkordb.js';
import { Load } from './load.js';
import { Palace } from './palace.js';
import { expectRecovered, report } from './recovery.js';

const PAUSE_MS = 10_000;
/** Nobody waits for a server that stands still much longer than this: a statement or a batch is given eight seconds. */
const SLOWEST_MS = 30_000;
const TIME = 180_000;

/** A server stands still: its connections are there, and new ones are even taken, but nobody is behind them. */
async function drill(
  palace: Palace,
  what: string,
  signal: (name: 'SIGSTOP' | 'SIGCONT') => Promise<void>,
): Promise<Load> {
  const dwellers = [await palace.tenant(), await palace.tenant()];
  const load = new Load(dwellers);
  await load.acknowledges(20);
  await signal('SIGSTOP');
  await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  await signal('SIGCONT');
  const endedAt = performance.now();
  await load.acknowledges(20);
  await load.stop();
  const took = await expectRecovered(palace, dwellers, load, endedAt);
  report(`${what} stood still for ${PAUSE_MS / 1000} s`, load, took);
  expect(load.reads.slowestMs).toBeLessThan(SLOWEST_MS);
  return load;
}

/** PostgreSQL and all of its sessions: a session whose server is stopped goes on by itself. */
async function signalPostgres(data: string, name: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
  const server = await postgresPid(data);
  if (server === null) throw new Error('PostgreSQL does not run');
  const sessions = await childrenOf(server);
  // The server first, so that it starts no session between; and last, so that it finds them as it left them.
  for (const pid of name === 'SIGSTOP' ? [server, ...sessions] : [...sessions, server])
    process.kill(pid, name);
}

async function childrenOf(parent: number): Promise<number[]> {
  const children: number[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    if (Number(/\) \S (\d+)/.exec(stat)?.[1]) === parent) children.push(Number(pid));
  }
  return children;
}

withFalkorDb('a server that stands still for ten seconds under load', () => {
  let palace: Palace;
  beforeAll(async () => (palace = await Palace.onServers()), TIME);
  afterAll(() => palace.close(), TIME);

  it(
    'Valkey: writes are accepted and recalls answered without it, and it catches up',
    async () => {
      const load = await drill(palace, 'Valkey', (name) =>
        Promise.resolve(palace.servers.falkordb.server.signal(name)),
      );
      expect(load.reads.degraded).toBeGreaterThan(0);
    },
    TIME,
  );

  it(
    'PostgreSQL: nothing that was acknowledged is lost, and it goes on',
    () =>
      drill(palace, 'PostgreSQL', (name) => signalPostgres(join(palace.folder, 'postgres', 'data'), name)),
    TIME,
  );
});

it(
  'the embedded PostgreSQL that stands still for ten seconds under load loses nothing, and goes on',
  async () => {
    const palace = await Palace.embedded();
    try {
      await drill(palace, 'embedded PostgreSQL', (name) => signalPostgres(palace.dataFolder, name));
    } finally {
      await palace.close();
    }
  },
  TIME,
);
