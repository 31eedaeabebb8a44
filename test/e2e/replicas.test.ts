import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FalkorDbServerForTests, withFalkorDb } from '../support/falkordb.js';
import { ADMIN_TOKEN, type Caller, urlOf } from '../support/loci.js';
import { freshDatabase, type FreshDatabase } from '../support/postgres.js';
import { QdrantStandIn } from '../support/qdrant/stand-in.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { ServerProcess } from './server-process.js';

const API_KEY = 'the-operators-key';
/** What an operator does on one replica holds on all of them within this time. */
const EVERYWHERE_MS = 1_000;

withFalkorDb('three API processes and a worker on the same servers', () => {
  let scratch: Awaited<ReturnType<typeof scratchFolder>>;
  let database: FreshDatabase;
  const vectors: QdrantStandIn[] = [];
  const graphs: FalkorDbServerForTests[] = [];
  const replicas: ServerProcess[] = [];
  let worker: ServerProcess;

  beforeAll(async () => {
    scratch = await scratchFolder();
    database = await freshDatabase();
    for (let i = 0; i < 2; i++) {
      vectors.push(await QdrantStandIn.start({ apiKey: API_KEY }));
      graphs.push(await FalkorDbServerForTests.start());
    }
    const placements = join(scratch.path, 'placements.json');
    const placed = (i: number) => ({
      qdrant_url: vectors[i]?.url,
      qdrant_api_key: API_KEY,
      falkordb_url: graphs[i]?.url,
    });
    await writeFile(placements, JSON.stringify({ shared: placed(0), second: placed(1) }));
    const env = {
      DATABASE_URL: urlOf(database),
      LOCI_MASTER_KEY: randomBytes(32).toString('base64'),
      LOCI_PLACEMENTS: placements,
    };
    for (const [name, role] of [
      ['api-1', 'api'],
      ['api-2', 'api'],
      ['api-3', 'api'],
      ['worker', 'worker'],
    ] as const) {
      const cwd = join(scratch.path, name);
      await mkdir(cwd);
      const started = await ServerProcess.start({
        cwd,
        env: { ...env, LOCI_DATA_DIR: join(cwd, 'data'), LOCI_ROLE: role },
      });
      if (role === 'api') replicas.push(started);
      else worker = started;
    }
  }, 120_000);
  afterAll(async () => {
    await Promise.all([...replicas, worker].map((server) => server.stop()));
    await Promise.all([...vectors.map((server) => server.close()), ...graphs.map((server) => server.stop())]);
    await database.drop();
    await scratch.remove();
  });

  let slugs = 0;
  async function provision(): Promise<{ slug: string; callers: Caller[]; keyId: string }> {
    const slug = `replicated-${++slugs}`;
    const { body } = await operator(0).post<{ api_key: { id: string; key: string } }>('/admin/tenants', {
      tenant_id: slug,
    });
    return { slug, keyId: body.api_key.id, callers: replicas.map((replica) => replica.as(body.api_key.key)) };
  }

  const operator = (replica: number): Caller => {
    const server = replicas[replica];
    if (server === undefined) throw new Error(`There is no replica ${replica}`);
    return server.as(ADMIN_TOKEN);
  };

  /** What each replica answers a recall with, at the latest moment that is allowed. */
  async function statusesSoon(callers: Caller[]): Promise<number[]> {
    await new Promise((resume) => setTimeout(resume, EVERYWHERE_MS - 100));
    return Promise.all(callers.map(async (caller) => (await caller.get('/recall?query=lamp')).status));
  }

  it('show on every replica what was stored on one', async () => {
    const { callers } = await provision();
    for (const [i, caller] of callers.entries()) {
      expect((await caller.post('/memory', { content: `Lamp number ${i} burns.` })).status).toBe(201);
      for (const other of callers) {
        expect((await other.get<{ count: number }>('/recall?query=lamp')).body.count).toBe(i + 1);
      }
    }
  });

  it('refuse a revoked key and a suspended tenant on every replica within a second', async () => {
    const { slug, keyId, callers } = await provision();
    expect(
      await Promise.all(callers.map(async (caller) => (await caller.get('/recall?query=lamp')).status)),
    ).toEqual([200, 200, 200]);
    await operator(1).post(`/admin/tenants/${slug}/suspend`, { reason: 'unpaid' });
    expect(await statusesSoon(callers)).toEqual([403, 403, 403]);
    await operator(2).post(`/admin/tenants/${slug}/resume`);
    expect(await statusesSoon(callers)).toEqual([200, 200, 200]);
    await operator(0).delete(`/admin/tenants/${slug}/keys/${keyId}`);
    expect(await statusesSoon(callers)).toEqual([401, 401, 401]);
  });

  it('serve a moved tenant from its new placement on every replica', async () => {
    const { slug, callers } = await provision();
    for (let i = 0; i < 5; i++) await callers[0]?.post('/memory', { content: `A lamp on pillar ${i}.` });
    const { status } = await operator(1).post(`/admin/tenants/${slug}/placement`, { placement: 'second' });
    expect(status).toBe(202);
    for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
      if ((await operator(2).get(`/admin/tenants/${slug}/placement`)).body['state'] === 'settled') break;
      await new Promise((resume) => setTimeout(resume, 50));
    }
    await new Promise((resume) => setTimeout(resume, EVERYWHERE_MS - 100));
    for (const caller of callers) {
      expect((await caller.get<{ count: number }>('/recall?query=lamp')).body.count).toBe(5);
    }
    expect(vectors[0]?.collections.has(`memories_${slug}`)).toBe(false);
    expect(vectors[1]?.collections.has(`memories_${slug}`)).toBe(true);
  });

  describe('count requests', () => {
    /** Whether a replica says that it counts together with the others. */
    async function isShared(replica: number): Promise<boolean> {
      const response = await fetch(`${replicas[replica]?.url ?? ''}/metrics`, {
        headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
      });
      return /^loci_rate_limits_shared 1$/m.test(await response.text());
    }

    /** How many of so many requests to each replica in turn are answered 200, with a limit of ten a minute. */
    async function letThrough(rounds: number): Promise<number> {
      const { slug, callers } = await provision();
      const settings = { quotas: { max_api_calls_per_minute: 10 } };
      expect((await operator(0).patch(`/admin/tenants/${slug}`, { settings })).status).toBe(200);
      await new Promise((resume) => setTimeout(resume, EVERYWHERE_MS));
      let passed = 0;
      for (let round = 0; round < rounds; round++) {
        for (const caller of callers) {
          const { status } = await caller.get('/v1/tenants/current');
          expect([200, 429]).toContain(status);
          if (status === 200) passed++;
        }
      }
      return passed;
    }

    it('together: one limit holds over all of them', async () => {
      for (let tries = 0; tries < 5; tries++) {
        const passed = await letThrough(6);
        const together = await Promise.all([0, 1, 2].map(isShared));
        // One that did not hear from the server in time has counted alone, and says so.
        if (together.includes(false)) continue;
        expect(passed).toBe(10);
        return;
      }
      throw new Error('The replicas did not count together');
    }, 180_000);

    it('each alone while that server is away, and none is refused for it', async () => {
      const { callers } = await provision();
      await graphs[0]?.kill();
      for (const caller of callers) {
        const { status, headers } = await caller.get('/v1/tenants/current');
        expect([status, headers.get('ratelimit')]).toEqual([200, expect.stringMatching(/^"tenant";r=\d+/)]);
      }
      expect(await Promise.all([0, 1, 2].map(isShared))).toEqual([false, false, false]);
      await graphs[0]?.run();
    });
  });

  it('leave a worker nothing to answer but its health and metrics', async () => {
    const caller = worker.as(ADMIN_TOKEN);
    expect((await caller.get('/health')).status).toBe(200);
    expect((await caller.get('/admin/tenants')).status).toBe(404);
  });
});
