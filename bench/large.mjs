/**
 * How does recall fare in a tenant of a hundred thousand memories?
 *
 *     npm run bench:large -- [--memories 100000] [--questions 300]
 *
 * Loads memories with `embedding`, relates each to the one before it in chains of 25, waits until the background has read
 * them (or does without: LOCI_ENRICHMENT=false), and asks questions in words with relations expanded. Says how long the
 * event loop stood still meanwhile at the most, by the server's own metrics.
 */
import { count, readOptions, run } from './support/options.mjs';
import { enriched } from './support/enriched.mjs';
import { p50, p95, quantile, randomFrom, randomVector, round } from './support/numbers.mjs';
import { question, sentence } from './support/prose.mjs';
import { barRow, printTable, say, writeResults } from './support/report.mjs';
import { openTarget } from './support/target.mjs';

const DIMENSIONS = 384;
const BATCH = 500;
const VECTORS = 5_000;
const WARMUP = 40;
const STALL_MS = 50;

await run(async () => {
  const options = readOptions({ memories: 100_000, questions: 300 });
  const wanted = count(options, 'memories');
  const questions = count(options, 'questions', { max: 10_000 });
  const bar = wanted <= 10_000 ? 20 : 60;
  const target = await openTarget(options);
  try {
    const { client } = await target.tenant(`large-${process.pid}`);
    const random = randomFrom(31);
    const loading = performance.now();
    await load(client, wanted, random);
    const loadSeconds = (performance.now() - loading) / 1_000;
    say('Waiting for the background to read them');
    const reading = performance.now();
    await enriched(client, { waitMs: 3_600_000 });
    const readSeconds = (performance.now() - reading) / 1_000;

    say(`Asking ${questions} questions`);
    const ask = async (times) => {
      const query = encodeURIComponent(question(random));
      const { ms, body } = await client.get(`/recall?expand_relations=true&query=${query}`);
      if (body.results.length === 0) throw new Error('Nothing was recalled');
      times.push(ms);
    };
    for (let at = 0; at < WARMUP; at++) await ask([]);
    await longestStall(target);
    const times = [];
    for (let at = 0; at < questions; at++) await ask(times);
    const stall = await longestStall(target);
    const rows = [
      barRow(
        'recall, relations expanded, embedded first, p50',
        round(p50(times), 1),
        'ms',
        `<= ${bar} ms`,
        p50(times) <= bar,
      ),
      barRow('recall, p95', round(p95(times), 1), 'ms', ''),
      barRow('recall, p99', round(quantile(times, 0.99), 1), 'ms', ''),
      barRow('the event loop stood still, at most', stall, 'ms', `<= ${STALL_MS} ms`, stall <= STALL_MS),
      barRow('memory of the server', target.own?.memory()?.rss ?? null, 'MB', ''),
    ];
    printTable(`One tenant of ${wanted} memories`, Object.keys(rows[0]), rows);
    const seconds = { load: round(loadSeconds, 1), background: round(readSeconds, 1) };
    writeResults('large', { memories: wanted, questions, seconds, rows });
  } finally {
    await target.close();
  }
});

/** Vectors are given once and used again: no two memories have the same words. */
async function load(client, wanted, random) {
  const vectors = Array.from({ length: Math.min(VECTORS, wanted) }, () => randomVector(random, DIMENSIONS));
  for (let at = 0; at < wanted; at += BATCH) {
    const memories = Array.from({ length: Math.min(BATCH, wanted - at) }, (_, i) => ({
      content: sentence(random),
      embedding: vectors[(at + i) % vectors.length],
      timestamp: new Date(Date.UTC(2025, 0, 1) + (at + i) * 60_000).toISOString(),
    }));
    const { body } = await client.post('/memory/batch', { memories });
    const associations = body.memory_ids.map((id, i) => ({
      ...{ memory1_id: id, memory2_id: body.memory_ids[i % 25 === 0 ? i + 1 : i - 1], type: 'RELATES_TO' },
      strength: round(random(), 3),
    }));
    await client.post('/associate', { associations });
    if ((at / BATCH) % 20 === 0) say(`  ${at + memories.length} of ${wanted}`);
  }
}

/** Since the last look, in milliseconds; looking begins a new one. */
async function longestStall(target) {
  const text = await target.operator.text('/metrics');
  return round(Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1]) * 1_000, 1);
}
