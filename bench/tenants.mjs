/**
 * How many small tenants does one process hold?
 *
 *     npm run bench:tenants -- [--tenants 1000] [--memories 100] [--sample 250]
 *
 * Provisions tenants one after another, gives each its memories with `embedding`, restarts the server, and asks each
 * of a sample of tenants its first question since. Memory is that of the server's process, model included; PostgreSQL
 * has its own. Needs a server of its own.
 */
import { count, readOptions, Refused, run } from './support/options.mjs';
import { p50, p95, randomFrom, randomVector, round } from './support/numbers.mjs';
import { question, sentence } from './support/prose.mjs';
import { barRow, printTable, say, writeResults } from './support/report.mjs';
import { openTarget } from './support/target.mjs';

const DIMENSIONS = 384;
const LOADERS = 4;
const BARS = { provision_ms: 40, rss_mb: 700, cold_ms: 50 };

await run(async () => {
  const options = readOptions({ tenants: 1_000, memories: 100, sample: 250 });
  const wanted = count(options, 'tenants', { max: 20_000 });
  const memories = count(options, 'memories', { max: 500 });
  const sample = count(options, 'sample', { max: 20_000 });
  if (options.url !== undefined)
    throw new Refused('bench:tenants restarts the server: it starts its own, without --url.');
  const target = await openTarget(options);
  try {
    const random = randomFrom(17);
    const empty = target.own.memory();
    say(`Provisioning ${wanted} tenants`);
    const provisioning = performance.now();
    const tenants = [];
    for (let at = 0; at < wanted; at++) tenants.push(await target.tenant(`small-${at}`));
    const provisionSeconds = (performance.now() - provisioning) / 1_000;
    const provisioned = target.own.memory();

    say(`Loading ${memories} memories into each`);
    const loading = performance.now();
    const { slow } = await load(tenants, memories, random);
    const loadSeconds = (performance.now() - loading) / 1_000;
    const loaded = target.own.memory();

    say('Restarting');
    await target.own.restart();
    target.reconnect(tenants);
    const asked = await ask(tenants, Math.min(sample, wanted), random);
    const recalled = target.own.memory();
    const rest = await ask(tenants.slice(0, wanted), wanted, random);
    const all = target.own.memory();

    const results = {
      tenants: wanted,
      memories_each: memories,
      seconds: { provision: round(provisionSeconds, 1), load: round(loadSeconds, 1) },
      rows: [
        bar(
          'provisioning a tenant, p50',
          round(p50(tenants.map(({ ms }) => ms)), 1),
          'ms',
          BARS.provision_ms,
        ),
        bar('provisioning a tenant, p95', round(p95(tenants.map(({ ms }) => ms)), 1), 'ms'),
        bar('memories loaded a second', Math.round((wanted * memories) / loadSeconds), '/s'),
        bar('batches that answered before they were indexed', slow, ''),
        bar('server process, no tenants', empty?.rss ?? null, 'MB'),
        bar('server process, after provisioning', provisioned?.rss ?? null, 'MB'),
        bar('server process, after loading', loaded?.rss ?? null, 'MB', BARS.rss_mb),
        bar('server process, at most while loading', loaded?.peak ?? null, 'MB', BARS.rss_mb),
        bar(
          `server process, after a restart and ${asked.times.length} cold recalls`,
          recalled?.rss ?? null,
          'MB',
          BARS.rss_mb,
        ),
        bar('server process, after a recall in every tenant', all?.peak ?? null, 'MB', BARS.rss_mb),
        bar('spaces on disk', target.own.disk('spaces'), 'MB'),
        bar('PostgreSQL on disk, its log of writes included', target.own.disk('pg'), 'MB'),
        bar('cold first recall, p50', round(p50(asked.times), 1), 'ms'),
        bar('cold first recall, p95', round(p95(asked.times), 1), 'ms', BARS.cold_ms),
        bar('the next recall, one in every tenant, p95', round(p95(rest.times), 1), 'ms'),
      ],
    };
    printTable(
      `${wanted} tenants of ${memories} memories in one process`,
      Object.keys(results.rows[0]),
      results.rows,
    );
    writeResults('tenants', results);
  } finally {
    await target.close();
  }
});

/** Distinct texts and vectors for each tenant; a few tenants at a time. */
async function load(tenants, memories, random) {
  const vectors = Array.from({ length: 1_000 }, () => randomVector(random, DIMENSIONS));
  const waiting = [...tenants];
  let slow = 0;
  await Promise.all(
    Array.from({ length: LOADERS }, async () => {
      for (let tenant = waiting.pop(); tenant !== undefined; tenant = waiting.pop()) {
        const offset = Math.floor(random() * vectors.length);
        const body = {
          memories: Array.from({ length: memories }, (_, at) => ({
            content: sentence(random),
            embedding: vectors[(offset + at) % vectors.length],
          })),
        };
        const answer = await tenant.client.post('/memory/batch', body);
        if (answer.body.stored !== memories)
          throw new Error(`${tenant.slug} stored ${answer.body.stored} of ${memories}`);
        if (!answer.body.indexed) slow++;
      }
    }),
  );
  return { slow };
}

/** One question to each, spread over all. */
async function ask(tenants, sample, random) {
  const times = [];
  const step = tenants.length / sample;
  for (let at = 0; at < sample; at++) {
    const { client, slug } = tenants[Math.floor(at * step)];
    const { ms, body } = await client.get(`/recall?query=${encodeURIComponent(question(random))}`);
    if (body.count === 0) throw new Error(`${slug} recalls nothing`);
    times.push(ms);
  }
  return { times };
}

/** Every bar here is a ceiling. */
function bar(measure, value, unit, most) {
  return barRow(
    measure,
    value,
    unit,
    most === undefined ? '' : `< ${most}`,
    value !== null && value < (most ?? 0),
  );
}
