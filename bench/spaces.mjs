/**
 * What do the servers cost, and how fast do spaces come back?
 *
 *     npm run bench:spaces -- [--only adapters,rebuild,wake,hot] [--memories 10000] [--rounds 5] [--tenants 2000] [--cap 200]
 *
 * Adapters: Qdrant's protocol and FalkorDB through Loci's adapters, against their own clients asking the same, in turns.
 * Rebuild: a tenant's projections from its ledger. Wake: the first recall of a cold tenant. Hot: many tenants in turn on
 * one FalkorDB that holds a few of them. FalkorDB is a real one, as the tests start it (`scripts/install-servers.sh`).
 * Qdrant is the server that QDRANT_URL and QDRANT_API_KEY name, or the tests' stand-in, whose own times mean nothing.
 */
import { measureAdapters } from './spaces/adapters.mjs';
import { measureHot } from './spaces/hot.mjs';
import { measureRebuild } from './spaces/rebuild.mjs';
import { measureWake } from './spaces/wake.mjs';
import { count, readOptions, Refused, run } from './support/options.mjs';
import { barRow, printTable, writeResults } from './support/report.mjs';
import { TestServers } from './support/test-servers.mjs';

const PARTS = ['adapters', 'rebuild', 'wake', 'hot'];

await run(async () => {
  const options = readOptions({
    only: PARTS.join(','),
    memories: 10_000,
    rounds: 5,
    questions: 500,
    tenants: 2_000,
    cap: 200,
    each: 20,
  });
  if (options.url !== undefined) throw new Refused('bench:spaces starts its own servers, without --url.');
  const only = options.only.split(',');
  if (!only.every((part) => PARTS.includes(part))) throw new Refused(`--only takes ${PARTS.join(', ')}`);
  const memories = count(options, 'memories', { min: 500, max: 100_000 });
  const rounds = count(options, 'rounds', { max: 50 });
  const questions = count(options, 'questions', { max: 10_000 });
  const hot = {
    tenants: count(options, 'tenants', { min: 16, max: 20_000 }),
    cap: count(options, 'cap', { max: 20_000 }),
    memories: count(options, 'each', { max: 500 }),
    rounds: 2,
  };
  const servers = await TestServers.open();
  try {
    const falkordb = await servers.falkorDb();
    const results = { qdrant: process.env.QDRANT_URL ? 'server' : 'stand-in', bars: [] };
    if (only.includes('adapters')) {
      const url = process.env.QDRANT_URL || (await servers.qdrantStandIn());
      const qdrant = { url, apiKey: process.env.QDRANT_API_KEY || null };
      const { rows, bar } = await measureAdapters({ qdrant, falkordb, memories: 300, rounds: questions });
      printTable(`Adapters against their clients (Qdrant: ${results.qdrant})`, Object.keys(rows[0]), rows);
      results.adapters = rows;
      results.bars.push(bar);
    }
    if (only.includes('rebuild')) {
      results.bars.push(...(await measureRebuild({ falkordb, memories, rounds })).bars);
    }
    if (only.includes('wake')) {
      results.bars.push(...(await measureWake({ falkordb, memories: 1_000, rounds: rounds * 2 })).bars);
    }
    if (only.includes('hot')) {
      const { rows, bars } = await measureHot({ falkordb, ...hot });
      printTable(
        `${hot.tenants} tenants in turn on one FalkorDB, ${hot.cap} hot`,
        Object.keys(rows[0]),
        rows,
      );
      results.hot = rows;
      results.bars.push(...bars);
    }
    results.bars = results.bars.map((bar) => barRow(...bar));
    printTable('What must hold', Object.keys(results.bars[0]), results.bars);
    writeResults('spaces', results);
  } finally {
    await servers.close();
  }
});
