import { Followers } from '../../src/background/followers.service.js';
import { asSuperuser } from '../isolation/two-palaces.js';
import { eventually, expectProjected, ledgerRows, revisionOf } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { enriched, stored, systemRelations } from './enriched.js';

interface Recalled {
  results: { id: string; memory: { tags: string[] } }[];
}

describe('enrichment', () => {
  let loci: Loci;

  beforeAll(async () => {
    loci = await Loci.start({ LOCI_ENRICHMENT: 'true' });
  });
  afterAll(() => loci.stop());

  const taggedWith = async (tenant: TestTenant, tags: string, mode = 'any') => {
    const { body } = await tenant.get<Recalled>(`/recall?tags=${encodeURIComponent(tags)}&tag_mode=${mode}`);
    return body.results.map(({ id }) => id).sort();
  };
  const count = async (tenant: TestTenant, table: string) =>
    (await ledgerRows(loci, tenant, `SELECT count(*)::int AS n FROM ${table}`))[0]?.['n'];

  it('lets what comes by relations pass by the entities that it names, and nothing else', async () => {
    const tenant = await loci.tenant();
    const hinge = await stored(tenant, { content: 'Alice Johnson repaired the hinge of the garden gate.' });
    const shed = await stored(tenant, { content: 'The hinge of the shed belongs to Alice Johnson.' });
    const plumber = await stored(tenant, { content: 'Alice Johnson went to Berlin.' });
    const moon = await stored(tenant, { content: 'The moon rose at ten.' });
    const associations = [hinge, shed].flatMap((hit) =>
      [plumber, moon].map((memory) => ({
        memory1_id: hit,
        memory2_id: memory,
        type: 'LEADS_TO',
        strength: 1,
      })),
    );
    await tenant.post('/associate', { associations });
    await enriched(loci, tenant);
    const bridges = async (filter: object): Promise<string[]> => {
      const { body } = await tenant.post<{ results: { id: string; match_type: string }[] }>('/recall', {
        ...{ query: 'hinge', expand_relations: true, limit: 5, ...filter },
      });
      return body.results.flatMap(({ id, match_type }) => (match_type === 'relation' ? id : [])).sort();
    };
    expect(await bridges({})).toEqual([plumber, moon].sort());
    expect(await bridges({ tags: ['entity:people:alice-johnson'] })).toEqual([plumber]);
    expect(await bridges({ exclude_tags: ['entity:places:berlin'] })).toEqual([moon]);
  });

  it('finds memories by the entities that they name, as by a tag', async () => {
    const tenant = await loci.tenant();
    const alice = await stored(tenant, {
      content: 'Alice Johnson flew to Berlin on 12 May 2023.',
      tags: ['trip'],
    });
    const deploy = await stored(tenant, {
      content: 'We deploy with Docker and PostgreSQL for Alice Johnson.',
    });
    await stored(tenant, { content: 'Nobody is named in here.' });
    await enriched(loci, tenant);
    expect(await taggedWith(tenant, 'entity:people:alice-johnson')).toEqual([alice, deploy].sort());
    expect(await taggedWith(tenant, 'entity:places:berlin')).toEqual([alice]);
    expect(await taggedWith(tenant, 'entity:dates:2023-05-12')).toEqual([alice]);
    expect(await taggedWith(tenant, 'entity:tools:docker')).toEqual([deploy]);
    expect(await taggedWith(tenant, 'entity:people:alice-johnson,trip', 'all')).toEqual([alice]);
    expect(await taggedWith(tenant, 'entity:people:bob')).toEqual([]);
    const about = await tenant.post<{ results: { id: string; score_parts: { context?: number } }[] }>(
      '/recall',
      {
        ...{ query: 'what happened', context_tags: ['entity:places:berlin'], explain: true },
      },
    );
    const berlin = about.body.results.flatMap(({ id, score_parts: parts }) =>
      parts.context === 1 ? id : [],
    );
    expect(berlin).toEqual([alice]);
    const { body } = await tenant.get<{ memory: { tags: string[] } }>(`/memory/${alice}`);
    expect(body.memory.tags).toEqual(['trip']);
    const { body: past } = await tenant.get<{ history: unknown[] }>(`/memory/${alice}/history`);
    expect(past.history).toEqual([]);
    await expectProjected(loci, tenant);
  });

  it('lists memories by such a tag too, and deletes none by it', async () => {
    const tenant = await loci.tenant();
    const trip = await stored(tenant, { content: 'Caroline flew to Berlin.', tags: ['trip'] });
    const home = await stored(tenant, { content: 'Caroline stayed at home.' });
    await enriched(loci, tenant);
    const listed = async (query: string) =>
      (await tenant.get<{ data: { id: string }[] }>(`/v1/memories?${query}`)).body.data
        .map(({ id }) => id)
        .sort();
    expect(await listed('tags=entity:people:caroline')).toEqual([trip, home].sort());
    expect(await listed('tags=entity:people:caroline&tags=trip&tag_mode=all')).toEqual([trip]);
    expect(await listed('tags=entity:people:melanie&tags=trip&tag_mode=all')).toEqual([]);
    expect(await listed('tags=entity:people:melanie&tags=trip')).toEqual([trip]);
    const byTag = await tenant.get('/memory/by-tag?tags=entity:places:berlin');
    expect(byTag.body).toMatchObject({ count: 1, memories: [{ id: trip }] });
    const deleted = await tenant.delete('/memory/by-tag?tags=entity:people:caroline');
    expect(deleted.body).toMatchObject({ deleted_count: 0 });
  });

  it('sets a memory aside that cannot be read, says which and why, and reads it when asked to again', async () => {
    const tenant = await loci.tenant();
    await stored(tenant, { content: 'Caroline flew to Berlin.' });
    await enriched(loci, tenant);
    const [row] = await ledgerRows(
      loci,
      tenant,
      `SELECT id, encode(content, 'hex') AS content FROM memories`,
    );
    const spoil = (hex: string) =>
      asSuperuser(loci, (client) =>
        client.query(`UPDATE memories SET content = decode($2, 'hex') WHERE tenant_id = $1`, [
          tenant.id,
          hex,
        ]),
      );
    await spoil('00'.repeat(64));
    await tenant.post('/enrichment/reprocess');
    const status = async () => (await tenant.get<Record<string, unknown>>('/enrichment/status')).body;
    await eventually('it is tried again later', async () => (await status())['state'] === 'retrying');
    await eventually('it is set aside', async () => {
      // As if the time had passed after which it is tried again.
      await asSuperuser(loci, (client) =>
        client.query(`UPDATE followers SET next_try_at = now() WHERE tenant_id = $1`, [tenant.id]),
      );
      await loci.server.app.get(Followers).look();
      return (await status())['failed'] === 1;
    });
    await enriched(loci, tenant);
    expect(await status()).toMatchObject({
      state: 'idle',
      pending: 0,
      failures: [{ memory_id: row?.['id'], reason: expect.any(String) }],
    });
    await spoil(String(row?.['content']));
    await tenant.post('/enrichment/reprocess', { ids: [row?.['id']] });
    await enriched(loci, tenant);
    expect(await status()).toMatchObject({ state: 'idle', failed: 0, processed: 1, failures: [] });
  });

  it('finds one that brought an entity’s tag of its own by that, too', async () => {
    const tenant = await loci.tenant();
    const brought = await stored(tenant, { content: 'It is about her.', tags: ['entity:people:sarah'] });
    await enriched(loci, tenant);
    expect(await taggedWith(tenant, 'entity:people:sarah')).toEqual([brought]);
  });

  it('keeps the names out of the clear: no table and no index has them', async () => {
    const tenant = await loci.tenant();
    await stored(tenant, { content: 'Samantha Quillfeather lives in Edinburgh.' });
    await enriched(loci, tenant);
    expect(await count(tenant, 'mentions')).toBe(2);
    await asSuperuser(loci, async (client) => {
      for (const table of ['mentions', 'memories', 'enrichments', 'entity_aliases', 'changes']) {
        const { rows } = await client.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM ${table} t WHERE tenant_id = $1 AND t::text ~* 'quillfeather|edinburgh|5175696c6c'`,
          [tenant.id],
        );
        expect([table, rows[0]?.n]).toEqual([table, 0]);
      }
    });
  });

  it('forgets what a memory named when it says something else, and everything when it goes', async () => {
    const tenant = await loci.tenant();
    const id = await stored(tenant, { content: 'Maria moved to Lisbon.' });
    await enriched(loci, tenant);
    expect(await taggedWith(tenant, 'entity:places:lisbon')).toEqual([id]);
    await tenant.patch(`/memory/${id}`, { content: 'Maria moved to Toronto.' });
    // At once, before anything was read again.
    expect(await taggedWith(tenant, 'entity:places:lisbon')).toEqual([]);
    await enriched(loci, tenant);
    expect(await taggedWith(tenant, 'entity:places:toronto')).toEqual([id]);
    expect(await taggedWith(tenant, 'entity:people:maria')).toEqual([id]);
    await tenant.delete(`/memory/${id}`);
    expect([await count(tenant, 'mentions'), await count(tenant, 'enrichments')]).toEqual([0, 0]);
    await enriched(loci, tenant);
    await expectProjected(loci, tenant);
  });

  it('links close neighbours, near-duplicates too, and drops none', async () => {
    const tenant = await loci.tenant();
    const names = {
      a: await stored(tenant, { content: 'The quarterly report is due on Friday.' }),
      b: await stored(tenant, { content: 'The quarterly report is due on Friday!' }),
      other: await stored(tenant, { content: 'My cat sleeps on the warm windowsill all day.' }),
    };
    await enriched(loci, tenant);
    expect(await systemRelations(loci, tenant, names)).toEqual(['a SIMILAR_TO b']);
    expect(await count(tenant, 'memories')).toBe(3);
    const { body } = await tenant.get<{ related_memories: { memory_id: string; relation_type: string }[] }>(
      `/memories/${names.a}/related`,
    );
    expect(body.related_memories).toMatchObject([{ memory_id: names.b, relation_type: 'SIMILAR_TO' }]);
    await tenant.patch(`/memory/${names.b}`, { content: 'Bicycles need oil on the chain in winter.' });
    await enriched(loci, tenant);
    expect(await systemRelations(loci, tenant, names)).toEqual([]);
    await expectProjected(loci, tenant);
  });

  it('tells what came before what in a session by the memories’ own times, whatever the order of arrival', async () => {
    const tenant = await loci.tenant();
    const at = (minute: number, content: string) =>
      stored(tenant, { content, session_id: 's', timestamp: `2024-05-01T10:0${minute}:00Z` });
    const third = await at(3, 'Thirdly the roof was painted green.');
    const first = await at(1, 'First of all we bought bread.');
    await enriched(loci, tenant);
    const second = await at(2, 'Then the rain came down hard.');
    const names = { first, second, third };
    await enriched(loci, tenant);
    expect(await systemRelations(loci, tenant, names)).toEqual([
      'second PRECEDED_BY first',
      'third PRECEDED_BY second',
    ]);
    await tenant.delete(`/memory/${second}`);
    await enriched(loci, tenant);
    expect(await systemRelations(loci, tenant, names)).toEqual(['third PRECEDED_BY first']);
    await expectProjected(loci, tenant);
  });

  it('comes to rest: what it writes gives it nothing more to do', async () => {
    const tenant = await loci.tenant();
    for (let i = 0; i < 5; i++) {
      await stored(tenant, {
        content: `Oliver met Samantha in Dublin for the ${i}th time.`,
        session_id: 's',
      });
    }
    await enriched(loci, tenant);
    const revision = await revisionOf(loci, tenant);
    await loci.restart();
    await enriched(loci, tenant);
    expect(await revisionOf(loci, tenant)).toBe(revision);
  });

  it('is off where the tenant has turned it off', async () => {
    const tenant = await loci.tenant({ settings: { enrichment: false } });
    await stored(tenant, { content: 'Alice Johnson flew to Berlin.', session_id: 's' });
    await stored(tenant, { content: 'Alice Johnson flew to Berlin again.', session_id: 's' });
    await enriched(loci, tenant);
    expect([await count(tenant, 'mentions'), await count(tenant, 'relations')]).toEqual([0, 0]);
  });

  it('sees nothing of another workspace', async () => {
    const tenant = await loci.tenant();
    const { body: sibling } = await tenant.post<{ id: string }>('/v1/workspaces', { name: 'S', slug: 'sib' });
    await stored(tenant, { content: 'The quarterly report is due on Friday.' });
    await stored(tenant, { content: 'The quarterly report is due on Friday.', workspace_id: sibling.id });
    await enriched(loci, tenant);
    expect(await systemRelations(loci, tenant, {})).toEqual([]);
  });
});
