/**
 * Does a tenant that asks twenty times as often as it may slow the others?
 *
 *     npm run bench:neighbours -- [--plan starter] [--times 20] [--seconds 70] [--rounds 2]
 *
 * A quiet tenant asks ten questions a second. In turns it has the server to itself, or beside a noisy one of the named
 * plan that asks so many times its rate, for longer than a window of the rate limit lasts, so that what is allowed at a
 * window's beginning counts too. Both ask what they have asked before: embedding is not what is measured.
 */
import { setTimeout as after } from 'node:timers/promises';
import { count, readOptions, Refused, run } from './support/options.mjs';
import { p50, quantile, randomFrom, randomVector, round } from './support/numbers.mjs';
import { question, sentence } from './support/prose.mjs';
import { barRow, printTable, say, writeResults } from './support/report.mjs';
import { openTarget } from './support/target.mjs';

const PER_MINUTE = { free: 60, starter: 300, pro: 1_000, enterprise: 10_000 };
const MEMORIES = 1_000;
const DIMENSIONS = 384;
const EVERY_MS = 100;
const BAR = 1.5;

await run(async () => {
  const options = readOptions({ plan: 'starter', times: 20, seconds: 70, rounds: 2 });
  const rate = PER_MINUTE[options.plan];
  if (rate === undefined) throw new Refused(`--plan is one of ${Object.keys(PER_MINUTE).join(', ')}`);
  const perSecond = (rate * count(options, 'times', { max: 1_000 })) / 60;
  const seconds = count(options, 'seconds', { max: 600 });
  const rounds = count(options, 'rounds', { max: 20 });
  const target = await openTarget(options);
  try {
    const random = randomFrom(41);
    const quiet = await target.tenant(`quiet-${process.pid}`);
    const noisy = await target.tenant(`noisy-${process.pid}`);
    for (const { client } of [quiet, noisy]) await load(client, random);
    const questions = Array.from(
      { length: 20 },
      () => `/recall?query=${encodeURIComponent(question(random))}`,
    );
    for (const { client } of [quiet, noisy]) for (const path of questions) await client.get(path);
    // The server's own limits are lifted for benchmarks, so that this one's is set.
    const quotas = { max_api_calls_per_minute: rate };
    await target.operator.call('PATCH', `/admin/tenants/${noisy.slug}`, { settings: { quotas } });
    await ask(quiet.client, questions, 5);

    const samples = { alone: [], beside: [] };
    let refused = 0;
    for (let turn = 0; turn < rounds; turn++) {
      say(`Round ${turn + 1} of ${rounds}: alone`);
      samples.alone.push(...(await ask(quiet.client, questions, seconds)));
      say(`Round ${turn + 1} of ${rounds}: beside one that asks ${Math.round(perSecond)} times a second`);
      const noise = storm(noisy.client, questions, perSecond);
      samples.beside.push(...(await ask(quiet.client, questions, seconds)));
      refused += await noise.stop();
    }
    const p99 = (sample) => round(quantile(sample, 0.99), 2);
    const ratio = round(p99(samples.beside) / p99(samples.alone), 2);
    const rows = [
      barRow('recall alone, p50', round(p50(samples.alone)), 'ms', ''),
      barRow('recall alone, p99', p99(samples.alone), 'ms', ''),
      barRow('recall beside it, p50', round(p50(samples.beside)), 'ms', ''),
      barRow('recall beside it, p99', p99(samples.beside), 'ms', ''),
      barRow('p99 beside it by p99 alone', ratio, '', `<= ${BAR}`, ratio <= BAR),
      barRow('its requests that were refused', refused, '', ''),
    ];
    printTable(
      `A neighbour on ${options.plan} at ${options.times} times its rate`,
      Object.keys(rows[0]),
      rows,
    );
    writeResults('neighbours', { plan: options.plan, times: options.times, seconds, rounds, rows });
  } finally {
    await target.close();
  }
});

async function load(client, random) {
  for (let at = 0; at < MEMORIES; at += 500) {
    const memories = Array.from({ length: 500 }, () => ({
      content: sentence(random),
      embedding: randomVector(random, DIMENSIONS),
    }));
    await client.post('/memory/batch', { memories });
  }
}

/** Milliseconds of each answer, asked at a steady pace whether or not the one before has come. */
async function ask(client, questions, seconds) {
  const times = [];
  const asked = [];
  const end = performance.now() + seconds * 1_000;
  for (let at = 0; performance.now() < end; at++) {
    asked.push(client.get(questions[at % questions.length]).then(({ ms }) => times.push(ms)));
    await after(EVERY_MS);
  }
  await Promise.all(asked);
  return times;
}

/** Asks so often a second until it is stopped; `stop` resolves with how often it was refused. */
function storm(client, questions, perSecond) {
  let going = true;
  let refused = 0;
  const asked = new Set();
  const blow = (async () => {
    const startedAt = performance.now();
    for (let sent = 0; going;) {
      const due = ((performance.now() - startedAt) / 1_000) * perSecond;
      for (; sent < due && asked.size < 256; sent++) {
        const one = client
          .get(questions[sent % questions.length])
          .catch((error) => {
            if (!error.message.includes('answered 429')) throw error;
            refused++;
          })
          .finally(() => asked.delete(one));
        asked.add(one);
      }
      await after(5);
    }
  })();
  return {
    async stop() {
      going = false;
      await blow;
      await Promise.all(asked);
      return refused;
    },
  };
}
