import { setTimeout as after } from 'node:timers/promises';
import { p50, p95, randomFrom, randomVector, round } from '../support/numbers.mjs';
import { question, sentence } from '../support/prose.mjs';
import { say } from '../support/report.mjs';
import { scratchFolder } from '../support/server.mjs';
import { openTarget } from '../support/target.mjs';
import { writePlacements } from './placements.mjs';

const BARS = { 'wake-embedded': 150, 'wake-falkordb': 500 };
const COLD_WITHIN_MS = 30_000;

/**
 * What the first recall of a cold tenant takes: two tenants in a placement that holds one cool each other in turn. Both
 * parts are woken: the recall asks for relations too.
 */
export async function measureWake({ falkordb, memories, rounds }) {
  const scratch = scratchFolder();
  const target = await openTarget(
    {},
    {
      // What reads in the background would wake the one that is to be cold.
      LOCI_ENRICHMENT: 'false',
      LOCI_PLACEMENTS: writePlacements(scratch.path, {
        shared: {},
        'wake-embedded': { max_hot_spaces: 1 },
        'wake-falkordb': { max_hot_spaces: 1, falkordb_url: falkordb.url },
      }),
    },
  );
  try {
    const bars = [];
    for (const [placement, most] of Object.entries(BARS)) {
      say(`Waking: ${memories} memories, ${placement}`);
      const random = randomFrom(31);
      const tenants = [];
      for (const at of [0, 1]) tenants.push(await filled(target, placement, at, memories, random));
      const times = [];
      for (let turn = -2; turn < rounds * 2; turn++) {
        const tenant = tenants[Math.abs(turn) % 2];
        await untilCold(target, tenant.slug);
        const path = `/recall?query=${encodeURIComponent(question(random))}&expand_relations=true`;
        const { ms, body } = await tenant.client.get(path);
        if (body.count === 0 || body.degraded !== undefined)
          throw new Error(`${tenant.slug} did not wake: ${JSON.stringify(body).slice(0, 300)}`);
        if (turn >= 0) times.push(ms);
      }
      const middle = round(p50(times), 1);
      const name = `first recall of a cold tenant of ${memories}, ${placement.slice('wake-'.length)}`;
      bars.push([`${name}, p50`, middle, 'ms', `< ${most} ms`, middle < most]);
      bars.push([`${name}, fastest`, round(Math.min(...times), 1), 'ms', '', true]);
      bars.push([`${name}, p95`, round(p95(times), 1), 'ms', '', true]);
    }
    return { bars };
  } finally {
    await target.close();
    scratch.remove();
  }
}

async function filled(target, placement, at, memories, random) {
  const slug = `${placement}-${at}`;
  const { body } = await target.operator.post('/admin/tenants', { tenant_id: slug, placement });
  const client = target.operator.as(body.api_key.key);
  for (let from = 0; from < memories; from += 500) {
    const some = Array.from({ length: Math.min(500, memories - from) }, () => ({
      content: sentence(random),
      embedding: randomVector(random, 384),
    }));
    await client.post('/memory/batch', { memories: some });
  }
  return { slug, client };
}

/** Looking wakes nothing. */
async function untilCold(target, slug) {
  for (const deadline = performance.now() + COLD_WITHIN_MS; ; await after(20)) {
    const { body } = await target.operator.get(`/admin/tenants/${slug}/stats`);
    const { vectors, graph } = body.watermarks;
    if (vectors === 0 && graph === 0) return;
    if (performance.now() > deadline) throw new Error(`${slug} does not cool: ${JSON.stringify(body)}`);
  }
}
