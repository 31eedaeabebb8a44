import { join } from 'node:path';
import { Client } from 'pg';
import { postgresPid } from '../e2e/server-process.js';
import { withFalkorDb } from '../support/falkordb.js';
import { Load } from './load.js';
import { Palace } from './palace.js';
import { expectRecovered, report, ROUNDS } from './recovery.js';

/** Writes that are acknowledged before the kill: another moment in each round, from the first on. */
const before = (round: number): number => 5 + ((round * 23) % 60);
const TIME = 60_000 + ROUNDS * 60_000;

/** Kills, and resolves once what was killed is back, with the moment from which recovery is timed. */
type Kill = (palace: Palace, round: number) => Promise<number>;

async function drill(palace: Palace, what: string, kill: Kill): Promise<void> {
  const dwellers = [await palace.tenant(), await palace.tenant()];
  for (let round = 0; round < ROUNDS; round++) {
    const load = new Load(dwellers);
    await load.acknowledges(before(round));
    const endedAt = await kill(palace, round);
    await load.acknowledges(10);
    await load.stop();
    const took = await expectRecovered(palace, dwellers, load, endedAt);
    report(what, load, took);
  }
}

/** The server itself, or one of its sessions: then it ends all of them, and replays its log. */
async function killPostgres(data: string, session: (() => Promise<number>) | null): Promise<number> {
  const pid = session === null ? await postgresPid(data) : await session();
  if (pid === null) throw new Error('PostgreSQL does not run');
  process.kill(pid, 'SIGKILL');
  return performance.now();
}

describe('what was acknowledged survives, and every projection comes to its ledger, embedded', () => {
  let palace: Palace;
  beforeAll(async () => (palace = await Palace.embedded()), TIME);
  afterAll(() => palace.close(), TIME);

  // Loci itself: test/e2e/crash.test.ts.
  it(
    `when PostgreSQL is killed ${ROUNDS} times under load`,
    () => drill(palace, 'embedded PostgreSQL', () => killPostgres(palace.dataFolder, null)),
    TIME,
  );
});

withFalkorDb('what was acknowledged survives, and every projection comes to its ledger, on servers', () => {
  let palace: Palace;
  beforeAll(async () => (palace = await Palace.onServers()), TIME);
  afterAll(() => palace.close(), TIME);

  it(
    `when Loci is killed ${ROUNDS} times under load`,
    () =>
      drill(palace, 'Loci', async () => {
        await palace.killLoci();
        await palace.serve();
        return performance.now();
      }),
    TIME,
  );

  it(
    `when PostgreSQL is killed ${ROUNDS} times under load, itself and one of its sessions in turn`,
    () =>
      drill(palace, 'PostgreSQL', (_, round) => {
        const session = async (): Promise<number> => {
          const client = new Client(palace.servers.postgres.server.admin);
          await client.connect();
          const { rows } = await client.query<{ pid: number }>(
            `SELECT pid FROM pg_stat_activity WHERE application_name = 'loci-tenants' ORDER BY state_change DESC LIMIT 1`,
          );
          await client.end();
          return Number(rows[0]?.pid);
        };
        return killPostgres(join(palace.folder, 'postgres', 'data'), round % 2 === 0 ? null : session);
      }),
    TIME,
  );

  it(
    `when Valkey is killed ${ROUNDS} times under load`,
    () =>
      drill(palace, 'Valkey', async (_, round) => {
        const falkordb = palace.servers.falkordb.server;
        await falkordb.kill();
        // At once, as under a supervisor, or after having been missed for a while.
        await new Promise((resume) => setTimeout(resume, (round % 3) * 700));
        await falkordb.run();
        return performance.now();
      }),
    TIME,
  );
});
