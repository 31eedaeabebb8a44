/**
 * Does recall find the turns that answer a question, and how fast?
 *
 *     npm run bench:recall -- --data <locomo file> [--weights vector=1,keyword=.5] [--captions] [--memories 10000]
 *
 * Each conversation is a tenant, each turn a memory; everything goes through the HTTP API. Then one tenant with
 * `--memories` memories is asked, for the time that a recall takes.
 */
import { enriched } from './support/enriched.mjs';
import { count, readOptions, Refused, run } from './support/options.mjs';
import { readLocomo } from './support/locomo.mjs';
import { mean, p50, p95, randomFrom, round } from './support/numbers.mjs';
import { sentence, question as proseQuestion } from './support/prose.mjs';
import { barRow, printTable, say, writeResults } from './support/report.mjs';
import { openTarget } from './support/target.mjs';

const BATCH = 500;
const LIMIT = 20;
const BARS = { 'recall@5': 0.72, 'recall@10': 0.8, 'all@10': 0.72, multi_hop: 0.5, new_ms: 15, known_ms: 5 };
/** How many questions the large tenant is asked, and how many are left out of the figures. */
const ASKED = 300;
const WARMUP = 40;
/** LoCoMo's categories, in the paper's words. */
const CATEGORIES = { 1: 'multi-hop', 2: 'temporal', 3: 'open-domain', 4: 'single-hop', 5: 'adversarial' };

await run(async () => {
  const options = readOptions({ data: undefined, weights: undefined, memories: 10_000, limit: undefined }, [
    'captions',
  ]);
  const memories = count(options, 'memories', { min: 0, max: 200_000 });
  if (options.data === undefined && memories === 0) throw new Refused('Name a LoCoMo file with --data.');
  if (options.weights !== undefined && options.url !== undefined) {
    throw new Refused('--weights are settings of the server: they need one of our own, without --url.');
  }
  const conversations = options.data === undefined ? [] : readLocomo(options.data, options);
  const target = await openTarget(
    options,
    options.weights === undefined ? {} : { LOCI_RECALL_WEIGHTS: options.weights },
  );
  const results = { weights: options.weights ?? 'default', captions: options.captions };
  try {
    if (conversations.length > 0) results.quality = await measureQuality(target, conversations);
    else say('No --data: the quality of recall is not measured.');
    if (memories > 0) results.latency = await measureLatency(target, memories, conversations);
  } finally {
    await target.close();
  }
  print(results);
  writeResults('recall', results);
});

async function measureQuality(target, conversations) {
  const asked = [];
  let without = 0;
  let loaded = 0;
  const startedAt = performance.now();
  let loadingMs = 0;
  for (const [at, conversation] of conversations.entries()) {
    const tenant = await target.tenant(`locomo-${process.pid}-${at}`);
    const loading = performance.now();
    await load(tenant.client, conversation.memories);
    await enriched(tenant.client);
    loadingMs += performance.now() - loading;
    loaded += conversation.memories.length;
    without += conversation.without;
    for (const { question, category, evidence } of conversation.questions) {
      const { body, ms } = await tenant.client.get(
        `/recall?limit=${LIMIT}&query=${encodeURIComponent(question)}`,
      );
      const found = body.results.map(({ memory }) => memory.metadata.dia_id);
      asked.push({ category, ms, ...judge(found, evidence), tokens: tokensOf(body.results) });
    }
    say(
      `${conversation.name}: ${conversation.memories.length} memories, ${conversation.questions.length} questions`,
    );
  }
  const rows = [...Object.keys(CATEGORIES), 'all'].map((category) => {
    const of = category === 'all' ? asked : asked.filter((one) => String(one.category) === category);
    const figure = (name) => (of.length === 0 ? null : round(mean(of.map((one) => one[name])), 3));
    return {
      category: category === 'all' ? 'all' : `${category} ${CATEGORIES[category]}`,
      questions: of.length,
      'recall@5': figure('at5'),
      'recall@10': figure('at10'),
      'recall@20': figure('at20'),
      'all@10': figure('all10'),
      mrr: figure('reciprocal'),
      tokens: of.length === 0 ? null : Math.round(mean(of.map((one) => one.tokens))),
      p50_ms: round(p50(of.map((one) => one.ms)), 1),
      p95_ms: round(p95(of.map((one) => one.ms)), 1),
    };
  });
  return {
    rows,
    questions_without_evidence: without,
    memories: loaded,
    loaded_per_second: Math.round(loaded / (loadingMs / 1_000)),
    seconds: Math.round((performance.now() - startedAt) / 1_000),
  };
}

