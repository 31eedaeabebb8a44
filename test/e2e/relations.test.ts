import { randomUUID } from 'node:crypto';
import type { Reply } from '../support/loci.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';

interface RelatedMemory {
  memory_id: string;
  relation_id: string;
  relation_type: string;
  relation_strength: number;
  relation_attributes: Record<string, unknown>;
}

describe('relations', () => {
  let loci: Loci;
  let acme: TestTenant;

  beforeAll(async () => {
    loci = await Loci.start();
    acme = await loci.tenant();
  });
  afterAll(() => loci.stop());

  async function remember(content: string): Promise<string> {
    const { status, body } = await acme.post<{ memory_id: string }>('/memory', { content });
    expect(status).toBe(201);
    return body.memory_id;
  }
  const pair = async (): Promise<{ memory1_id: string; memory2_id: string }> => {
    const word = randomUUID();
    return { memory1_id: await remember(`One ${word}`), memory2_id: await remember(`Two ${word}`) };
  };
  const associate = (fields: object): Promise<Reply> => acme.post('/associate', fields);
  async function relatedTo(id: string, query = ''): Promise<RelatedMemory[]> {
    const { body } = await acme.get<{ related_memories: RelatedMemory[] }>(
      `/memories/${id}/related?${query}`,
    );
    return body.related_memories;
  }

  describe('what they say of themselves', () => {
    const ofTypes: [string, Record<string, unknown>][] = [
      ['RELATES_TO', {}],
      ['LEADS_TO', { reason: 'the deploy broke it', confidence: 0.7 }],
      ['OCCURRED_BEFORE', { timestamp: '2026-03-01T10:00:00Z', duration: 'P3D' }],
      ['PREFERS_OVER', { context: 'small projects', reason: 'simpler' }],
      ['EXEMPLIFIES', { pattern_type: 'habit', confidence: 1 }],
      ['CONTRADICTS', { resolution: 'the later one holds', reason: 'a new law' }],
      ['REINFORCES', { observations: 3 }],
      ['INVALIDATED_BY', { reason: 'moved house', timestamp: '2026-03-01' }],
      ['EVOLVED_INTO', { confidence: 0, reason: 'grew' }],
      ['DERIVED_FROM', { transformation: 'summary', confidence: 0.25 }],
      ['PART_OF', { role: 'chapter', context: 'the handbook' }],
    ];

    it.each(ofTypes)(
      'a %s keeps its attributes, and shows them wherever it is shown',
      async (type, given) => {
        const ends = await pair();
        expect(await associate({ ...ends, type, strength: 0.8, ...given })).toMatchObject({
          status: 201,
          body: { ignored: [] },
        });
        const expected = { relation_type: type, relation_strength: 0.8, relation_attributes: given };
        expect(await relatedTo(ends.memory1_id)).toMatchObject([{ memory_id: ends.memory2_id, ...expected }]);
        expect((await relatedTo(ends.memory2_id))[0]?.relation_attributes).toEqual(given);
        const recalled = await acme.post<{ results: { relations: object[] }[] }>('/recall', {
          query: 'One',
          expand_relations: true,
          limit: 100,
        });
        const shown = recalled.body.results.flatMap(({ relations }) => relations);
        expect(shown).toContainEqual(expect.objectContaining({ type, strength: 0.8, attributes: given }));
      },
    );

    it('have no place for those of other types, and name them', async () => {
      const ends = await pair();
      const { status, body } = await associate({ ...ends, type: 'PART_OF', role: 'leaf', confidence: 0.3 });
      expect([status, body['ignored']]).toEqual([201, ['confidence']]);
      expect((await relatedTo(ends.memory1_id))[0]?.relation_attributes).toEqual({ role: 'leaf' });
    });

    it.each<[string, Record<string, unknown>]>([
      ['confidence', { type: 'LEADS_TO', confidence: 1.5 }],
      ['observations', { type: 'REINFORCES', observations: 0 }],
      ['timestamp', { type: 'OCCURRED_BEFORE', timestamp: 'soon' }],
      ['reason', { type: 'CONTRADICTS', reason: 'x'.repeat(2_049) }],
      ['mood', { type: 'RELATES_TO', mood: 'good' }],
    ])('are refused with the name of what is wrong: %s', async (field, fields) => {
      const { status, body } = await associate({ ...(await pair()), ...fields });
      expect(status).toBe(400);
      expect(JSON.stringify(body['errors'])).toContain(field);
    });

    it('change with strength when the same is associated again, and what is not named stays', async () => {
      const ends = await pair();
      const first = await associate({
        ...ends,
        type: 'CONTRADICTS',
        strength: 0.2,
        reason: 'a',
        resolution: 'b',
      });
      const again = await associate({ ...ends, type: 'CONTRADICTS', strength: 0.6, reason: 'c' });
      expect(again.body['relation_id']).toBe(first.body['relation_id']);
      expect(await relatedTo(ends.memory1_id)).toMatchObject([
        { relation_strength: 0.6, relation_attributes: { reason: 'c', resolution: 'b' } },
      ]);
    });

    it('take no revision where nothing of it is new', async () => {
      const ends = await pair();
      const association = { ...ends, type: 'REINFORCES', strength: 0.7, observations: 2 };
      const revision = async (): Promise<unknown> =>
        (await loci.operator.get(`/admin/tenants/${acme.slug}/stats`)).body['revision'];
      await associate(association);
      const before = await revision();
      const repeated = await associate({ associations: [association] });
      expect(repeated.body).toMatchObject({ created_count: 1, unchanged_count: 1 });
      expect(await revision()).toBe(before);
    });

    it("are sealed under the tenant's key in the ledger", async () => {
      const ends = await pair();
      await associate({ ...ends, type: 'LEADS_TO', reason: 'a reason nobody else reads' });
      const { rows } = await asSuperuser(loci, (client) =>
        client.query<{ attributes: Buffer }>('SELECT attributes FROM relations WHERE from_id = $1', [
          ends.memory1_id,
        ]),
      );
      const attributes = rows[0]?.attributes ?? Buffer.alloc(0);
      expect(attributes.length).toBeGreaterThan(28);
      expect(attributes.toString('latin1')).not.toContain('nobody');
    });

    it('go with their memories', async () => {
      const ends = await pair();
      await associate({ ...ends, type: 'LEADS_TO', reason: 'gone soon' });
      await acme.delete(`/memory/${ends.memory2_id}`);
      expect(await relatedTo(ends.memory1_id)).toEqual([]);
    });
  });

  it.each(['SIMILAR_TO', 'PRECEDED_BY', 'DISCOVERED'])(
    'refuse a %s by a caller: Loci alone makes it',
    async (type) => {
      const ends = await pair();
      expect(await associate({ ...ends, type })).toMatchObject({
        status: 422,
        body: { code: 'relation.reserved' },
      });
      const both = await associate({
        associations: [
          { ...ends, type },
          { ...ends, type: 'RELATES_TO' },
        ],
      });
      expect(both).toMatchObject({
        status: 207,
        body: { created_count: 1, failed: [{ index: 0, code: 'relation.reserved' }] },
      });
    },
  );

  it('are followed by type, in any case of letters, and by strength', async () => {
    const { memory1_id, memory2_id } = await pair();
    const third = await remember(`Three ${randomUUID()}`);
    await associate({ memory1_id, memory2_id, type: 'LEADS_TO', strength: 0.3 });
    await associate({ memory1_id: memory2_id, memory2_id: third, type: 'PART_OF', strength: 0.9 });
    const ids = async (query: string): Promise<string[]> =>
      (await relatedTo(memory1_id, query)).map(({ memory_id }) => memory_id);
    expect(await ids('max_depth=3')).toEqual([memory2_id, third]);
    expect(await ids('max_depth=3&min_strength=0.31')).toEqual([]);
    expect(await ids('max_depth=3&relationship_types=leads_to')).toEqual([memory2_id]);
    expect(await ids('max_depth=3&relationship_types=PART_OF')).toEqual([]);
  });
});
