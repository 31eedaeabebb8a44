import { QdrantClient } from '@qdrant/js-client-rest';
import { FalkorDB } from 'falkordb';
import { randomBytes, randomUUID } from 'node:crypto';
import { p50, p95, randomFrom, randomVector, round } from '../support/numbers.mjs';
import { question, sentence } from '../support/prose.mjs';
import { say } from '../support/report.mjs';
import { built } from '../support/test-servers.mjs';

const MODEL = { name: 'bench', dimensions: 384 };
const BATCH = 500;
const QUESTIONS = 20;
const ADDS_MS = 3;

/**
 * What the adapters add to the clients: the same searches and the same walks, through the adapter and by the client that
 * it is built on, taking turns. A recall makes these four calls, the watermarks beside the rest.
 */
export async function measureAdapters({ qdrant, falkordb, memories, rounds }) {
  say(`Adapters: filling ${memories} memories`);
  const { QdrantEngine } = await built('spaces/qdrant/qdrant-engine.js');
  const { FalkorDbEngine } = await built('spaces/falkordb/falkordb-engine.js');
  const { termsOf } = await built('spaces/terms.js');
  const engines = {
    vectors: new QdrantEngine({ url: qdrant.url, apiKey: qdrant.apiKey }),
    graphs: new FalkorDbEngine({ url: falkordb.url, secret: { key: randomBytes(32), version: 1 } }),
  };
  const address = { tenant: randomUUID(), name: `memories_bench-${randomBytes(4).toString('hex')}` };
  const workspace = randomUUID();
  const space = { vectors: engines.vectors.open(address, MODEL), graph: engines.graphs.open(address) };
  try {
    const random = randomFrom(5);
    await fill(space, { ledger: `${address.tenant}:1`, workspace, memories, random, termsOf });
    const direct = await directCalls({ qdrant, falkordb, address });
    // Few questions, asked again and again: only what lies around the engines is of interest.
    const questions = Array.from({ length: QUESTIONS }, () => ({
      workspace,
      vector: Float32Array.from(randomVector(random, MODEL.dimensions)),
      terms: termsOf(question(random)),
      filter: {},
      marks: [],
      limit: 200,
    }));
    const ask = (turn) => questions[turn % QUESTIONS];
    const walk = () => ({ workspace, from: [`m${Math.floor(random() * memories)}`], depth: 2, limit: 20 });
    say('Adapters: asking');
    for (const query of questions) await space.vectors.search(query);
    const rows = [
      await takingTurns('Qdrant, a search', rounds, ask, {
        adapter: (query) => space.vectors.search(query),
        direct: (query) => direct.search(query),
      }),
      await takingTurns('Qdrant, the watermark', rounds, ask, {
        adapter: () => space.vectors.watermark(),
        direct: () => direct.vectorMark(),
      }),
      await takingTurns('FalkorDB, two steps from a memory', rounds, walk, {
        adapter: (query) => space.graph.related(query),
        direct: (query) => direct.walk(query),
      }),
      await takingTurns('FalkorDB, the watermark', rounds, walk, {
        adapter: () => space.graph.watermark(),
        direct: () => direct.graphMark(),
      }),
    ];
    await direct.close();
    const adds = round(
      rows.reduce((sum, row) => sum + row.adds_ms, 0),
      2,
    );
    return { rows, bar: ['a recall’s four calls add, p50', adds, 'ms', `<= ${ADDS_MS} ms`, adds <= ADDS_MS] };
  } finally {
    await engines.vectors.drop(address);
    await engines.graphs.drop(address);
    await engines.vectors.close();
    await engines.graphs.close();
  }
}

