import type { Load } from './load.js';
import type { Dweller, Palace } from './palace.js';

/**
 * Within this time after a fault every projection equals its ledger. That is what is promised, and what the long run
 * holds; elsewhere a machine that runs two suites on two cores is given three times as long.
 */
const PROMISED_MS = 10_000;
export const LONG = process.env['LOCI_TEST_LONG'] === '1';
export const WITHIN_MS = LONG ? PROMISED_MS : 3 * PROMISED_MS;
/** How often each kind of kill is done. */
export const ROUNDS = LONG ? 30 : 5;

interface Stats {
  revision: number;
  watermarks: { vectors: number; graph: number };
}

interface Verdict {
  equal: boolean;
  vectors: object;
  graph: object;
}

/**
 * After a fault: nobody touches the tenants, and their projections come to where their ledgers are; then each is what
 * its ledger says, item by item, and everything that was acknowledged is there, by id, by its words and in the graph.
 * Returns milliseconds from `endedAt` (`performance.now()`) to the moment when all watermarks stood at their ledgers.
 */
export async function expectRecovered(
  palace: Palace,
  dwellers: Dweller[],
  load: Load,
  endedAt: number,
  withinMs = WITHIN_MS,
): Promise<number> {
  const took = await untilLevel(palace, dwellers, endedAt, withinMs);
  // With what Loci says of it in its log.
  expect(load.faults.length === 0 ? [] : [...load.faults, palace.server.stdout.slice(-5_000)]).toEqual([]);
  for (const { slug } of dwellers) {
    // A connection that nobody was told is gone may have waited for just this call.
    const { body } = await answered(() => palace.operator.post<Verdict>(`/admin/tenants/${slug}/verify`));
    // As text, so that a failure tells which ids.
    expect(body.equal ? '' : JSON.stringify(body)).toBe('');
  }
  // What an outage kept from an index is late, and never taken for what no index can hold.
  expect(await palace.ledgerRows('SELECT projection, reason FROM unindexable')).toEqual([]);
  await expectKept(load);
  expect(took).toBeLessThan(withinMs);
  return took;
}

/** By the statistics alone, which touch no tenant's spaces. */
async function untilLevel(
  palace: Palace,
  dwellers: Dweller[],
  endedAt: number,
  withinMs: number,
): Promise<number> {
  for (let last = ''; ;) {
    const behind: string[] = [];
    for (const { slug } of dwellers) {
      const { status, body } = await palace.operator.get<Stats>(`/admin/tenants/${slug}/stats`);
      const { revision, watermarks } = body;
      if (status !== 200 || watermarks.vectors !== revision || watermarks.graph !== revision)
        behind.push(`${slug}: ${JSON.stringify(status === 200 ? { revision, watermarks } : body)}`);
    }
    const took = performance.now() - endedAt;
    if (behind.length === 0) return took;
    last = behind.join('; ');
    if (took > withinMs) throw new Error(`Not where the ledger is after ${Math.round(took)} ms: ${last}`);
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

/** Everything by id; by its words and in the graph as many as take a second or two. */
async function expectKept(load: Load): Promise<void> {
  const kept = [...load.kept.values()];
  const lost = await failing(kept, async ({ dweller, id, content }) => {
    const { status, body } = await answered(() =>
      dweller.get<{ memory?: { content: string } }>(`/memory/${id}`),
    );
    return content === null ? status === 404 : status === 200 && body.memory?.content === content;
  });
  expect(lost.map(({ id, content }) => `${id} ${content}`)).toEqual([]);
  const there = kept.filter(({ content }) => content !== null);
  const unfound = await failing(some(there), async ({ dweller, id, content }) => {
    const query = encodeURIComponent(content ?? '');
    const { body } = await answered(() =>
      dweller.get<{ results: { id: string }[] }>(`/recall?limit=5&query=${query}`),
    );
    return body.results.some((result) => result.id === id);
  });
  expect(unfound.map(({ id, content }) => `${id} ${content}`)).toEqual([]);
  const ids = new Set(there.map(({ id }) => id));
  const related = load.relations.filter(({ from, to }) => ids.has(from) && ids.has(to));
  // With what was answered instead.
  const answers = new Map<string, string>();
  const unrelated = await failing(some(related), async ({ dweller, from, to }) => {
    const { status, body } = await answered(() => dweller.get(`/memories/${from}/related?limit=100`));
    answers.set(`${from} ${to}`, `${status} ${JSON.stringify(body).slice(0, 2_000)}`);
    return status === 200 && JSON.stringify(body).includes(to);
  });
  expect(unrelated.map(({ from, to }) => `${from} ${to}: ${answers.get(`${from} ${to}`)}`)).toEqual([]);
}

/** Whoever is told to come back does so, as a client would. */
async function answered<Reply extends { status: number }>(ask: () => Promise<Reply>): Promise<Reply> {
  for (let asked = 1; ; asked++) {
    const reply = await ask();
    if (reply.status !== 503 || asked === 40) return reply;
    await new Promise((resume) => setTimeout(resume, 250));
  }
}

const MOST = 40;

/** The last ones, which a fault is likeliest to have met, and every so many of the others. */
function some<T>(all: T[]): T[] {
  const every = Math.ceil(all.length / MOST);
  return all.filter((_, at) => at >= all.length - MOST / 3 || at % every === 0);
}

async function failing<T>(all: T[], holds: (one: T) => Promise<boolean>): Promise<T[]> {
  const failed: T[] = [];
  const left = [...all];
  const work = async (): Promise<void> => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) if (!(await holds(one))) failed.push(one);
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return failed;
}

/** A line in the test's output: how long it took, and what readers met meanwhile. */
export function report(what: string, load: Load, took: number): void {
  const { slowestMs, answered, degraded, refused } = load.reads;
  process.stderr.write(
    `  ${what}: level ${Math.round(took)} ms after the fault; ${load.acknowledged} writes acknowledged; ` +
      `${answered} recalls answered (${degraded} degraded), ${refused} told to come back, slowest ${Math.round(slowestMs)} ms\n`,
  );
}
