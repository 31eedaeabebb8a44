import { randomFrom, randomVector, round, p50 } from '../support/numbers.mjs';
import { Client } from '../support/client.mjs';
import { sentence } from '../support/prose.mjs';
import { say } from '../support/report.mjs';
import { scratchFolder } from '../support/server.mjs';
import { built } from '../support/test-servers.mjs';
import { writePlacements } from './placements.mjs';

const TOKEN = 'the-admin-token-of-this-benchmark';
const PER_SECOND = 2_000;

/**
 * How fast a tenant's projections are built anew from its ledger, embeddings and all. In this process, as `loci rebuild`
 * verifies too, which is another thing: that is timed by itself.
 */
export async function measureRebuild({ falkordb, memories, rounds }) {
  const scratch = scratchFolder();
  const { startServer } = await built('server.js');
  const { parseSettings } = await built('platform/config/settings.js');
  const { openLog } = await built('platform/logging/log.js');
  const { Verification } = await built('spaces/verification.js');
  const { TenantDirectory } = await built('tenancy/tenant-directory.js');
  const settings = parseSettings({
    NODE_ENV: 'test',
    LOG_LEVEL: 'fatal',
    PORT: '0',
    LOCI_DATA_DIR: `${scratch.path}/data`,
    ADMIN_API_TOKEN: TOKEN,
    DEFAULT_RATE_LIMIT: '1000000',
    LOCI_PLACEMENTS: writePlacements(scratch.path, {
      shared: {},
      graph: { falkordb_url: falkordb.url },
    }),
  });
  const server = await startServer(settings, openLog(settings));
  try {
    const operator = new Client(server.url, TOKEN);
    const bars = [];
    for (const [placement, engine] of [
      ['shared', 'embedded vectors and graph'],
      ['graph', 'embedded vectors, FalkorDB’s graph'],
    ]) {
      say(`Rebuild: filling ${memories} memories, ${engine}`);
      const slug = `rebuild-${placement}`;
      const { body } = await operator.post('/admin/tenants', { tenant_id: slug, placement });
      await load(operator.as(body.api_key.key), memories);
      const tenant = await server.app.get(TenantDirectory).tenantById(body.id);
      const verification = server.app.get(Verification);
      const rates = { rebuilt: [], verified: [] };
      for (let round = 0; round < rounds; round++) {
        rates.rebuilt.push(memories / (await seconds(() => verification.rebuild(tenant))));
        rates.verified.push(
          memories /
            (await seconds(async () => {
              const { vectors, graph } = await verification.verify(tenant);
              if (!vectors.equal || !graph.equal || vectors.inLedger !== memories)
                throw new Error(`${slug} was not rebuilt: ${JSON.stringify({ vectors, graph })}`);
            })),
        );
      }
      const rate = Math.round(p50(rates.rebuilt));
      bars.push([`rebuild, ${engine}`, rate, 'memories/s', `>= ${PER_SECOND}/s`, rate >= PER_SECOND]);
      bars.push([`verify, ${engine}`, Math.round(p50(rates.verified)), 'memories/s', '', true]);
    }
    operator.close();
    return { bars };
  } finally {
    await server.stop();
    scratch.remove();
  }
}

async function load(client, memories) {
  const random = randomFrom(23);
  for (let at = 0; at < memories; at += 500) {
    const some = Array.from({ length: Math.min(500, memories - at) }, () => ({
      content: sentence(random),
      embedding: randomVector(random, 384),
    }));
    await client.post('/memory/batch', { memories: some });
  }
}

async function seconds(work) {
  const startedAt = performance.now();
  await work();
  return round((performance.now() - startedAt) / 1_000, 4);
}