async function fill(space, { ledger, workspace, memories, random, termsOf }) {
  const items = Array.from({ length: memories }, (_, at) => ({
    workspace,
    id: `m${at}`,
    revision: at + 1,
    gone: false,
    type: 'Context',
    tags: [`t${at % 20}`],
    timestamp: 1_700_000_000_000 + at,
    validFrom: null,
    validUntil: null,
    session: null,
    user: null,
    agent: null,
    speaker: null,
    asked: 0,
    importance: 0.5,
    confidence: 0.8,
    alone: {
      terms: termsOf(sentence(random)),
      vector: Float32Array.from(randomVector(random, MODEL.dimensions)),
    },
    joined: null,
  }));
  const nodes = items.map(({ id, revision, type, timestamp }) => {
    const own = { type, importance: 0.5, timestamp, entities: [] };
    return { kind: 'memory', workspace, id, revision, gone: false, ...own };
  });
  const edges = items.map(({ id }, at) => ({
    kind: 'relation',
    workspace,
    id: `r${at}`,
    revision: memories + at + 1,
    gone: false,
    type: 'RELATES_TO',
    from: id,
    to: `m${Math.floor(random() * memories)}`,
    strength: round(random(), 3),
  }));
  await apply(space.vectors, ledger, items);
  await apply(space.graph, ledger, [...nodes, ...edges]);
}

async function apply(projection, ledger, items) {
  for (let at = 0; at < items.length; at += BATCH) {
    const some = items.slice(at, at + BATCH);
    const from = await projection.watermark();
    const done = await projection.apply({ ledger, from, to: some.at(-1).revision, items: some });
    if (done !== 'applied') throw new Error(`A batch ${done}`);
  }
}

/** What is asked of the servers, asked by their own clients. */
async function directCalls({ qdrant, falkordb, address }) {
  const { searchesFor } = await built('spaces/qdrant/hybrid-search.js');
  const { modelNames } = await built('spaces/qdrant/model-names.js');
  const { RELATED, WATERMARK } = await built('spaces/falkordb/graph-queries.js');
  const { keyOf } = await built('spaces/falkordb/graph-rows.js');
  const client = new QdrantClient({
    url: qdrant.url,
    ...(qdrant.apiKey === null ? {} : { apiKey: qdrant.apiKey }),
    checkCompatibility: false,
  });
  const { hostname, port, username, password } = new URL(falkordb.url);
  const falkor = await FalkorDB.connect({
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    socket: { host: hostname, port: Number(port || 6379) },
  });
  const graph = falkor.selectGraph(address.name);
  const names = modelNames(MODEL);
  const abilities = { prefixes: true, rarityByWorkspace: true };
  return {
    search: (query) => client.queryBatch(address.name, { searches: searchesFor(query, names, abilities) }),
    walk: ({ workspace, from, depth, limit }) => {
      const starts = from.map((id) => keyOf(workspace, id));
      const params = { starts, types: null, weakest: 0, limit, most: 400 };
      return graph.roQuery(RELATED[depth - 1], { params });
    },
    vectorMark: () => client.retrieve(address.name, { ids: [names.watermark], with_payload: true }),
    graphMark: () => graph.roQuery(WATERMARK),
    close: () => falkor.close(),
  };
}

/** Each question by both, the first of them in turn; `adds`: the median of what one took longer than the other. */
async function takingTurns(name, rounds, makeQuestion, { adapter, direct }) {
  const times = { adapter: [], direct: [], adds: [] };
  const timed = async (call, asked) => {
    const startedAt = performance.now();
    await call(asked);
    return performance.now() - startedAt;
  };
  for (let turn = -Math.ceil(rounds / 5); turn < rounds; turn++) {
    const asked = makeQuestion(Math.abs(turn));
    const took = {};
    const order = turn % 2 === 0 ? ['adapter', 'direct'] : ['direct', 'adapter'];
    for (const side of order) took[side] = await timed(side === 'adapter' ? adapter : direct, asked);
    // The first ones warm up.
    if (turn < 0) continue;
    times.adapter.push(took.adapter);
    times.direct.push(took.direct);
    times.adds.push(took.adapter - took.direct);
  }
  return {
    name,
    direct_ms: round(p50(times.direct), 2),
    adapter_ms: round(p50(times.adapter), 2),
    adds_ms: round(p50(times.adds), 2),
    adds_p95_ms: round(p95(times.adds), 2),
  };
}
