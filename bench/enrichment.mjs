/**
 * Does enrichment stay out of a write's way?
 *
 *     npm run bench:enrichment -- [--stores 300] [--memories 10000]
 *
 * Single stores over HTTP, embedded, with a session: of a tenant that has enrichment on and of one that has it off, taking
 * turns in one server. Then many memories at once: how long until all of them are read, how much memory that takes, how
 * long the event loop stalls, and how long a recall takes meanwhile and afterwards.
 */
import { setTimeout as after } from 'node:timers/promises';
import { count, readOptions, run } from './support/options.mjs';
import { p50, p95, randomFrom, round } from './support/numbers.mjs';
import { question, sentence } from './support/prose.mjs';
import { barRow, printTable, say, writeResults } from './support/report.mjs';
import { openTarget } from './support/target.mjs';

const BATCH = 250;
const LOOK_MS = 500;
const BARS = { store_ms: 30, stall_ms: 50 };

await run(async () => {
  const options = readOptions({ stores: 300, memories: 10_000 });
  const stores = count(options, 'stores');
  const memories = count(options, 'memories');
  const target = await openTarget(options);
  try {
    const on = await target.tenant('enriched');
    const off = await target.tenant('plain');
    await target.operator.call('PATCH', '/admin/tenants/plain', { settings: { enrichment: false } });
    const singles = await measureStores(target, { on, off }, stores);
    const bulk = await measureBulk(target, on, memories);
    const rows = [...singles, ...bulk];
    printTable('Enrichment in the background', Object.keys(rows[0]), rows);
    writeResults('enrichment', { stores, memories, rows });
  } finally {
    await target.close();
  }
});

async function measureStores(target, tenants, total) {
  const random = randomFrom(5);
  const times = { on: [], off: [] };
  say('Single stores: warming up');
  for (let at = 0; at < 40; at++) for (const name of ['on', 'off']) await store(tenants[name], random, at);
  await idle(tenants.on);
  await stall(target);
  say('Single stores');
  for (let at = 0; at < total; at++) {
    // Beside each other in time, so that both see the same machine.
    for (const name of at % 2 === 0 ? ['on', 'off'] : ['off', 'on']) {
      times[name].push(await store(tenants[name], random, at));
    }
  }
  const [on, off] = [p50(times.on), p50(times.off)];
  return [
    barRow('store p50, on', round(on, 1), 'ms', `< ${BARS.store_ms}`, on < BARS.store_ms),
    barRow('store p95, on', round(p95(times.on), 1), 'ms', ''),
    barRow('store p50, off', round(off, 1), 'ms', ''),
    barRow('store p95, off', round(p95(times.off), 1), 'ms', ''),
    barRow('on / off', round(on / off, 2), '', ''),
    barRow('longest stall meanwhile', await stall(target), 'ms', ''),
  ];
}

async function store({ client }, random, at) {
  const { ms } = await client.post('/memory', { content: sentence(random), session_id: `s${at % 7}` });
  return ms;
}

async function measureBulk(target, tenant, total) {
  const random = randomFrom(6);
  const { client } = tenant;
  await idle(tenant);
  const memoryBefore = target.own?.memory();
  say(`Storing ${total} memories`);
  const startedAt = performance.now();
  for (let at = 0; at < total; at += BATCH) {
    const memories = Array.from({ length: Math.min(BATCH, total - at) }, (_, i) => ({
      content: sentence(random),
      session_id: `b${(at + i) % 50}`,
    }));
    await client.post('/memory/batch', { memories });
  }
  const storedMs = performance.now() - startedAt;
  say('Reading them');
  await stall(target);
  const recalls = { during: [], afterwards: [] };
  let longest = 0;
  for (;;) {
    recalls.during.push(await recall(client, random));
    longest = Math.max(longest, await stall(target));
    const { body } = await client.get('/enrichment/status');
    if (body.pending === 0) break;
    await after(LOOK_MS);
  }
  const readMs = performance.now() - startedAt;
  const memoryAfter = target.own?.memory();
  for (let at = 0; at < 50; at++) recalls.afterwards.push(await recall(client, random));
  const { body: stats } = await client.get('/v1/tenants/current/stats');
  return [
    barRow(`${total} stored`, round(storedMs / 1000, 1), 's', ''),
    barRow(`${total} stored and read`, round(readMs / 1000, 1), 's', ''),
    barRow('relations made', stats.graph_relationships, '', ''),
    barRow('longest stall while reading', longest, 'ms', `< ${BARS.stall_ms}`, longest < BARS.stall_ms),
    barRow('memory before', memoryBefore?.rss ?? '', 'MB', ''),
    barRow('memory after', memoryAfter?.rss ?? '', 'MB', ''),
    barRow('memory at most', memoryAfter?.peak ?? '', 'MB', ''),
    barRow('recall p50 while reading', round(p50(recalls.during), 1), 'ms', ''),
    barRow('recall p50 afterwards', round(p50(recalls.afterwards), 1), 'ms', ''),
  ];
}

async function recall(client, random) {
  const { ms } = await client.post('/recall', { query: question(random), limit: 10 });
  return ms;
}

async function idle({ client }) {
  for (;;) {
    const { body } = await client.get('/enrichment/status');
    if (body.pending === 0) return;
    await after(LOOK_MS);
  }
}

/** The longest that the server's event loop was kept since this was last asked, in milliseconds. */
async function stall({ operator }) {
  const text = await operator.text('/metrics');
  const [, seconds] = /^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(text) ?? [];
  return Math.round(Number(seconds) * 1000);
}
