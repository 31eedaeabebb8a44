import { randomFrom, randomVector, round } from '../support/numbers.mjs';
import { question, sentence } from '../support/prose.mjs';
import { say } from '../support/report.mjs';
import { scratchFolder } from '../support/server.mjs';
import { openTarget } from '../support/target.mjs';
import { writePlacements } from './placements.mjs';

const CALLERS = 4;
/** Memory is looked at so often in each round. */
const LOOKS = 8;
const FLAT = 1.15;

/**
 * Many tenants on one FalkorDB that holds only so many at once: each is touched in turn, again and again, and the server's
 * memory is looked at meanwhile. The first round ends with as many graphs as may be hot; from then on it should be flat.
 */
export async function measureHot({ falkordb, tenants: wanted, cap, memories, rounds }) {
  const scratch = scratchFolder();
  const target = await openTarget(
    {},
    {
      LOCI_PLACEMENTS: writePlacements(scratch.path, {
        shared: {},
        many: { max_hot_spaces: cap, falkordb_url: falkordb.url },
      }),
    },
  );
  try {
    say(`Hot spaces: provisioning ${wanted} tenants of ${memories} memories, ${cap} hot at most`);
    const random = randomFrom(41);
    const tenants = await inTurn(
      Array.from({ length: wanted }, (_, at) => `hot-${at}`),
      (slug) => filled(target, slug, memories, random),
    );
    const rows = [await look('loaded', target, falkordb)];
    for (let number = 1; number <= rounds; number++) {
      const part = Math.ceil(wanted / LOOKS);
      for (let from = 0; from < wanted; from += part) {
        await inTurn(tenants.slice(from, from + part), (tenant) => touch(tenant, random));
        rows.push(await look(`round ${number}, ${Math.min(wanted, from + part)} touched`, target, falkordb));
      }
    }
    const settled = rows.slice(1 + LOOKS).map(({ used_mb }) => used_mb);
    const ratio = round(Math.max(...settled) / Math.min(...settled), 3);
    const graphs = Math.max(...rows.map((row) => row.graphs));
    return {
      rows,
      bars: [
        [`FalkorDB’s memory, most by least, after the first round`, ratio, '', `<= ${FLAT}`, ratio <= FLAT],
        ['graphs at most', graphs, '', `<= ${cap} + ${CALLERS * 2}`, graphs <= cap + CALLERS * 2],
      ],
    };
  } finally {
    await target.close();
    scratch.remove();
  }
}

async function filled(target, slug, memories, random) {
  const { body } = await target.operator.post('/admin/tenants', { tenant_id: slug, placement: 'many' });
  const client = target.operator.as(body.api_key.key);
  const some = Array.from({ length: memories }, () => ({
    content: sentence(random),
    embedding: randomVector(random, 384),
  }));
  await client.post('/memory/batch', { memories: some });
  return { slug, client };
}

async function touch({ slug, client }, random) {
  const path = `/recall?query=${encodeURIComponent(question(random))}&expand_relations=true`;
  const { body } = await client.get(path);
  if (body.count === 0) throw new Error(`${slug} recalls nothing`);
}

/** Megabytes, as the server counts them and as its process has them. */
async function look(when, target, falkordb) {
  const info = String(await falkordb.command('INFO', 'memory'));
  const megabytes = (name) => Math.round(Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1]) / 2 ** 20);
  const graphs = (await falkordb.command('GRAPH.LIST')).length;
  const row = { when, graphs, used_mb: megabytes('used_memory'), rss_mb: megabytes('used_memory_rss') };
  say(`  ${Object.values(row).join('  ')}`);
  return { ...row, loci_rss_mb: target.own.memory()?.rss ?? null };
}

/** A few at a time, in order. */
async function inTurn(items, work) {
  const results = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (next < items.length) {
        const at = next++;
        results[at] = await work(items[at]);
      }
    }),
  );
  return results;
}
