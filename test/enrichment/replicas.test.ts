import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { ServerProcess } from '../e2e/server-process.js';
import { eventually, someVector } from '../spaces/rules/projected.js';
import { ADMIN_TOKEN, urlOf } from '../support/loci.js';
import { freshDatabase, testPostgres, type FreshDatabase } from '../support/postgres.js';
import { scratchFolder } from '../support/scratch-folder.js';

jest.setTimeout(180_000);

const MEMORIES = 200;

interface Status {
  state: string;
  pending: number;
  processed: number;
  failed: number;
}

describe('two servers that enrich the same ledger, one of which is killed in the middle', () => {
  let scratch: Awaited<ReturnType<typeof scratchFolder>>;
  let database: FreshDatabase;
  const servers: ServerProcess[] = [];

  beforeAll(async () => {
    scratch = await scratchFolder();
    database = await freshDatabase();
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await database.drop();
    await scratch.remove();
  });

  it('lose nothing and do nothing twice', async () => {
    const env = {
      DATABASE_URL: urlOf(database),
      LOCI_MASTER_KEY: randomBytes(32).toString('base64'),
      LOCI_ENRICHMENT: 'true',
    };
    const start = async (name: string): Promise<ServerProcess> => {
      const cwd = join(scratch.path, name);
      await mkdir(cwd, { recursive: true });
      const server = await ServerProcess.start({ cwd, env: { ...env, LOCI_DATA_DIR: join(cwd, 'data') } });
      servers.push(server);
      return server;
    };
    const first = await start('first');
    const second = await start('second');
    const { body } = await first
      .as(ADMIN_TOKEN)
      .post<{ id: string; api_key: { key: string } }>('/admin/tenants', { tenant_id: 'both' });
    const callers = [first, second].map((server) => server.as(body.api_key.key));
    const [here, there] = callers;
    if (here === undefined || there === undefined) throw new Error('There are two servers');
    const memories = Array.from({ length: MEMORIES }, (_, at) => ({
      content: `Caroline went to Berlin for the ${at}th time.`,
      session_id: 'trips',
      timestamp: new Date(Date.UTC(2024, 0, 1, 0, at)).toISOString(),
      embedding: someVector(),
    }));
    expect((await here.post('/memory/batch', { memories })).status).toBe(201);
    const status = async () => (await there.get<Status>('/enrichment/status')).body;
    await eventually('some of them are read', async () => (await status()).processed > 0);
    first.kill('SIGKILL');
    await first.ended;
    await eventually('the other one has read the rest', async () => (await status()).state === 'idle');
    expect(await status()).toMatchObject({ pending: 0, processed: MEMORIES, failed: 0 });
    const { rows } = await inLedger(database, (client) =>
      client.query<{ type: string; n: number; pairs: number }>(
        `SELECT type, count(*)::int AS n, count(DISTINCT (from_id, to_id))::int AS pairs FROM relations GROUP BY type`,
      ),
    );
    expect(rows).toEqual([{ type: 'PRECEDED_BY', n: MEMORIES - 1, pairs: MEMORIES - 1 }]);
    const named = await there.get<{ entities: { slug: string; mention_count: number }[] }>('/entities');
    expect(named.body.entities).toMatchObject([{ mention_count: MEMORIES }, { mention_count: MEMORIES }]);
    const again = await start('first');
    const verdicts = [again, second].map((server) =>
      server.as(ADMIN_TOKEN).post('/admin/tenants/both/verify'),
    );
    for (const verdict of await Promise.all(verdicts)) expect(verdict.body).toMatchObject({ equal: true });
  });
});

async function inLedger<T>({ database }: FreshDatabase, look: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ ...testPostgres().admin, database });
  await client.connect();
  try {
    return await look(client);
  } finally {
    await client.end();
  }
}
