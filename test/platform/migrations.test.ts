import { cp, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Client } from 'pg';
import { migrate } from '../../src/platform/database/migrations.js';
import { Loci, type Caller } from '../support/loci.js';
import { freshDatabase } from '../support/postgres.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { asSuperuser } from '../support/superuser.js';

const LATER = ['expand1999999999001', 'index1999999999002', 'validate1999999999003'];

describe('migrations', () => {
  let scratch: Awaited<ReturnType<typeof scratchFolder>>;
  /** This version's files and those of a later one. */
  let folder: string;
  let files: string[];

  beforeAll(async () => {
    scratch = await scratchFolder();
    folder = join(scratch.path, 'migrations');
    await cp(join(__dirname, '../../migrations'), folder, { recursive: true });
    await cp(join(__dirname, 'later-migrations'), folder, { recursive: true });
    files = (await readdir(folder)).sort();
  });
  afterAll(() => scratch.remove());

  it('are applied once, in order, by whichever of six replicas that start together comes first', async () => {
    const database = await freshDatabase();
    try {
      const results = await Promise.all(Array.from({ length: 6 }, () => migrate(database, folder)));
      const counts = results.map(({ applied }) => applied.length).sort((a, b) => a - b);
      expect(counts).toEqual([0, 0, 0, 0, 0, files.length]);
      const client = new Client(database);
      await client.connect();
      const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations ORDER BY id');
      await client.end();
      expect(rows.map(({ name }) => name)).toEqual(
        files.map((file) => file.replace(/^(\d+)-(.*)\.sql$/, '$2$1')),
      );
    } finally {
      await database.drop();
    }
  });

  it('send nothing to a language model that was stored before one could read it', async () => {
    const database = await freshDatabase();
    const client = new Client(database);
    try {
      const before = join(scratch.path, 'before-language-models');
      const begins = files.find((file) => file.includes('language-model-begins')) ?? '';
      await cp(folder, before, {
        recursive: true,
        filter: (path) => path === folder || basename(path) < begins,
      });
      await migrate(database, before);
      await client.connect();
      await client.query('SET ROLE loci_system');
      await client.query(
        `INSERT INTO tenants (id, slug, name, plan, placement, embedding_model, default_workspace_id, default_agent_id,
           wrapped_key, fingerprint, revision)
         SELECT gen_random_uuid(), 't' || i, '', 'free', 'shared', '', gen_random_uuid(), gen_random_uuid(), '', '', i
         FROM generate_series(0, 120) AS i`,
      );
      // And whatever came after it.
      expect((await migrate(database)).applied[0]).toBe('language-model-begins1763791000163');
      const { rows } = await client.query<{ wrong: string; all: string }>(
        `SELECT count(*) AS all, count(*) FILTER (WHERE f.revision <> t.revision) AS wrong FROM followers f
         JOIN tenants t ON t.id = f.tenant_id WHERE f.name = 'language_model'`,
      );
      expect(rows).toEqual([{ all: '120', wrong: '0' }]);
    } finally {
      await client.end();
      await database.drop();
    }
  });

  it('of a later version run under readers and writers of this one, without one request that fails', async () => {
    const loci = await Loci.start();
    try {
      const acme = await loci.tenant();
      const traffic = new Traffic(acme, loci.operator);
      await traffic.flows();
      // Somebody who reads for long, as a backup does: the lock that a new column needs has to wait for its end.
      const reading = await longRead(loci);
      const migrated = migrate(loci.database, folder);
      await traffic.flows();
      await reading.end();
      expect((await migrated).applied).toEqual(LATER);
      await traffic.flows();
      await traffic.stop();

      expect(traffic.failures).toEqual([]);
      expect(await asSuperuser(loci, usableIndexes)).toEqual([{ indisvalid: true }]);
      const verified = await loci.operator.post(`/admin/tenants/${acme.slug}/verify`);
      expect(verified.body).toMatchObject({ equal: true });

      // A server of this version starts beside the later one, on its tables, and serves.
      await loci.restart();
      const restarted = new Traffic(acme, loci.operator);
      await restarted.flows();
      await restarted.stop();
      expect(restarted.failures).toEqual([]);
    } finally {
      await loci.stop();
    }
  });
});

async function longRead(loci: Loci): Promise<Client> {
  const client = new Client({ ...loci.database });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT count(*) FROM memories');
  return client;
}

async function usableIndexes(client: Client): Promise<object[]> {
  const { rows } = await client.query<object>(
    `SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('memories_pinned')`,
  );
  return rows;
}

/** Several callers, each with one request under way at any time, until it is stopped. */
class Traffic {
  readonly failures: string[] = [];
  private rounds = 0;
  private stopped = false;
  private readonly callers: Promise<void>[];

  constructor(tenant: Caller, operator: Caller) {
    const memory = (n: number) => ({ content: `Cargo ${n} was loaded.`, tags: ['cargo'], session_id: 's' });
    const requests: ((n: number) => Promise<{ status: number; body: unknown }>)[] = [
      (n) => tenant.post('/memory', memory(n)),
      (n) => tenant.post('/memory/batch', { memories: [memory(n + 0.25), memory(n + 0.5)] }),
      () => tenant.get('/recall?query=which+cargo'),
      () => tenant.get('/v1/memories?limit=5'),
      () => tenant.get('/memory/by-tag?tags=cargo&limit=5'),
      () => tenant.get('/v1/workspaces'),
      () => operator.get('/admin/tenants?include_stats=true'),
      (n) => operator.post('/admin/tenants', { tenant_id: `made-${n}-${process.hrtime.bigint()}` }),
    ];
    this.callers = requests.map(async (request) => {
      for (let n = 0; !this.stopped; n++) {
        try {
          const { status, body } = await request(n);
          if (status >= 300) this.failures.push(`${status} ${JSON.stringify(body)}`);
        } catch (error) {
          this.failures.push(String(error));
        }
        this.rounds++;
        await new Promise((resume) => setTimeout(resume, 5));
      }
    });
  }

  /** Resolves once as many requests as three from each caller were answered from now on. */
  async flows(): Promise<void> {
    const until = this.rounds + 3 * this.callers.length;
    while (this.rounds < until) await new Promise((resume) => setTimeout(resume, 20));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.callers);
  }
}
