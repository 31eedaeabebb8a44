/**
 * What does a durable, searchable memory cost?
 *
 *     npm run bench:write -- [--rounds 3] [--tenants 50]
 *
 * Single stores over HTTP, one writer and many tenants at once, against plain SQL inserts of the same rows (memory and
 * vector, same indexes, one statement) in the same PostgreSQL; and batches of 500. Needs a server of its own.
 */
import { count, readOptions, Refused, run } from './support/options.mjs';
import { mean, p50, p95, randomFrom, randomVector, round } from './support/numbers.mjs';
import { OwnPostgres } from './support/own-postgres.mjs';
import { sentence } from './support/prose.mjs';
import { barRow, printTable, say, writeResults } from './support/report.mjs';
import { openTarget } from './support/target.mjs';

const DIMENSIONS = 384;
const SINGLE = { one: 200, many: 1_000, plainOne: 1_000, plainMany: 4_000 };
const BATCH = 500;
const BATCHES = { given: 8, alone: 2, sessions: 2 };
const BARS = { single_ms: 25, embedded: 200, sessions: 100, given: 3_000 };

await run(async () => {
  const options = readOptions({ rounds: 3, tenants: 50 });
  const rounds = count(options, 'rounds', { max: 20 });
  const many = count(options, 'tenants', { min: 2, max: 80 });
  if (options.url !== undefined)
    throw new Refused('bench:write reaches below the server: it starts its own, without --url.');
  const postgres = await OwnPostgres.start();
  let target = null;
  try {
    target = await openTarget(options, postgres.environment);
    const tenants = [];
    for (let at = 0; at < many; at++) tenants.push(await target.tenant(`write-${at}`));
    const singles = await measureSingles(tenants, postgres, rounds);
    const batches = await measureBatches(target);
    const results = { tenants: many, rounds, rows: [...singles, ...batches] };
    printTable(
      `Durable writes over HTTP; ratios to plain inserts of the same rows`,
      Object.keys(results.rows[0]),
      results.rows,
    );
    writeResults('write', results);
  } finally {
    await target?.close();
    await postgres.stop();
  }
});

async function measureSingles(tenants, postgres, rounds) {
  const random = randomFrom(11);
  const given = () => ({ content: sentence(random), embedding: randomVector(random, DIMENSIONS) });
  const embedded = () => ({ content: sentence(random) });
  say('Single stores: warming up');
  await stores(tenants, tenants.length * 4, given);
  await stores(tenants.slice(0, 1), 50, embedded);
  const plain = await postgres.plainTables(100);
  const kinds = [
    { name: 'one writer, embedding given', writers: 1, memory: given, total: SINGLE.one },
    { name: 'one writer, embedded', writers: 1, memory: embedded, total: SINGLE.one },
    {
      name: `${tenants.length} tenants at once, embedding given`,
      writers: tenants.length,
      memory: given,
      total: SINGLE.many,
    },
    {
      name: `${tenants.length} tenants at once, embedded`,
      writers: tenants.length,
      memory: embedded,
      total: SINGLE.many / 2,
    },
  ].map((kind) => ({ ...kind, ratios: [], rates: [], times: [], indexed: [] }));
  const floors = { 1: [], [tenants.length]: [] };
  for (let turn = 1; turn <= rounds; turn++) {
    say(`Single stores: round ${turn} of ${rounds}`);
    // Beside each other in time, so that both see the same machine.
    const floor = {
      1: await plain.insert(1, SINGLE.plainOne),
      [tenants.length]: await plain.insert(tenants.length, SINGLE.plainMany),
    };
    for (const writers of [1, tenants.length]) floors[writers].push(floor[writers]);
    for (const kind of kinds) {
      const { perSecond, times, indexed } = await stores(
        tenants.slice(0, kind.writers),
        kind.total,
        kind.memory,
      );
      kind.rates.push(perSecond);
      kind.ratios.push(perSecond / floor[kind.writers]);
      kind.times.push(...times);
      kind.indexed.push(...indexed);
    }
  }
  const plainRows = [1, tenants.length].map((writers) => ({
    ...row(`plain SQL, ${writers} ${writers === 1 ? 'connection' : 'connections'}`),
    'per second': Math.round(p50(floors[writers])),
  }));
  const rows = kinds.map(({ name, rates, ratios, times, indexed }) => ({
    ...row(name),
    'per second': Math.round(p50(rates)),
    'of plain': round(p50(ratios), 3),
    p50_ms: round(p50(times), 1),
    p95_ms: round(p95(times), 1),
    indexed: round(mean(indexed.map(Number)), 3),
  }));
  const single = rows[1];
  Object.assign(
    single,
    barColumns(`p50 < ${BARS.single_ms} ms`, single.p50_ms < BARS.single_ms && single.indexed === 1),
  );
  return [...plainRows, ...rows];
}

/** Each tenant has one writer, who waits for each answer. */
async function stores(tenants, total, memory) {
  const bodies = Array.from({ length: total }, () => JSON.stringify(memory()));
  const times = [];
  const indexed = [];
  const startedAt = performance.now();
  await Promise.all(
    tenants.map(async ({ client }) => {
      for (let text = bodies.pop(); text !== undefined; text = bodies.pop()) {
        const { ms, body } = await client.post('/memory', text);
        times.push(ms);
        indexed.push(body.indexed);
      }
    }),
  );
  return { perSecond: total / ((performance.now() - startedAt) / 1_000), times, indexed };
}

async function measureBatches(target) {
  const random = randomFrom(13);
  const vectors = Array.from({ length: BATCH }, () => randomVector(random, DIMENSIONS));
  const kinds = [
    [
      'batches of 500, embedding given',
      BATCHES.given,
      BARS.given,
      (at) => ({ embedding: vectors[at % BATCH] }),
    ],
    ['batches of 500, embedded', BATCHES.alone, BARS.embedded, () => ({})],
    [
      'batches of 500 in sessions, embedded alone and joined',
      BATCHES.sessions,
      BARS.sessions,
      (at) => ({ session_id: `s${Math.floor(at / 25)}` }),
    ],
  ];
  const rows = [];
  for (const [at, [name, batches, bar, more]] of kinds.entries()) {
    say(name);
    const { client } = await target.tenant(`batch-${at}`);
    const times = [];
    const indexed = [];
    // Serialized beforehand: what is measured is the server.
    const bodies = Array.from({ length: batches }, (_, turn) =>
      JSON.stringify({
        memories: Array.from({ length: BATCH }, (_, index) => ({
          content: sentence(random),
          timestamp: new Date(Date.UTC(2025, 0, 1) + (turn * BATCH + index) * 60_000).toISOString(),
          ...more(turn * BATCH + index),
        })),
      }),
    );
    const startedAt = performance.now();
    for (const text of bodies) {
      const { ms, body } = await client.post('/memory/batch', text);
      times.push(ms);
      indexed.push(body.indexed);
    }
    const perSecond = Math.round((batches * BATCH) / ((performance.now() - startedAt) / 1_000));
    rows.push({
      ...row(name),
      'per second': perSecond,
      p50_ms: round(p50(times), 0),
      p95_ms: round(p95(times), 0),
      indexed: round(mean(indexed.map(Number)), 3),
      ...barColumns(`>= ${bar}/s`, perSecond >= bar),
    });
  }
  return rows;
}

function row(measure) {
  return {
    measure,
    'per second': null,
    'of plain': null,
    p50_ms: null,
    p95_ms: null,
    indexed: null,
    bar: '',
    met: '',
  };
}

function barColumns(bar, isMet) {
  const { bar: text, met } = barRow('', null, '', bar, isMet);
  return { bar: text, met };
}
