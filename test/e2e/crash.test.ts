import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Caller, type Reply } from '../support/loci.js';
import { ADMIN_TOKEN } from '../support/loci.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { isAlive, postgresPid, processesOf, ServerProcess } from './server-process.js';

const ROUNDS = process.env['LOCI_TEST_LONG'] === '1' ? 30 : 5;
const WRITERS = 8;
const TENANTS = 3;

/** A write that the server said it had kept. */
interface Acknowledged {
  tenant: number;
  id: string;
  content: string;
}

describe('a server that is killed', () => {
  let folder: { path: string; remove(): Promise<void> };
  let options: { cwd: string; env: Record<string, string> };
  let data: string;
  let server: ServerProcess | null = null;

  beforeAll(async () => {
    folder = await scratchFolder();
    data = join(folder.path, 'data');
    options = { cwd: folder.path, env: { LOCI_DATA_DIR: data } };
  });
  afterAll(async () => {
    await server?.stop();
    expect((await processesOf(data)) ?? []).toEqual([]);
    await folder.remove();
  });

  it(
    `keeps everything that it acknowledged, ${ROUNDS} times in the middle of ${WRITERS} writers`,
    async () => {
      server = await ServerProcess.start(options);
      const tokens = await provision(server);
      const kept: Acknowledged[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const running: ServerProcess = server;
        const callers = tokens.map((token) => running.as(token));
        const acknowledged: Acknowledged[] = [];
        let failed = false;
        const underWay = Promise.all(
          Array.from({ length: WRITERS }, (_, writer) => writeUntilCut(callers, round, writer, acknowledged)),
        );
        underWay.catch(() => (failed = true));
        // Another moment in each round: from the first writes on, to when all is warm.
        await until(() => failed || acknowledged.length >= 1 + ((round * 23) % 90));
        running.kill('SIGKILL');
        expect((await running.ended).signal).toBe('SIGKILL');
        await underWay;
        const left = await postgresPid(data);
        expect(left !== null && (await isAlive(left))).toBe(true);

        server = await ServerProcess.start(options);
        const after = tokens.map((token) => new Caller(() => server?.url ?? '', token));
        expect(await postgresPid(data)).not.toBe(left);
        expect(left !== null && (await isAlive(left))).toBe(false);
        expect(await missingById(after, acknowledged)).toEqual([]);
        expect(await notRecalled(after, acknowledged)).toEqual([]);
        kept.push(...acknowledged);
      }
      expect(kept.length).toBeGreaterThan(ROUNDS * 20);
      const last = tokens.map((token) => new Caller(() => server?.url ?? '', token));
      expect(await missingById(last, kept)).toEqual([]);
    },
    60_000 + ROUNDS * 30_000,
  );
});

async function provision(server: ServerProcess): Promise<string[]> {
  const tokens: string[] = [];
  for (let i = 0; i < TENANTS; i++) {
    const { body } = await server.as(ADMIN_TOKEN).post<{ api_key: { key: string } }>('/admin/tenants', {
      tenant_id: `crashed-${i}`,
    });
    tokens.push(body.api_key.key);
  }
  return tokens;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Stores one memory after the other, now and then several at once, until the server is gone. */
async function writeUntilCut(
  callers: Caller[],
  round: number,
  writer: number,
  acknowledged: Acknowledged[],
): Promise<void> {
  const tenant = writer % TENANTS;
  const caller = callers[tenant];
  for (let i = 0; caller !== undefined; i++) {
    const contents = Array.from(
      { length: i % 5 === 4 ? 6 : 1 },
      () => `Round ${round}: writer ${writer} notes ${randomBytes(6).toString('hex')}`,
    );
    const memories = contents.map((content) => ({ content, session_id: `s-${writer}` }));
    let reply: Reply<{ memory_id?: string; memory_ids?: string[] }>;
    try {
      reply =
        memories.length === 1
          ? await caller.post('/memory', memories[0])
          : await caller.post('/memory/batch', { memories });
    } catch {
      return;
    }
    if (reply.status !== 201) throw new Error(`${reply.status} ${JSON.stringify(reply.body)}`);
    const ids = reply.body.memory_ids ?? [reply.body.memory_id ?? ''];
    ids.forEach((id, at) => acknowledged.push({ tenant, id, content: contents[at] ?? '' }));
  }
}

async function missingById(callers: Caller[], acknowledged: Acknowledged[]): Promise<Acknowledged[]> {
  return missing(acknowledged, async ({ tenant, id, content }) => {
    const reply = await callers[tenant]?.get<{ memory?: { content: string } }>(`/memory/${id}`);
    return reply?.status === 200 && reply.body.memory?.content === content;
  });
}

async function notRecalled(callers: Caller[], acknowledged: Acknowledged[]): Promise<Acknowledged[]> {
  return missing(acknowledged, async ({ tenant, id, content }) => {
    const query = encodeURIComponent(content);
    // The projections may still be applying what the ledger kept.
    for (const until = Date.now() + 10_000; Date.now() < until;) {
      const reply = await callers[tenant]?.get<{ results: { id: string }[] }>(
        `/recall?limit=5&query=${query}`,
      );
      if (reply?.body.results.some((result) => result.id === id) === true) return true;
    }
    return false;
  });
}

async function missing(
  acknowledged: Acknowledged[],
  isThere: (one: Acknowledged) => Promise<boolean>,
): Promise<Acknowledged[]> {
  const found = await Promise.all(acknowledged.map(isThere));
  return acknowledged.filter((_, i) => found[i] !== true);
}
