import { DescribedCaller, Description } from '../support/described.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { ledgerRows } from '../spaces/rules/projected.js';
import { enriched, stored } from './enriched.js';

interface Entity {
  slug: string;
  kind: string;
  name: string;
  aliases: string[];
  tag: string;
  mention_count: number;
}

describe('what was drawn from memories', () => {
  let loci: Loci;

  beforeAll(async () => {
    loci = await Loci.start({ LOCI_ENRICHMENT: 'true' });
  });
  afterAll(() => loci.stop());

  const entities = async (tenant: TestTenant, query = '') =>
    (await tenant.get<{ entities: Entity[]; next_cursor: string | null }>(`/entities${query}`)).body;
  const entity = (tenant: TestTenant, slug: string) =>
    tenant.get<{ entity: Entity; memories: { memory_id: string }[] }>(`/entity/${slug}`);
  const tagged = async (tenant: TestTenant, tag: string) =>
    (await tenant.get<{ results: { id: string }[] }>(`/recall?tags=${tag}`)).body.results.map(({ id }) => id);

  it('lists entities, the most named first, page by page and by kind', async () => {
    const tenant = await loci.tenant();
    await stored(tenant, { content: 'Caroline flew to Berlin.' });
    await stored(tenant, { content: 'Caroline met Melanie in Berlin.' });
    await stored(tenant, { content: 'Caroline is learning Python.' });
    await enriched(loci, tenant);
    const all = await entities(tenant);
    expect(all.entities.map(({ tag, mention_count: n }) => [tag, n])).toEqual([
      ['entity:people:caroline', 3],
      ['entity:places:berlin', 2],
      expect.arrayContaining([1]),
      expect.arrayContaining([1]),
    ]);
    expect((await entities(tenant, '?kind=tools')).entities).toMatchObject([
      { slug: 'python', name: 'Python' },
    ]);
    const pages: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await entities(tenant, `?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      pages.push(...page.entities.map(({ slug }) => slug));
      cursor = page.next_cursor;
    }
    expect(pages).toEqual(all.entities.map(({ slug }) => slug));
  });

  it('shows one with the memories that name it, and no other workspace’s', async () => {
    const tenant = await loci.tenant();
    const { body: sibling } = await tenant.post<{ id: string }>('/v1/workspaces', { name: 'S', slug: 'sib' });
    const here = await stored(tenant, { content: 'Caroline flew to Berlin.' });
    await stored(tenant, { content: 'Melanie flew to Lisbon.', workspace_id: sibling.id });
    await enriched(loci, tenant);
    expect((await entity(tenant, 'berlin')).body).toMatchObject({
      entity: { name: 'Berlin', kind: 'places', mention_count: 1 },
      memories: [{ memory_id: here }],
    });
    expect((await entity(tenant, 'places:berlin')).status).toBe(200);
    for (const slug of ['lisbon', 'nobody', 'people:berlin']) {
      expect(await entity(tenant, slug)).toMatchObject({ status: 404, body: { code: 'entity.not_found' } });
    }
    expect((await tenant.get(`/entity/lisbon?workspace_id=${sibling.id}`)).status).toBe(200);
  });

  it('merges one entity into another, for what is stored and for what will be', async () => {
    const tenant = await loci.tenant();
    const long = await stored(tenant, { content: 'Melanie painted a sunrise.' });
    const short = await stored(tenant, { content: 'Mel went camping in Canada.' });
    await enriched(loci, tenant);
    const { status, body } = await tenant.post<Record<string, unknown>>('/entity/mel/merge', {
      merge_into: 'melanie',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      entity: { slug: 'melanie', name: 'Melanie', aliases: ['Mel'], mention_count: 2 },
      merge: { canonical: 'melanie', alias: 'mel', mentions_moved: 1 },
    });
    expect((await tagged(tenant, 'entity:people:melanie')).sort()).toEqual([long, short].sort());
    expect(await tagged(tenant, 'entity:people:mel')).toEqual([]);
    expect((await entity(tenant, 'mel')).body.entity.slug).toBe('melanie');
    const later = await stored(tenant, { content: 'Mel bought a tent.' });
    await enriched(loci, tenant);
    expect(await tagged(tenant, 'entity:people:melanie')).toContain(later);
    const again = await tenant.post('/entity/mel/merge', { merge_into: 'melanie' });
    expect(again).toMatchObject({ status: 422, body: { code: 'entity.invalid' } });
    await tenant.post('/memory', { content: 'Nothing.' });
    const back = await tenant.post<{ entity: Entity }>('/entity/melanie/merge', { merge_into: 'canada' });
    expect(back.body.entity).toMatchObject({ kind: 'places', slug: 'canada' });
  });

  it('shows a summary of a long memory, and whom it names', async () => {
    const tenant = await loci.tenant();
    const filler = 'The garden needs water in the summer and rest in the winter. ';
    const content = `Caroline keeps a garden in Seattle. ${filler.repeat(15)}`;
    const id = await stored(tenant, { content });
    const brief = await stored(tenant, { content: 'Short.' });
    await enriched(loci, tenant);
    const { body } = await tenant.get<{ memory: { summary: string; entities: unknown[] } }>(`/memory/${id}`);
    expect(body.memory.summary.length).toBeLessThanOrEqual(300);
    expect(body.memory.summary).toContain('Caroline keeps a garden in Seattle.');
    expect(body.memory.entities).toEqual(
      expect.arrayContaining([
        { kind: 'people', name: 'Caroline' },
        { kind: 'places', name: 'Seattle' },
      ]),
    );
    expect((await tenant.get(`/memory/${brief}`)).body).toMatchObject({
      memory: { summary: null, entities: [] },
    });
  });

  it('tells how far it has come, and reads again what it is asked to', async () => {
    const tenant = await loci.tenant();
    const id = await stored(tenant, { content: 'Caroline flew to Berlin.' });
    await stored(tenant, { content: 'Melanie stayed at home.' });
    await enriched(loci, tenant);
    const { body } = await tenant.get<Record<string, number>>('/enrichment/status');
    expect(body).toMatchObject({ state: 'idle', pending: 0, processed: 2, failed: 0, last_error: null });
    expect(body['watermark']).toBe(body['revision']);
    const times = () =>
      ledgerRows(
        loci,
        tenant,
        'SELECT memory_id, enriched_at::text AS at FROM enrichments ORDER BY memory_id',
      );
    const before = await times();
    const one = await tenant.post('/enrichment/reprocess', { ids: [id] });
    expect(one).toMatchObject({ status: 202, body: { status: 'queued', count: 1 } });
    await enriched(loci, tenant);
    const after = await times();
    expect(after).toHaveLength(2);
    expect(after.filter((row, at) => row['at'] !== before[at]?.['at'])).toMatchObject([{ memory_id: id }]);
    expect((await tenant.post('/enrichment/reprocess')).body).toMatchObject({ count: 2 });
    await enriched(loci, tenant);
    expect(await tagged(tenant, 'entity:places:berlin')).toEqual([id]);
    const nobody = await tenant.post('/enrichment/reprocess', {
      ids: ['00000000-0000-4000-8000-000000000009'],
    });
    expect(nobody.body).toMatchObject({ count: 0 });
  });

  it('gives an assistant what it should know first: lessons, rules, preferences, what is new; each once', async () => {
    const tenant = await loci.tenant();
    const lesson = await stored(tenant, {
      content: 'Never deploy on Fridays.',
      tags: ['Lesson'],
      importance: 0.6,
    });
    const vital = await stored(tenant, { content: 'The vault code changed.', importance: 0.95 });
    const rule = await stored(tenant, { content: 'Answer in German.', tags: ['SYSTEM'] });
    const liking = await stored(tenant, { content: 'Prefers tea.', type: 'Preference' });
    const plain = await stored(tenant, { content: 'It rained.' });
    await stored(tenant, { content: 'It was so.', importance: 0.99, t_invalid: '2020-01-01T00:00:00Z' });
    const { body } = await tenant.get<Record<string, { memory_id: string }[]>>('/startup-recall');
    const ids = (part: string) => body[part]?.map(({ memory_id: id }) => id);
    expect(ids('critical_lessons')).toEqual([vital, lesson]);
    expect(ids('system_rules')).toEqual([rule]);
    expect(ids('preferences')).toEqual([liking]);
    expect(ids('recent')).toEqual([plain]);
    expect(body).toMatchObject({ lesson_count: 2, has_critical: true });
  });

  it('answers as it is described, at the root and under /v1', async () => {
    const tenant = await loci.tenant();
    const description = await Description.of(loci);
    const caller = new DescribedCaller(() => loci.url, tenant.token, description);
    for (const prefix of ['', '/v1']) {
      await stored(tenant, { content: `Caroline met Melanie in Berlin. ${prefix}`, importance: 0.9 });
      await enriched(loci, tenant);
      await caller.get(`${prefix}/entities`);
      await caller.get(`${prefix}/entity/caroline`);
      const [from, into] = prefix === '' ? ['melanie', 'caroline'] : ['caroline', 'berlin'];
      await caller.post(`${prefix}/entity/${from}/merge`, { merge_into: into });
      expect((await caller.post(`${prefix}/entity/berlin/merge`, { merge_into: 'berlin' })).status).toBe(422);
      await caller.get(`${prefix}/enrichment/status`);
      await caller.post(`${prefix}/enrichment/reprocess`);
      await caller.get(`${prefix}/startup-recall`);
      await caller.get(`${prefix}/analyze`);
    }
    const drawn = / \/(?:v1\/)?(?:entity|entities|enrichment|startup-recall|analyze)(?:\/|$)/;
    const operations = description.operations().filter((name) => drawn.test(name));
    expect(operations).toHaveLength(14);
    expect(description.unseen(operations)).toEqual([]);
  });

  it('counts what a workspace remembers, and what comes up together', async () => {
    const tenant = await loci.tenant();
    const ids: string[] = [];
    for (let day = 1; day <= 3; day++) {
      ids.push(
        await stored(tenant, {
          content: `Caroline met Melanie in Berlin, time ${day}.`,
          type: 'Episodic',
          tags: ['meeting'],
          importance: 0.8,
          timestamp: `2024-03-0${day}T09:30:00Z`,
        }),
      );
    }
    await stored(tenant, {
      content: 'Caroline likes jazz.',
      importance: 0.1,
      timestamp: '2024-04-01T21:00:00Z',
    });
    await tenant.post('/associate', {
      memory1_id: ids[0],
      memory2_id: ids[1],
      type: 'PREFERS_OVER',
      strength: 0.7,
      context: 'weather',
    });
    await enriched(loci, tenant);
    const { body } = await tenant.get<{ analytics: Record<string, unknown> }>('/analyze');
    expect(body.analytics).toMatchObject({
      total_memories: 4,
      memory_types: { Episodic: { count: 3, average_importance: 0.8 } },
      tags: { meeting: 3 },
      importance_distribution: { low: 1, medium: 0, high: 3 },
      temporal_insights: { hour_09: { count: 3 }, hour_21: { count: 1 } },
      activity: { '2024-03': 3, '2024-04': 1 },
      entity_frequency: {
        people: [
          { name: 'Caroline', count: 4 },
          { name: 'Melanie', count: 3 },
        ],
      },
      preferences: [{ over: 'Caroline met Melanie in Berlin, time 2.', strength: expect.closeTo(0.7, 5) }],
    });
    expect(body.analytics['patterns']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          observations: 3,
          confidence: 1,
          entities: expect.arrayContaining(['Melanie']),
        }),
      ]),
    );
  });
});