/** Evidence turns among the first few, all of them, and the first one's place. */
function judge(found, evidence) {
  const share = (first) =>
    evidence.filter((turn) => found.slice(0, first).includes(turn)).length / evidence.length;
  const first = found.findIndex((turn) => evidence.includes(turn));
  return {
    at5: share(5),
    at10: share(10),
    at20: share(20),
    all10: share(10) === 1 ? 1 : 0,
    reciprocal: first < 0 ? 0 : 1 / (first + 1),
  };
}

/** What the answer would add to a prompt, at 1.3 tokens a word. */
function tokensOf(results) {
  const words = results.reduce((sum, { memory }) => sum + memory.content.split(/\s+/).length, 0);
  return Math.round(words * 1.3);
}

async function load(client, memories) {
  for (let at = 0; at < memories.length; at += BATCH) {
    const { body } = await client.post('/memory/batch', { memories: memories.slice(at, at + BATCH) });
    if (body.failed.length > 0) throw new Error(`Memories were refused: ${JSON.stringify(body.failed[0])}`);
  }
  // A batch answers after two seconds at the latest, its index perhaps later: the last write waits for all.
  for (let tries = 0; tries < 120; tries++) {
    const { body } = await client.post('/memory', { content: `The load is complete, look ${tries}.` });
    await client.delete(`/memory/${body.memory_id}`);
    if (body.indexed) return;
  }
  throw new Error('The memories were not indexed in time');
}

/** Recall in one large tenant, whose memories come in sessions, so that joined texts exist. */
async function measureLatency(target, wanted, conversations) {
  const random = randomFrom(7);
  const turns = conversations.flatMap(({ memories }) => memories.map(({ content }) => content));
  const memories = Array.from({ length: wanted }, (_, at) => ({
    content: turns[at] ?? sentence(random),
    session_id: `session-${Math.floor(at / 25)}`,
    timestamp: new Date(Date.UTC(2025, 0, 1) + at * 60_000).toISOString(),
  }));
  const tenant = await target.tenant(`large-${process.pid}`);
  say(`Loading ${wanted} memories into one tenant; each is embedded alone and joined.`);
  const loading = performance.now();
  await load(tenant.client, memories);
  await enriched(tenant.client);
  const loadSeconds = (performance.now() - loading) / 1_000;
  const ofConversations = conversations.flatMap(({ questions }) => questions.map(({ question }) => question));
  const questions = Array.from({ length: ASKED + WARMUP }, (_, at) =>
    at % 2 === 0 && ofConversations[at] !== undefined ? ofConversations[at] : proseQuestion(random),
  );
  const ask = async () => {
    const times = [];
    const inServer = [];
    for (const question of questions) {
      const { ms, body } = await tenant.client.get(`/recall?query=${encodeURIComponent(question)}`);
      times.push(ms);
      inServer.push(body.took_ms);
    }
    return { times: times.slice(WARMUP), inServer: inServer.slice(WARMUP) };
  };
  const fresh = await ask();
  const known = await ask();
  const row = (name, { times, inServer }, bar) => ({
    question: name,
    p50_ms: round(p50(times)),
    p95_ms: round(p95(times)),
    in_server_p50_ms: round(p50(inServer)),
    bar,
    met: p50(times) <= bar ? 'yes' : 'NO',
  });
  return {
    memories: wanted,
    questions: ASKED,
    load_seconds: round(loadSeconds, 1),
    loaded_per_second: Math.round(wanted / loadSeconds),
    rows: [
      row('new: embedded first', fresh, BARS.new_ms),
      row('asked before: vector known', known, BARS.known_ms),
    ],
  };
}

function print({ quality, latency }) {
  if (quality !== undefined) {
    const { rows, questions_without_evidence: without, memories } = quality;
    printTable(
      `Evidence recall: ${memories} turns, ${without} questions without evidence left out`,
      Object.keys(rows[0]),
      rows,
    );
    const all = rows.at(-1);
    const bar = (name, value, least) => barRow(name, value, '', `>= ${least}`, value >= least);
    const bars = ['recall@5', 'recall@10', 'all@10'].map((name) => bar(name, all[name], BARS[name]));
    bars.push(bar('recall@10 of multi-hop', rows[0]['recall@10'], BARS.multi_hop));
    printTable('Against the bars', ['measure', 'value', 'bar', 'met'], bars);
  }
  if (latency !== undefined) {
    printTable(
      `Time of a recall in a tenant of ${latency.memories} memories, over HTTP`,
      Object.keys(latency.rows[0]),
      latency.rows,
    );
  }
}
