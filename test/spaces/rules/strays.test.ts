import Sqlite from 'better-sqlite3';
import { ChangeFeed } from '../../../src/ledger/change-feed.js';
import { tenantOf } from '../../isolation/two-palaces.js';
import { Loci, type TestTenant } from '../../support/loci.js';
import {
  eventually,
  expectProjected,
  fileOf,
  ledgerRows,
  recall,
  recalledIds,
  remember,
  someVector,
  spaceOf,
} from './projected.js';

describe('what does not belong', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  describe('rule 5: no resurrection', () => {
    it('keeps a deleted memory deleted where a replica applies the older batch that still holds it, late', async () => {
      const acme = await loci.tenant();
      const tenant = await tenantOf(loci, acme);
      const feed = loci.server.app.get(ChangeFeed);
      const [kept, gone] = [
        await remember(acme, 'The teapot is blue.'),
        await remember(acme, 'A teapot to lose.'),
      ];
      await acme.patch(`/memory/${kept}`, { content: 'The teapot was blue.' });
      const late = await feed.memoriesAfter(tenant, tenant.embeddingModel, 0, 10);
      const lateGraph = await feed.graphAfter(tenant, 0, 10);
      await acme.patch(`/memory/${kept}`, { content: 'The teapot is green.' });
      await acme.delete(`/memory/${gone}`);
      const space = await spaceOf(loci, acme);
      const before = await space.vectors.list();
      for (const items of [late.items, [...late.items].reverse()]) {
        const from = await space.vectors.watermark();
        // The worst that can come: a late batch that even names the right watermark.
        expect(await space.vectors.apply({ ledger: late.ledger, from, to: from.revision, items })).toBe(
          'applied',
        );
        const at = await space.graph.watermark();
        await space.graph.apply({ ledger: late.ledger, from: at, to: at.revision, items: lateGraph.items });
      }
      expect(await space.vectors.list()).toEqual(before);
      await expectProjected(loci, acme);
      expect(await recalledIds(acme, 'teapot')).toEqual([kept]);
    });

    it('turns away a late batch that was read before the delete', async () => {
      const acme = await loci.tenant();
      const tenant = await tenantOf(loci, acme);
      const space = await spaceOf(loci, acme);
      const from = await space.vectors.watermark();
      const gone = await remember(acme, 'A teapot to lose.');
      const { ledger, to, items } = await loci.server.app
        .get(ChangeFeed)
        .memoriesAfter(tenant, tenant.embeddingModel, 0, 10);
      await acme.delete(`/memory/${gone}`);
      expect(await space.vectors.apply({ ledger, from, to, items })).toBe('moved');
      expect(await recalledIds(acme, 'teapot')).toEqual([]);
    });

    it('ends without the memory, whichever of a store and a delete of many comes to the projections first', async () => {
      const acme = await loci.tenant();
      const ids = await Promise.all(
        Array.from({ length: 12 }, (_, i) => remember(acme, `teapot ${i}`, { embedding: someVector() })),
      );
      await Promise.all(
        ids.map(async (id, i) => {
          if (i % 3 === 0)
            await Promise.all([
              acme.patch(`/memory/${id}`, { tags: ['late'] }),
              acme.delete(`/memory/${id}`),
            ]);
          else if (i % 3 === 1) await acme.delete(`/memory/${id}`);
        }),
      );
      await (await spaceOf(loci, acme)).catchUp();
      await expectProjected(loci, acme);
      expect((await recalledIds(acme, 'teapot')).sort()).toEqual(ids.filter((_, i) => i % 3 === 2).sort());
    });
  });

  describe('rule 9: projections answer with ids and scores, and content comes from the ledger', () => {
    /** Makes the tenant's file propose `id` where it knew `own`, as a misrouted or tampered store would. */
    function plant(tenant: TestTenant, own: string, id: string): void {
      const file = new Sqlite(fileOf(loci, tenant), { fileMustExist: true });
      try {
        file.prepare('UPDATE v1_memories SET id = ? WHERE id = ?').run(id, own);
        const { changes } = file.prepare('UPDATE v1_points SET id = ? WHERE id = ?').run(id, own);
        if (changes !== 1) throw new Error('Nothing was planted');
      } finally {
        file.close();
      }
    }
    const incidents = (tenant: TestTenant) =>
      ledgerRows(
        loci,
        tenant,
        `SELECT target, actor FROM audit_records WHERE action = 'space.stray_candidate'`,
      );
    const counted = async () => {
      const { body } = await metrics(loci);
      return Number(/^loci_stray_candidates_total (\d+)$/m.exec(body)?.[1] ?? 0);
    };

    it.each([
      [
        'another tenant’s memory',
        async (other: TestTenant) => remember(other, 'The other teapot is secret.'),
      ],
      ['a memory that nobody has', async () => '00000000-0000-4000-8000-00000000dead'],
      ['what is no id at all', async () => `'; DROP TABLE memories; --`],
    ])('drops %s that a projection proposes, counts it and puts it on record', async (_, foreign) => {
      const [acme, other] = [await loci.tenant(), await loci.tenant()];
      const kept = await remember(acme, 'The teapot is blue.');
      const own = await remember(acme, 'The teapot is chipped.');
      const id = await foreign(other);
      plant(acme, own, id);
      const before = await counted();
      const reply = await recall(acme, 'teapot');
      expect(reply.results.map((result) => result.id)).toEqual([kept]);
      expect(JSON.stringify(reply)).not.toContain('secret');
      expect(await counted()).toBe(before + 1);
      await eventually('the incident is on record', async () => (await incidents(acme)).length === 1);
      expect(await incidents(acme)).toEqual([{ target: id, actor: 'system:recall' }]);
      expect(await incidents(other)).toEqual([]);
    });

    it('takes an id that the ledger has deleted for stale, and not for an incident', async () => {
      const acme = await loci.tenant();
      const [kept, own] = [
        await remember(acme, 'The teapot is blue.'),
        await remember(acme, 'The teapot is chipped.'),
      ];
      const gone = await remember(acme, 'A teapot to lose.');
      await acme.delete(`/memory/${gone}`);
      plant(acme, own, gone);
      const before = await counted();
      expect(await recalledIds(acme, 'teapot')).toEqual([kept]);
      expect(await counted()).toBe(before);
      expect(await incidents(acme)).toEqual([]);
    });
  });
});

async function metrics(loci: Loci): Promise<{ body: string }> {
  const response = await fetch(`${loci.url}/metrics`, {
    headers: { Authorization: `Bearer ${loci.operator.token}` },
  });
  return { body: await response.text() };
}
