import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { seeded } from '../contracts/points.js';
import { eventually, someVector } from '../spaces/rules/projected.js';
import { requestText, sendAndGo, type Goes } from '../support/aborted-request.js';
import { FalkorDbServerForTests, withFalkorDb } from '../support/falkordb.js';
import { ADMIN_TOKEN, urlOf, type Caller } from '../support/loci.js';
import { freshDatabase, testPostgres, type FreshDatabase } from '../support/postgres.js';
import { QdrantStandIn } from '../support/qdrant/stand-in.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { ServerProcess } from './server-process.js';

const ABORTED = 20_000;
const TENANTS = 20;
const POOL = 2;
const CALLERS = 32;
/** Of so many requests one is waited for: it keeps the line of those that nobody waits for short. */
const WAITED_FOR = 10;

interface Marked {
  slug: string;
  /** In everything that this tenant ever stored, and in nobody else's. */
  marker: string;
  caller: Caller;
  ids: string[];
}

withFalkorDb('requests whose callers go away at any moment', () => {
  let database: FreshDatabase;
  let falkordb: FalkorDbServerForTests;
  let qdrant: QdrantStandIn;
  let folder: { path: string; remove(): Promise<void> };
  let server: ServerProcess;
  let tenants: Marked[];

  beforeAll(async () => {
    database = await freshDatabase();
    falkordb = await FalkorDbServerForTests.start();
    qdrant = await QdrantStandIn.start({ apiKey: 'the-operators-key', validate: false });
    folder = await scratchFolder();
    server = await ServerProcess.start({
      cwd: folder.path,
      env: {
        DATABASE_URL: urlOf(database),
        FALKORDB_URL: falkordb.url,
        QDRANT_URL: qdrant.url,
        QDRANT_API_KEY: 'the-operators-key',
        LOCI_DATABASE_CONNECTIONS: String(POOL),
        LOCI_QDRANT_CONNECTIONS: String(POOL),
        LOCI_FALKORDB_CONNECTIONS: String(POOL),
        LOCI_DATA_DIR: `${folder.path}/data`,
        LOCI_MASTER_KEY: randomBytes(32).toString('base64'),
        DEFAULT_RATE_LIMIT: '1000000',
      },
    });
    tenants = await Promise.all(Array.from({ length: TENANTS }, (_, at) => provision(at)));
  }, 120_000);
  afterAll(async () => {
    await server.stop();
    await qdrant.close();
    await falkordb.stop();
    await database.drop();
    await folder.remove();
  });

  async function provision(at: number): Promise<Marked> {
    const [slug, marker] = [`storm-${at}`, `marker-${at}-of-its-own`];
    const operator = server.as(ADMIN_TOKEN);
    const { body } = await operator.post<{ api_key: { key: string } }>('/admin/tenants', { tenant_id: slug });
    const caller = server.as(body.api_key.key);
    const ids: string[] = [];
    for (let page = 0; page < 4; page++) {
      const content = `The lighthouse keeper wrote ${marker} in the book, page ${page}.`;
      const stored = await caller.post<{ memory_id: string }>('/memory', {
        content,
        embedding: someVector(),
      });
      ids.push(stored.body.memory_id);
    }
    await caller.post('/associate', { memory1_id: ids[0], memory2_id: ids[1], type: 'RELATES_TO' });
    return { slug, marker, caller, ids };
  }

  /** Over routes that reach the ledger, the vectors and the graph. */
  function someRequest({ marker, caller, ids }: Marked, random: () => number): string {
    const id = ids[Math.floor(random() * ids.length)] ?? '';
    const route = random();
    if (route < 0.8) return requestText('GET', `/memory/${id}`, caller.token);
    if (route < 0.9) return requestText('GET', `/memories/${id}/related`, caller.token);
    if (route < 0.97) {
      const path = '/recall?query=lighthouse+keeper&expand_relations=true&limit=3';
      return requestText('GET', path, caller.token);
    }
    const content = `Nobody waits to hear of ${marker}, ${random()}.`;
    return requestText('POST', '/memory', caller.token, { content, embedding: someVector() });
  }

  function someMoment(random: () => number): Goes {
    const moment = random();
    if (moment < 0.05) return 'half-way';
    if (moment < 0.15) return 'as it is answered';
    return moment < 0.25 ? 0 : Math.ceil(random() ** 2 * 50);
  }

  function foreignIn(text: string, own: string): string[] {
    return [...text.matchAll(/marker-\d+-of-its-own/g)]
      .map(([marker]) => marker)
      .filter((one) => one !== own);
  }

  it(`leave no foreign reply to anybody: ${ABORTED} over ${TENANTS} tenants with pools of ${POOL}`, async () => {
    const random = seeded(2026);
    let [aborted, answeredAborted, own] = [0, 0, 0];
    const foreign: string[] = [];
    const statuses: Record<string, number> = {};
    const call = async (): Promise<void> => {
      for (let turn = 1; aborted < ABORTED; turn++) {
        const one = tenants[Math.floor(random() * TENANTS)] as Marked;
        const waits = turn % WAITED_FOR === 0;
        if (!waits) aborted++;
        const heard = await sendAndGo(
          server.url,
          someRequest(one, random),
          waits ? 'never' : someMoment(random),
        );
        foreign.push(...foreignIn(heard.text, one.marker));
        if (waits) statuses[String(heard.status)] = (statuses[String(heard.status)] ?? 0) + 1;
        else if (heard.text !== '') answeredAborted++;
        if (heard.text.includes(one.marker)) own++;
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, call));
    expect(foreign).toEqual([]);
    // Replies were looked at, those of callers that went too.
    expect(own).toBeGreaterThan(ABORTED / WAITED_FOR / 2);
    expect(answeredAborted).toBeGreaterThan(ABORTED / 50);
    // Some of the waits may have been too long; nothing else went wrong, and most were answered.
    expect(Object.keys(statuses).filter((status) => !['200', '201', '503'].includes(status))).toEqual([]);
    expect(statuses['200']).toBeGreaterThan(ABORTED / WAITED_FOR / 2);
  }, 600_000);

  it('leave every pool whole, and every tenant with what is its own', async () => {
    for (const { slug, marker, caller } of tenants) {
      const { body } = await caller.get(
        '/recall?query=lighthouse+keeper+page&limit=50&expand_relations=true',
      );
      expect(body).not.toHaveProperty('degraded');
      const text = JSON.stringify(body);
      expect(text).toContain(marker);
      expect(foreignIn(text, marker)).toEqual([]);
      const verdict = await server.as(ADMIN_TOKEN).post(`/admin/tenants/${slug}/verify`);
      expect(verdict.body).toMatchObject({ tenant_id: slug, equal: true });
    }
    await eventually('no session of PostgreSQL is in the middle of something', async () => {
      const sessions = await sessionsOf(database.database);
      return (
        sessions.every(({ state }) => state === 'idle') &&
        ['loci-tenants', 'loci-system'].every(
          (name) => sessions.filter(({ application_name: of }) => of === name).length <= POOL,
        )
      );
    });
    const clients = String(await falkordb.command('CLIENT', 'LIST')).match(/ user=memories_/g) ?? [];
    expect(clients.length).toBeLessThanOrEqual(POOL);
  }, 120_000);
});

async function sessionsOf(database: string): Promise<{ application_name: string; state: string }[]> {
  const client = new Client(testPostgres().admin);
  await client.connect();
  const { rows } = await client.query<{ application_name: string; state: string }>(
    'SELECT application_name, state FROM pg_stat_activity WHERE datname = $1',
    [database],
  );
  await client.end();
  return rows;
}
