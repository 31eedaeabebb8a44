import { joinedText, textHash } from '../../../src/ledger/sealed-memory.js';
import { tenantOf } from '../../isolation/two-palaces.js';
import { Loci, type TestTenant } from '../../support/loci.js';
import {
  eventually,
  expectProjected,
  ledgerRows,
  recall,
  recalledIds,
  remember,
  spaceOf,
} from './projected.js';

describe('rule 7: what is derived follows what it was derived from', () => {
  let loci: Loci;
  let acme: TestTenant;
  let ids: [string, string, string];
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  const texts = ['Where is the kettle?', 'On the shelf.', 'It is not there.'] as const;
  beforeEach(async () => {
    acme = await loci.tenant();
    const say = (at: number) =>
      remember(acme, texts[at] ?? '', { session_id: 's', timestamp: `2026-01-01T10:0${at}:00Z` });
    ids = [await say(0), await say(1), await say(2)];
  });

  const revisions = async (kind = 'memory') => {
    const rows = await ledgerRows(
      loci,
      acme,
      'SELECT id, revision::int AS revision FROM changes WHERE kind = $1',
      [kind],
    );
    return new Map(rows.map((row) => [String(row['id']), Number(row['revision'])]));
  };
  /** Once nobody waits, each joined vector is of exactly this text. */
  const expectJoined = async (id: string, before: string | null, text: string) => {
    const { key } = await tenantOf(loci, acme);
    await eventually(
      'nobody waits for a vector',
      async () => (await ledgerRows(loci, acme, 'SELECT 1 FROM pending_vectors')).length === 0,
    );
    const rows = await ledgerRows(
      loci,
      acme,
      `SELECT m.joined_hash AS wanted, e.hash AS made FROM memories m
       LEFT JOIN embeddings e ON e.memory_id = m.id AND e.part = 'joined' WHERE m.id = $1`,
      [id],
    );
    const hash = before === null ? null : textHash(key, joinedText(before, text));
    expect(rows).toEqual([{ wanted: hash, made: hash }]);
  };

  it('joins each memory to the one before it from the first', async () => {
    await expectJoined(ids[0], null, texts[0]);
    await expectJoined(ids[1], texts[0], texts[1]);
    await expectJoined(ids[2], texts[1], texts[2]);
    // The answer names no kettle; the question before it does.
    expect(await recalledIds(acme, 'kettle')).toContain(ids[1]);
  });

  it('gives the follower of an edited memory a new revision, joined text and vector, and nobody else', async () => {
    const before = await revisions();
    await acme.patch(`/memory/${ids[0]}`, { content: 'Where is the saucepan?' });
    await expectJoined(ids[1], 'Where is the saucepan?', texts[1]);
    const after = await revisions();
    expect(after.get(ids[1])).toBeGreaterThan(before.get(ids[1]) ?? Infinity);
    expect(after.get(ids[2])).toBe(before.get(ids[2]));
    await (await spaceOf(loci, acme)).catchUp();
    await expectProjected(loci, acme);
    expect(await recalledIds(acme, 'saucepan')).toContain(ids[1]);
  });

  it('gives the follower of a deleted memory the one before that, with revision, text and vector', async () => {
    const before = await revisions();
    await acme.delete(`/memory/${ids[1]}`);
    await expectJoined(ids[2], texts[0], texts[2]);
    expect((await revisions()).get(ids[2])).toBeGreaterThan(before.get(ids[2]) ?? Infinity);
    await (await spaceOf(loci, acme)).catchUp();
    await expectProjected(loci, acme);
  });

  it('leaves the first of a session joined to nothing once the one before it is deleted', async () => {
    const before = await revisions();
    await acme.delete(`/memory/${ids[0]}`);
    // No vector is to come for it, so this revision is all that takes the old text out of the projection.
    expect((await revisions()).get(ids[1])).toBeGreaterThan(before.get(ids[1]) ?? Infinity);
    const { results } = await recall(acme, 'kettle');
    expect(results.filter(({ match_type }) => match_type !== 'vector')).toEqual([]);
    await expectJoined(ids[1], null, texts[1]);
    await expectJoined(ids[2], texts[1], texts[2]);
  });

  it('moves a memory to another session with all that this changes on both sides', async () => {
    await acme.patch(`/memory/${ids[1]}`, { session_id: 'another' });
    await expectJoined(ids[1], null, texts[1]);
    await expectJoined(ids[2], texts[0], texts[2]);
    await acme.patch(`/memory/${ids[1]}`, { session_id: 's', timestamp: '2026-01-01T11:00:00Z' });
    await expectJoined(ids[1], texts[2], texts[1]);
    await expectJoined(ids[2], texts[0], texts[2]);
    await (await spaceOf(loci, acme)).catchUp();
    await expectProjected(loci, acme);
  });

  it('puts a memory that arrives late between its neighbours', async () => {
    const late = await remember(acme, 'Which shelf?', { session_id: 's', timestamp: '2026-01-01T10:01:30Z' });
    await expectJoined(late, texts[1], 'Which shelf?');
    await expectJoined(ids[2], 'Which shelf?', texts[2]);
  });

  it('gives the relations of an edited memory new revisions, and tombstones to those of a deleted one', async () => {
    const body = { memory1_id: ids[0], memory2_id: ids[2], type: 'CONTRADICTS', strength: 0.8 };
    await acme.post('/associate', body);
    const before = await revisions('relation');
    await acme.patch(`/memory/${ids[2]}`, { tags: ['kitchen'] });
    const edited = await revisions('relation');
    for (const [id, revision] of edited) expect(revision).toBeGreaterThan(before.get(id) ?? Infinity);
    expect(edited.size).toBe(1);
    await acme.delete(`/memory/${ids[0]}`);
    const gone = await ledgerRows(loci, acme, `SELECT kind, gone FROM changes WHERE gone ORDER BY kind`);
    expect(gone).toEqual([
      { kind: 'memory', gone: true },
      { kind: 'relation', gone: true },
    ]);
    await (await spaceOf(loci, acme)).catchUp();
    await expectProjected(loci, acme);
  });
});
