/**
 * What does consolidating a large tenant take, and what do those who recall meanwhile notice?
 *
 *     npm run bench:consolidate -- [--memories 20000] [--enriched]
 *
 * Memories bring their vectors; three in ten are about one of many topics, and old, so that every step has work. Each step
 * runs for itself while one caller recalls without a pause and another asks every 20 ms whether the server is alive.
 * Without --enriched nothing is related beforehand, so clustering has to search for each memory's neighbours: the dear case.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { count, readOptions, run } from './support/options.mjs';
import { p50, p95, randomFrom, randomVector, round } from './support/numbers.mjs';
import { question, sentence } from './support/prose.mjs';
import { printTable, say, writeResults } from './support/report.mjs';
import { openTarget } from './support/target.mjs';

const BATCH = 500;
const DIMENSIONS = 384;
const TOPIC = 12;
const STEPS = ['decay', 'creative', 'cluster', 'forget'];
const DAY_MS = 86_400_000;
const ALIVE_EVERY_MS = 20;

await run(async () => {
  const options = readOptions({ memories: 20_000 }, ['enriched']);
  const memories = count(options, 'memories', { min: 100, max: 200_000 });
  const target = await openTarget(options, { LOCI_ENRICHMENT: String(options.enriched) });
  try {
    const { client } = await target.tenant(`consolidate-${process.pid}`);
    await load(client, memories);
    if (options.enriched) await enriched(client);
    const quiet = await beside(target, client, () => pause(5_000));
    const rows = [
      { step: 'nothing', seconds: 5, ...quiet.noticed, rss_mb: target.own?.memory()?.rss ?? null },
    ];
    const reports = {};
    for (const step of STEPS) {
      const { result, seconds, noticed } = await beside(target, client, () => consolidate(client, step));
      reports[step] = result;
      rows.push({ step, seconds, ...noticed, rss_mb: target.own?.memory()?.rss ?? null });
      say(`${step}: ${seconds} s, ${JSON.stringify(result).slice(0, 300)}`);
    }
    const total = rows.slice(1).reduce((sum, { seconds }) => sum + seconds, 0);
    printTable(
      `Consolidating ${memories} memories${options.enriched ? ', enriched' : ''}: ${round(total, 1)} s in all`,
      Object.keys(rows[0]),
      rows,
    );
    const peak = target.own?.memory()?.peak ?? null;
    say(`The server's memory at most: ${peak} MB`);
    writeResults('consolidate', {
      memories,
      enriched: options.enriched,
      total_s: round(total, 1),
      peak_mb: peak,
      rows,
    });
  } finally {
    await target.close();
  }
});

async function load(client, memories) {
  const random = randomFrom(41);
  const middles = Array.from({ length: Math.ceil((memories * 0.3) / TOPIC) }, () =>
    randomVector(random, DIMENSIONS),
  );
  const now = Date.now();
  for (let at = 0; at < memories; at += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, memories - at) }, (_, n) => {
      const topical = random() < 0.3;
      const own = randomVector(random, DIMENSIONS);
      const middle = middles[Math.floor(random() * middles.length)];
      const days = topical ? random() * 30 : random() * 720;
      return {
        content: `${sentence(random)} Number ${at + n}.`,
        tags: [`tag-${Math.floor(random() * 50)}`],
        type: topical ? 'Insight' : random() < 0.5 ? 'Context' : 'Preference',
        importance: round(random()),
        timestamp: new Date(now - days * DAY_MS).toISOString(),
        embedding: topical ? own.map((x, i) => 0.9 * middle[i] + 0.3 * x) : own,
      };
    });
    const { status } = await client.post('/memory/batch', { memories: batch });
    if (status !== 201) throw new Error(`A batch was answered with ${status}`);
    if ((at / BATCH) % 10 === 9) say(`${at + BATCH} stored`);
  }
}

async function enriched(client) {
  for (;;) {
    const { body } = await client.get('/enrichment/status');
    if (body.pending === 0) return;
    say(`${body.pending} to be enriched`);
    await pause(5_000);
  }
}

/** Waits for the end where the answer does not. */
async function consolidate(client, mode) {
  const { status, body } = await client.post('/consolidate', { mode, dry_run: false });
  if (status === 200) return body.consolidation.steps[mode];
  if (status !== 202) throw new Error(`Consolidation was answered with ${status}: ${JSON.stringify(body)}`);
  for (;;) {
    await pause(500);
    const { body: told } = await client.get('/consolidate/status');
    const found = told.history.find(({ run_id: id }) => id === body.run_id);
    if (found?.state === 'failed') throw new Error(found.error);
    if (found?.state === 'succeeded') return found.result.steps[mode];
  }
}

/** Does `work`, and what callers notice meanwhile. Milliseconds. */
async function beside(target, client, work) {
  const random = randomFrom(43);
  const recalls = [];
  const alive = [];
  let over = false;
  const recalling = (async () => {
    while (!over) {
      const { ms } = await client.get(`/recall?query=${encodeURIComponent(question(random))}`);
      recalls.push(ms);
    }
  })();
  const asking = (async () => {
    while (!over) {
      const { ms } = await client.get('/health/live');
      alive.push(ms);
      await pause(ALIVE_EVERY_MS);
    }
  })();
  // What was measured before is forgotten by being asked for.
  await loopLag(target);
  const startedAt = performance.now();
  const result = await work();
  const seconds = round((performance.now() - startedAt) / 1_000, 1);
  over = true;
  const loop = await loopLag(target);
  await Promise.all([recalling, asking]);
  const noticed = {
    recall_p50_ms: round(p50(recalls), 1),
    recall_p95_ms: round(p95(recalls), 1),
    alive_p95_ms: round(p95(alive), 1),
    alive_max_ms: round(Math.max(...alive), 1),
    ...loop,
  };
  return { result, seconds, noticed };
}

/** How long the server's event loop kept others waiting since this was last asked. Milliseconds. */
async function loopLag(target) {
  const text = await target.operator.text('/metrics');
  const lag = (name) =>
    round(
      1_000 * Number(new RegExp(`^nodejs_eventloop_lag_${name}_seconds(?:{.*})? (.*)$`, 'm').exec(text)?.[1]),
      1,
    );
  return { loop_p99_ms: lag('p99'), loop_max_ms: lag('max') };
}
