import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { systemCause } from '../../../src/ledger/cause.js';
import { Ledger } from '../../../src/ledger/ledger.js';
import { sealVector } from '../../../src/ledger/sealed-memory.js';
import { BackfillSignal } from '../../../src/modules/memory/backfill-signal.js';
import { INDEXING_WAIT_MS } from '../../../src/spaces/space.js';
import { asSuperuser, tenantOf } from '../../isolation/two-palaces.js';
import { EmbeddingsEndpoint } from '../../models/embeddings-endpoint.js';
import { Loci, type TestTenant } from '../../support/loci.js';
import {
  eventually,
  expectProjected,
  fileOf,
  ledgerRows,
  recall,
  recalledIds,
  remember,
  revisionOf,
  spaceOf,
} from './projected.js';

const unindexable = (loci: Loci, tenant: TestTenant) =>
  ledgerRows(loci, tenant, 'SELECT id, projection FROM unindexable ORDER BY projection');
const pending = (loci: Loci, tenant: TestTenant) =>
  ledgerRows(loci, tenant, 'SELECT memory_id, part FROM pending_vectors');

describe('nothing blocks the line', () => {
  let endpoint: EmbeddingsEndpoint;
  let loci: Loci;
  beforeAll(async () => {
    endpoint = await EmbeddingsEndpoint.start();
    loci = await Loci.start({
      OPENAI_BASE_URL: endpoint.baseUrl,
      OPENAI_API_KEY: 'test',
      EMBEDDING_MODEL: 'words',
    });
  });
  afterAll(async () => {
    await loci.stop();
    await endpoint.stop();
  });
  afterEach(() => {
    endpoint.faults.length = 0;
    endpoint.refuses = () => false;
  });
  /** Refuses whoever asks, at once, as where the account is closed. */
  const away = () =>
    endpoint.faults.push(...Array.from({ length: 500 }, () => ({ kind: 'status', status: 401 }) as const));
  const back = () => (endpoint.faults.length = 0);
  /** The backfill looks again now, and not in five seconds. */
  const hurry = () => loci.server.app.get(BackfillSignal).ring();

  describe('rule 6: what cannot be indexed is recorded and passed', () => {
    it('passes a memory that the engine refuses, and takes those before and after it', async () => {
      const acme = await loci.tenant();
      const tenant = await tenantOf(loci, acme);
      const ids = [await remember(acme, 'The teapot is blue.'), await remember(acme, 'The teapot is odd.')];
      const odd = ids[1] ?? '';
      // A vector of another length under the model's name: what a damaged import could leave.
      await loci.server.app
        .get(Ledger)
        .write(tenant, tenant.defaultWorkspace, systemCause('damage'), async (tx) => {
          const vector = sealVector(
            tenant.key,
            tenant.defaultWorkspace,
            odd,
            'alone',
            Float32Array.from([1, 0, 0]),
          );
          await tx.rows('UPDATE embeddings SET vector = $2 WHERE memory_id = $1', [odd, vector]);
          tx.changed(tenant.defaultWorkspace, 'memory', odd);
        });
      rmSync(fileOf(loci, acme));
      const { body } = await acme.post('/memory', { content: 'The teapot is chipped.' });
      expect(body).toMatchObject({ indexed: true });
      expect((await recalledIds(acme, 'teapot')).sort()).toEqual([ids[0], body['memory_id']].sort());
      expect(await unindexable(loci, acme)).toEqual([{ id: odd, projection: 'vectors:words:32' }]);
      const { vectors } = await spaceOf(loci, acme);
      expect(await vectors.count()).toBe(2);
    });

    it('passes a memory that cannot be opened any more', async () => {
      const acme = await loci.tenant();
      const ids = [await remember(acme, 'The teapot is blue.'), await remember(acme, 'The teapot is odd.')];
      await asSuperuser(loci, (client) =>
        client.query('UPDATE memories SET content = decode(repeat($2, 40), $3) WHERE id = $1', [
          ids[1],
          'ab',
          'hex',
        ]),
      );
      rmSync(fileOf(loci, acme));
      const { body } = await acme.post('/memory', { content: 'The teapot is chipped.' });
      expect(body).toMatchObject({ indexed: true });
      expect((await recalledIds(acme, 'teapot')).sort()).toEqual([ids[0], body['memory_id']].sort());
      expect(await unindexable(loci, acme)).toEqual([{ id: ids[1], projection: 'vectors:words:32' }]);
    });

    it('gives up on a text that the model refuses, and on no other, of this tenant or the next', async () => {
      const [acme, other] = [await loci.tenant(), await loci.tenant()];
      endpoint.refuses = (text) => text.includes('unspeakable');
      const refused = await remember(acme, 'The unspeakable teapot.');
      const fine = await remember(acme, 'The teapot is blue.');
      away();
      const [late, others] = [
        await remember(acme, 'A late teapot.'),
        await remember(other, 'Another late teapot.'),
      ];
      back();
      hurry();
      await eventually(
        'nobody waits',
        async () => (await pending(loci, acme)).length + (await pending(loci, other)).length === 0,
      );
      const embedded = await ledgerRows(loci, acme, 'SELECT memory_id FROM embeddings');
      expect(embedded.map((row) => row['memory_id']).sort()).toEqual([fine, late].sort());
      expect(await ledgerRows(loci, other, 'SELECT memory_id FROM embeddings')).toEqual([
        { memory_id: others },
      ]);
      expect(await unindexable(loci, acme)).toEqual([{ id: refused, projection: 'alone:words:32' }]);
      // It is found by its words all the same.
      expect(await recalledIds(acme, 'unspeakable')).toContain(refused);
      // Edited into what the model takes, it gets its vector.
      await acme.patch(`/memory/${refused}`, { content: 'The speakable teapot.' });
      expect(
        await ledgerRows(loci, acme, 'SELECT memory_id FROM embeddings WHERE memory_id = $1', [refused]),
      ).toHaveLength(1);
    });

    it('blames no text where the model refuses every one', async () => {
      const acme = await loci.tenant();
      endpoint.refuses = () => true;
      const id = await remember(acme, 'The teapot is blue.');
      await eventually('the backfill has tried', async () =>
        endpoint.seen.some(({ input }) => input.includes('ping')),
      );
      expect(await unindexable(loci, acme)).toEqual([]);
      expect(await pending(loci, acme)).toEqual([{ memory_id: id, part: 'alone' }]);
      endpoint.refuses = () => false;
      hurry();
      await eventually('the vector is there', async () => (await pending(loci, acme)).length === 0);
    });
  });

  describe('rule 10: a write answers once it is durable, whatever the indexes do', () => {
    it('stores while the model is away: found by its words at once, by its meaning once the vector arrives', async () => {
      const acme = await loci.tenant();
      away();
      const { status, body } = await acme.post('/memory', { content: 'The teapot is blue.' });
      expect([status, body['indexed']]).toEqual([201, false]);
      const before = await recall(acme, 'teapot');
      expect(before.results.map(({ id }) => id)).toEqual([body['memory_id']]);
      expect(before.degraded).toEqual(['models']);
      expect(await ledgerRows(loci, acme, 'SELECT 1 FROM embeddings')).toEqual([]);
      back();
      await eventually('the vector has arrived', async () => (await pending(loci, acme)).length === 0);
      // Each projection takes it in its own time.
      await eventually('it is projected', async () => {
        const { vectors, graph } = await spaceOf(loci, acme);
        const reached = await Promise.all([vectors.watermark(), graph.watermark()]);
        const revision = await revisionOf(loci, acme);
        return reached.every((at) => at.revision === revision);
      });
      await expectProjected(loci, acme);
      // No word in common: only the vector can propose it.
      const after = await recall(acme, 'utterly else');
      expect(after.degraded).toBeUndefined();
      expect(after.results.map(({ id }) => id)).toEqual([body['memory_id']]);
      const again = await acme.post('/memory', { content: 'The teapot is chipped.' });
      expect(again.body['indexed']).toBe(true);
    });

    it('stores while the engine is away, says so in recall, and catches up when it is back', async () => {
      const acme = await loci.tenant();
      const first = await remember(acme, 'The teapot is blue.');
      const file = fileOf(loci, acme);
      await loci.restart(async () => {
        renameSync(file, `${file}.aside`);
        mkdirSync(file);
      });
      const { status, body } = await acme.post('/memory', { content: 'The teapot is chipped.' });
      expect([status, body['indexed']]).toEqual([201, false]);
      const left = await recall(acme, 'teapot');
      expect(left.results.map(({ id }) => id).sort()).toEqual([first, body['memory_id']].sort());
      expect(left.degraded?.sort()).toEqual(['graph', 'vectors']);
      expect((await acme.get(`/memory/${String(body['memory_id'])}`)).status).toBe(200);
      rmSync(file, { recursive: true });
      renameSync(`${file}.aside`, file);
      expect((await recalledIds(acme, 'teapot')).sort()).toEqual([first, body['memory_id']].sort());
      await (await spaceOf(loci, acme)).catchUp();
      await expectProjected(loci, acme);
    });

    it('waits two seconds for a slow engine and no longer; what was stored is there when the engine has done it', async () => {
      const acme = await loci.tenant();
      await remember(acme, 'The teapot is blue.');
      const { vectors } = await spaceOf(loci, acme);
      const apply = vectors.apply.bind(vectors);
      let open = () => {};
      const gate = new Promise<void>((resolve) => (open = resolve));
      const slow = jest.spyOn(vectors, 'apply').mockImplementation((batch) => gate.then(() => apply(batch)));
      try {
        const startedAt = performance.now();
        const { status, body } = await acme.post('/memory', { content: 'The teapot is chipped.' });
        const took = performance.now() - startedAt;
        expect([status, body['indexed']]).toEqual([201, false]);
        expect(took).toBeGreaterThanOrEqual(INDEXING_WAIT_MS - 5);
        expect(took).toBeLessThan(INDEXING_WAIT_MS + 2_500);
      } finally {
        open();
        slow.mockRestore();
      }
      await eventually('it is indexed', async () => (await vectors.count()) === 2);
      await (await spaceOf(loci, acme)).catchUp();
      await expectProjected(loci, acme);
    });
  });

  describe('rule 11: embedding happens before the transaction, and once for each text of a tenant', () => {
    const asked = (text: string) => endpoint.seen.filter(({ input }) => input.includes(text)).length;

    it('keeps nobody of the same tenant waiting while a text is embedded', async () => {
      const acme = await loci.tenant();
      endpoint.faults.push({ kind: 'hang' });
      const slow = acme.post('/memory', { content: 'The slow teapot.' });
      await eventually('the slow one is being embedded', async () => asked('The slow teapot.') > 0);
      const quick = await acme.post('/memory', { content: 'The quick teapot.' });
      expect(quick.body['indexed']).toBe(true);
      const order = await ledgerRows(loci, acme, 'SELECT position::int AS position FROM memories');
      expect(order).toEqual([{ position: 1 }]);
      expect((await slow).status).toBe(201);
    });

    it('embeds equal text once for a tenant, and again for another: nobody can tell what others have', async () => {
      const [acme, other] = [await loci.tenant(), await loci.tenant()];
      const text = 'The teapot that everybody has.';
      await remember(acme, text);
      await remember(acme, text);
      expect(asked(text)).toBe(1);
      await remember(other, text);
      expect(asked(text)).toBe(2);
      const hashes = await asSuperuser(loci, async (client) => {
        const { rows } = await client.query<{ hash: Buffer }>(
          'SELECT DISTINCT hash FROM embeddings WHERE tenant_id = ANY($1::uuid[])',
          [[acme.id, other.id]],
        );
        return rows.length;
      });
      expect(hashes).toBe(2);
    });

    it('hands no vector that a caller brought to another memory with the same text', async () => {
      const acme = await loci.tenant();
      const text = 'The teapot with a vector of its own.';
      const embedding = Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
      const given = await remember(acme, text, { embedding });
      expect(asked(text)).toBe(0);
      await remember(acme, text);
      expect(asked(text)).toBe(1);
      const rows = await ledgerRows(loci, acme, 'SELECT memory_id, given FROM embeddings ORDER BY given');
      expect(rows.map((row) => row['given'])).toEqual([false, true]);
      expect(rows[1]?.['memory_id']).toBe(given);
    });

    it('lets no late vector replace the one that a caller has brought meanwhile', async () => {
      const acme = await loci.tenant();
      away();
      const id = await remember(acme, 'The teapot is blue.');
      const embedding = Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
      expect((await acme.patch(`/memory/${id}`, { embedding })).status).toBe(200);
      back();
      const marker = await remember(acme, 'A teapot to wait for.');
      await eventually('nobody waits', async () => (await pending(loci, acme)).length === 0);
      const rows = await ledgerRows(loci, acme, 'SELECT memory_id, given FROM embeddings');
      expect(rows).toContainEqual({ memory_id: id, given: true });
      expect(rows).toContainEqual({ memory_id: marker, given: false });
    });
  });
});
