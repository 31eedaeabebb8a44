import { cp, copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { withFalkorDb } from '../support/falkordb.js';
import { Load } from './load.js';
import { Palace, type Dweller } from './palace.js';
import { expectRecovered, report } from './recovery.js';

const TIME = 240_000;
/** So long a store is away when it comes back with less: as long as it takes to put a snapshot in its place. */
const AWAY_MS = 2_500;

const pause = (milliseconds: number) => new Promise((resume) => setTimeout(resume, milliseconds));

/** Both were written to before; one of them is left alone from then on, and nobody touches it when the store is back. */
async function furnished(palace: Palace): Promise<{ busy: Dweller[]; all: Dweller[]; before: Load }> {
  const [busy, quiet] = [await palace.tenant(), await palace.tenant()];
  const before = new Load([busy, quiet], { writers: 2, readers: 0 });
  await before.acknowledges(30);
  await before.stop();
  return { busy: [busy], all: [busy, quiet], before };
}

/** `lose` under load; then everything of before and since is there again. */
async function drill(
  palace: Palace,
  what: string,
  lose: (dwellers: Dweller[]) => Promise<void>,
  remember: (dwellers: Dweller[]) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const { busy, all, before } = await furnished(palace);
  await remember(all);
  const load = new Load(busy, { writers: 2, readers: 1 });
  await load.acknowledges(25);
  await lose(all);
  const endedAt = performance.now();
  await load.acknowledges(10);
  await load.stop();
  // What was kept before and touched by nobody since is kept too.
  for (const [id, kept] of before.kept) load.kept.set(id, kept);
  const took = await expectRecovered(palace, all, load, endedAt);
  report(what, load, took);
}

withFalkorDb('a store that lost what it held, under load, is filled from the ledger', () => {
  let palace: Palace;
  beforeAll(async () => (palace = await Palace.onServers({ qdrant: true })), TIME);
  afterAll(() => palace.close(), TIME);

  it(
    'a graph that was deleted',
    () =>
      drill(palace, 'graph deleted', async ([busy]) => {
        await palace.servers.falkordb.server.command('GRAPH.DELETE', `memories_${busy?.slug ?? ''}`);
      }),
    TIME,
  );

  it(
    'a whole FalkorDB that came back empty',
    () =>
      drill(palace, 'FalkorDB emptied', async () => {
        const { server } = palace.servers.falkordb;
        await server.kill();
        await rm(join(server.dataFolder, 'appendonlydir'), { recursive: true });
        await pause(AWAY_MS);
        await server.run();
      }),
    TIME,
  );

  it(
    'a collection that was deleted',
    () =>
      drill(palace, 'collection deleted', ([busy]) => {
        palace.qdrant.server.remove(`memories_${busy?.slug ?? ''}`);
        return Promise.resolve();
      }),
    TIME,
  );

  it(
    'an old snapshot of FalkorDB in its place',
    () => {
      const { server } = palace.servers.falkordb;
      const kept = join(server.dataFolder, 'appendonlydir');
      const older = join(palace.folder, 'older-graphs');
      return drill(
        palace,
        'older FalkorDB',
        async () => {
          await server.kill();
          await rm(kept, { recursive: true });
          await cp(older, kept, { recursive: true });
          await pause(AWAY_MS);
          await server.run();
        },
        async () => {
          await server.kill();
          await cp(kept, older, { recursive: true });
          await server.run();
        },
      );
    },
    TIME,
  );

  it(
    'old snapshots of collections in their place',
    () => {
      const { server, line } = palace.qdrant;
      const lengths = new Map<string, number>();
      return drill(
        palace,
        'older Qdrant',
        async () => {
          line.turn('shut');
          await pause(AWAY_MS);
          for (const [name, length] of lengths) {
            const held = server.collections.get(name);
            if (held !== undefined) server.loseTail(name, held.changes.length - Math.floor(length / 2));
          }
          line.turn('open');
        },
        () => {
          for (const [name, { changes }] of server.collections) lengths.set(name, changes.length);
          return Promise.resolve();
        },
      );
    },
    TIME,
  );

  it(
    'projections that are ahead of an older PostgreSQL in its place',
    async () => {
      const { busy, all, before } = await furnished(palace);
      const { admin, connection } = palace.servers.postgres.server;
      const run = async (...statements: string[]): Promise<void> => {
        const client = new Client(admin);
        await client.connect();
        for (const statement of statements) await client.query(statement);
        await client.end();
      };
      const { database, user } = connection;
      await palace.restart(() => run(`CREATE DATABASE older TEMPLATE ${database} OWNER ${user}`));
      const lost = new Load(all, { writers: 2, readers: 0 });
      await lost.acknowledges(40);
      await lost.stop();
      await palace.restart(() =>
        run(`DROP DATABASE ${database} WITH (FORCE)`, `ALTER DATABASE older RENAME TO ${database}`),
      );
      const endedAt = performance.now();
      const load = new Load(busy, { writers: 2, readers: 1 });
      await load.acknowledges(10);
      await load.stop();
      for (const [id, kept] of before.kept) load.kept.set(id, kept);
      const took = await expectRecovered(palace, all, load, endedAt);
      report('older PostgreSQL', load, took);
      for (const { dweller, id } of lost.kept.values())
        expect((await dweller.get(`/memory/${id}`)).status).toBe(404);
    },
    TIME,
  );
});

describe('an embedded store that lost what it held is filled from the ledger', () => {
  let palace: Palace;
  beforeAll(async () => (palace = await Palace.embedded()), TIME);
  afterAll(() => palace.close(), TIME);
  const fileOf = ({ slug }: Dweller) => join(palace.dataFolder, 'spaces', `memories_${slug}.db`);

  it(
    'a file that was deleted under load',
    () =>
      drill(palace, 'embedded file deleted', async ([busy]) => {
        if (busy === undefined) return;
        for (const end of ['', '-wal', '-shm']) await rm(fileOf(busy) + end, { force: true });
      }),
    TIME,
  );

  it(
    'old copies of files that were put in their place after a kill',
    () => {
      const older = ({ slug }: Dweller) => join(palace.folder, `${slug}.older`);
      return drill(
        palace,
        'older embedded files',
        async (dwellers) => {
          await palace.killLoci();
          for (const one of dwellers) await copyFile(older(one), fileOf(one));
          await palace.serve();
        },
        // At rest the log is in the file, so that the copy is whole.
        (dwellers) =>
          palace.restart(async () => {
            for (const one of dwellers) await copyFile(fileOf(one), older(one));
          }),
      );
    },
    TIME,
  );
});
