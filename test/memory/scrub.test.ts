import { asSuperuser } from '../isolation/two-palaces.js';
import { someVector } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';

interface StoredReply extends Record<string, unknown> {
  memory_id: string;
  created: boolean;
  scrubbed?: unknown;
}

describe('a tenant that lets no secrets be stored', () => {
  let loci: Loci;
  let tenant: TestTenant;

  beforeAll(async () => {
    loci = await Loci.start();
    tenant = await loci.tenant({ settings: { scrub: 'mask' } });
  });
  afterAll(() => loci.stop());

  const EMAIL = 'ada@mail.example';
  const memoryOf = async (id: string) =>
    (await tenant.get<{ memory: Record<string, unknown> }>(`/memory/${id}`)).body.memory;

  it('keeps content, tags and metadata masked, and says what was masked', async () => {
    const stored = await tenant.post<StoredReply>('/memory', {
      content: `Write to ${EMAIL} or bob@mail.example, card 4111 1111 1111 1111.`,
      tags: ['post', EMAIL],
      metadata: { from: { mail: EMAIL }, card: 4111111111111111, size: 3 },
      source: `mail:${EMAIL}`,
    });
    expect(stored.status).toBe(201);
    expect(stored.body.scrubbed).toEqual([
      { kind: 'email', count: 2, field: 'content' },
      { kind: 'card_number', count: 1, field: 'content' },
      { kind: 'email', count: 1, field: 'tags[1]' },
      { kind: 'email', count: 1, field: 'metadata.from.mail' },
      { kind: 'card_number', count: 1, field: 'metadata.card' },
      { kind: 'email', count: 1, field: 'source' },
    ]);
    expect(await memoryOf(stored.body.memory_id)).toMatchObject({
      content: 'Write to [masked:email] or [masked:email], card [masked:card_number].',
      tags: ['post', '[masked:email]'],
      metadata: { from: { mail: '[masked:email]' }, card: '[masked:card_number]', size: 3 },
      source: 'mail:[masked:email]',
    });
  });

  it('masks what an update brings, and every item of a batch', async () => {
    const first = await tenant.post<StoredReply>('/memory', { content: 'Nothing to hide' });
    expect(first.body).not.toHaveProperty('scrubbed');
    const id = first.body.memory_id;
    const edited = await tenant.patch<StoredReply>(`/memory/${id}`, { content: `Ask ${EMAIL}` });
    expect(edited.body).toMatchObject({
      memory: { content: 'Ask [masked:email]' },
      scrubbed: [{ kind: 'email', count: 1, field: 'content' }],
    });
    const batch = await tenant.post<{ memory_ids: string[]; scrubbed: unknown }>('/memory/batch', {
      memories: [{ content: 'Plain' }, { content: `Call +49 30 90182011`, tags: [EMAIL] }],
    });
    expect(batch.body.scrubbed).toEqual([
      { kind: 'phone', count: 1, field: 'memories[1].content' },
      { kind: 'email', count: 1, field: 'memories[1].tags[0]' },
    ]);
    expect(await memoryOf(batch.body.memory_ids[1] ?? '')).toMatchObject({ content: 'Call [masked:phone]' });
    const { body } = await tenant.get<{ history: unknown[] }>(`/memory/${id}/history`);
    expect(JSON.stringify(body)).not.toContain(EMAIL);
  });

  it('masks what a relation says of itself', async () => {
    const batch = await tenant.post<{ memory_ids: [string, string] }>('/memory/batch', {
      memories: [{ content: 'The invoice came' }, { content: 'The invoice was paid' }],
    });
    const [memory1_id, memory2_id] = batch.body.memory_ids;
    const ends = { memory1_id, memory2_id };
    const one = await tenant.post<StoredReply>('/associate', {
      ...ends,
      type: 'LEADS_TO',
      reason: `So wrote ${EMAIL}`,
    });
    expect(one.body.scrubbed).toEqual([{ kind: 'email', count: 1, field: 'reason' }]);
    const many = await tenant.post<StoredReply>('/associate', {
      associations: [
        { ...ends, type: 'RELATES_TO' },
        { ...ends, type: 'INVALIDATED_BY', reason: `Ask ${EMAIL}`, timestamp: '2026-01-01T00:00:00Z' },
      ],
    });
    expect(many.body.scrubbed).toEqual([{ kind: 'email', count: 1, field: 'associations[1].reason' }]);
    for (const [type, reason] of [
      ['LEADS_TO', 'So wrote [masked:email]'],
      ['INVALIDATED_BY', 'Ask [masked:email]'],
    ]) {
      const around = await tenant.get(`/memories/${memory1_id}/related?relationship_types=${type}`);
      expect(around.body).toMatchObject({ related_memories: [{ relation_attributes: { reason } }] });
    }
  });

  it('finds a duplicate, a repetition and a replay by what is masked', async () => {
    const at = { timestamp: '2026-01-01T00:00:00Z' };
    const first = await tenant.post<StoredReply>('/memory', { content: `Of ${EMAIL}`, ...at });
    const same = await tenant.post<StoredReply>('/memory', { content: 'Of eve@mail.example', ...at });
    expect([same.status, same.body.memory_id]).toEqual([200, first.body.memory_id]);

    const named = { id: '5f0c3f3e-1f63-4a0f-9d39-0a3a3c9a8b11', ...at };
    expect((await tenant.post('/memory', { ...named, content: `From ${EMAIL}` })).status).toBe(201);
    expect((await tenant.post('/memory', { ...named, content: 'From eve@mail.example' })).status).toBe(200);

    const key = { 'Idempotency-Key': 'scrubbed-once' };
    const once = await tenant.post<StoredReply>('/memory', { content: `Once ${EMAIL}` }, key);
    const replay = await tenant.post<StoredReply>('/memory', { content: 'Once eve@mail.example' }, key);
    expect([replay.status, replay.body]).toEqual([201, once.body]);
    expect(replay.headers.get('idempotency-replayed')).toBe('true');
    const other = await tenant.post('/memory', { content: 'Once more' }, key);
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency.conflict' } });
  });

  it('takes no vector that was made of what it masks', async () => {
    const given = someVector();
    const masked = await tenant.post<StoredReply>('/memory', {
      content: `Vector of ${EMAIL}`,
      embedding: given,
    });
    const plain = await tenant.post<StoredReply>('/memory', {
      content: 'A vector of its own',
      embedding: given,
    });
    const rows = await asSuperuser(loci, async (client) => {
      const sql = `SELECT memory_id, given FROM embeddings WHERE part = 'alone' AND memory_id = ANY($1)`;
      const ids = [masked.body.memory_id, plain.body.memory_id];
      return (await client.query<{ memory_id: string; given: boolean }>(sql, [ids])).rows;
    });
    expect(Object.fromEntries(rows.map((row) => [row.memory_id, row.given]))).toEqual({
      [masked.body.memory_id]: false,
      [plain.body.memory_id]: true,
    });
  });

  it('says of its settings what is wrong with them, and masks nothing when they are off', async () => {
    const path = '/v1/tenants/current';
    const refused = await tenant.patch(path, { settings: { scrub: { mode: 'mask', kinds: ['names'] } } });
    expect(refused).toMatchObject({
      status: 400,
      body: { errors: [{ location: 'body.settings.scrub.kinds' }] },
    });
    const byOperator = await loci.operator.patch(`/admin/tenants/${tenant.slug}`, {
      settings: { scrub: 'some' },
    });
    expect(byOperator).toMatchObject({
      status: 400,
      body: { errors: [{ location: 'body.settings.scrub' }] },
    });
    const open = await loci.tenant();
    const stored = await open.post<StoredReply>('/memory', { content: `Write to ${EMAIL}` });
    expect(stored.body).not.toHaveProperty('scrubbed');
    const shown = await open.get<{ memory: { content: string } }>(`/memory/${stored.body.memory_id}`);
    expect(shown.body.memory.content).toBe(`Write to ${EMAIL}`);
  });
});
