import { systemCause } from '../../../src/ledger/cause.js';
import { ChangeFeed } from '../../../src/ledger/change-feed.js';
import { Ledger, WHOLE_TENANT } from '../../../src/ledger/ledger.js';
import { tenantOf } from '../../isolation/two-palaces.js';
import { Loci } from '../../support/loci.js';
import {
  expectProjected,
  ledgerRows,
  recall,
  remember,
  revisionOf,
  someVector,
  spaceOf,
} from './projected.js';

describe('revisions', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  describe('rule 1: commit order is revision order', () => {
    it('gives 20 writers at once revisions of their own, and no reader ever sees one appear below another', async () => {
      const acme = await loci.tenant({ plan_tier: 'enterprise' });
      const tenant = await tenantOf(loci, acme);
      const feed = loci.server.app.get(ChangeFeed);
      let writing = true;
      const late: string[] = [];
      const watch = async () => {
        const seen = new Map<string, number>();
        let reached = 0;
        while (writing) {
          const { items, to } = await feed.memoriesAfter(tenant, tenant.embeddingModel, 0, 10_000);
          for (const { id, revision } of items) {
            if (!seen.has(id) && revision <= reached) late.push(`${id}@${revision} after ${reached}`);
            seen.set(id, revision);
          }
          reached = to;
        }
        return seen.size;
      };
      const watcher = watch();
      const writer = async (who: number) => {
        for (let i = 0; i < 6; i++)
          await remember(acme, `writer ${who} says ${i}`, { embedding: someVector() });
      };
      await Promise.all(Array.from({ length: 20 }, (_, who) => writer(who)));
      writing = false;
      expect(await watcher).toBeGreaterThan(0);
      expect(late).toEqual([]);
      const rows = await ledgerRows(
        loci,
        acme,
        'SELECT revision::int AS revision, position::int AS position FROM changes JOIN memories USING (tenant_id, workspace_id, id)',
      );
      expect(rows).toHaveLength(120);
      expect(new Set(rows.map((row) => row['revision'])).size).toBe(120);
      expect(await revisionOf(loci, acme)).toBe(Math.max(...rows.map((row) => Number(row['revision']))));
      await expectProjected(loci, acme);
    });

    it('holds the tenant’s row to the commit: a second writer waits, another tenant’s does not', async () => {
      const [acme, other] = [await loci.tenant(), await loci.tenant()];
      const tenant = await tenantOf(loci, acme);
      const ledger = loci.server.app.get(Ledger);
      const order: string[] = [];
      let open = () => {};
      const gate = new Promise<void>((resolve) => (open = resolve));
      let begun = () => {};
      const holding = new Promise<void>((resolve) => (begun = resolve));
      const first = ledger.write(tenant, WHOLE_TENANT, systemCause('first'), async () => {
        begun();
        await gate;
        order.push('first');
      });
      await holding;
      const second = ledger.write(
        tenant,
        WHOLE_TENANT,
        systemCause('second'),
        async () => void order.push('second'),
      );
      await remember(other, 'not in anybody’s way', { embedding: someVector() });
      order.push('other');
      open();
      await Promise.all([first, second]);
      expect(order).toEqual(['other', 'first', 'second']);
    });

    it('takes no revision for what is rolled back', async () => {
      const acme = await loci.tenant();
      await remember(acme, 'kept', { embedding: someVector() });
      const before = await revisionOf(loci, acme);
      const tenant = await tenantOf(loci, acme);
      const failed = loci.server.app
        .get(Ledger)
        .write(tenant, WHOLE_TENANT, systemCause('failing'), async (tx) => {
          tx.changed(tenant.defaultWorkspace, 'memory', '00000000-0000-4000-8000-000000000001');
          throw new Error('as if it had failed');
        });
      await expect(failed).rejects.toThrow('as if it had failed');
      expect(await revisionOf(loci, acme)).toBe(before);
    });

    it('is no success where the transaction had failed inside and nobody said so', async () => {
      const acme = await loci.tenant();
      const tenant = await tenantOf(loci, acme);
      const swallowed = loci.server.app
        .get(Ledger)
        .write(tenant, WHOLE_TENANT, systemCause('failing'), async (tx) => {
          await tx.rows('SELECT 1 / 0').catch(() => undefined);
        });
      await expect(swallowed).rejects.toThrow();
    });
  });

  describe('rule 2: what takes a revision is what is projected', () => {
    it('shows an item that changed twice once, at its latest, and reaches the tenant’s revision over the gap', async () => {
      const acme = await loci.tenant();
      const tenant = await tenantOf(loci, acme);
      const id = await remember(acme, 'tea', { embedding: someVector() });
      await acme.patch(`/memory/${id}`, { importance: 0.7 });
      await acme.patch(`/memory/${id}`, { importance: 0.8 });
      const changes = await loci.server.app
        .get(ChangeFeed)
        .memoriesAfter(tenant, tenant.embeddingModel, 0, 10);
      expect(changes.items.map((item) => [item.id, item.revision])).toEqual([[id, 3]]);
      expect(changes).toMatchObject({ to: 3, cut: false });
      const none = await loci.server.app.get(ChangeFeed).memoriesAfter(tenant, tenant.embeddingModel, 3, 10);
      expect(none).toMatchObject({ to: 3, items: [] });
    });

    it('reaches the last item’s revision where the limit cut the batch', async () => {
      const acme = await loci.tenant();
      const tenant = await tenantOf(loci, acme);
      for (const drink of ['tea', 'milk', 'water']) await remember(acme, drink, { embedding: someVector() });
      const changes = await loci.server.app
        .get(ChangeFeed)
        .memoriesAfter(tenant, tenant.embeddingModel, 0, 2);
      expect(changes).toMatchObject({ to: 2, cut: true });
      expect(changes.items.map(({ revision }) => revision)).toEqual([1, 2]);
    });

    it('keeps tombstones in the feed, of a memory and of its relations', async () => {
      const acme = await loci.tenant();
      const tenant = await tenantOf(loci, acme);
      const [a, b] = [
        await remember(acme, 'a', { embedding: someVector() }),
        await remember(acme, 'b', { embedding: someVector() }),
      ];
      await acme.post('/associate', { memory1_id: a, memory2_id: b, type: 'LEADS_TO', strength: 1 });
      await acme.delete(`/memory/${a}`);
      const { items } = await loci.server.app.get(ChangeFeed).graphAfter(tenant, 3, 10);
      expect(items.map((item) => [item.kind, item.gone])).toEqual([
        ['relation', true],
        ['memory', true],
      ]);
      await expectProjected(loci, acme);
    });
  });

  describe('rule 8: what is not projected takes no revision', () => {
    it('counts accesses without revision, history or audit', async () => {
      const acme = await loci.tenant();
      const id = await remember(acme, 'the teapot is blue');
      const before = await revisionOf(loci, acme);
      const audit = 'SELECT count(*)::int AS n FROM audit_records';
      const [recorded] = await ledgerRows(loci, acme, audit);
      expect((await recall(acme, 'teapot')).results).toHaveLength(1);
      // Written in batches: the last one when the server stops.
      await loci.restart();
      const [stats] = await ledgerRows(
        loci,
        acme,
        'SELECT access_count::int AS n FROM memory_stats WHERE memory_id = $1',
        [id],
      );
      expect(stats).toEqual({ n: 1 });
      expect(await revisionOf(loci, acme)).toBe(before);
      expect(await ledgerRows(loci, acme, 'SELECT 1 FROM memory_history')).toEqual([]);
      expect(await ledgerRows(loci, acme, audit)).toEqual([recorded]);
      expect((await (await spaceOf(loci, acme)).vectors.watermark()).revision).toBe(before);
    });
  });
});
