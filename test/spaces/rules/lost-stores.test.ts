import { copyFileSync, existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Client } from 'pg';
import { ChangeFeed } from '../../../src/ledger/change-feed.js';
import { CatchUp } from '../../../src/spaces/catch-up.js';
import { isOutage } from '../../../src/spaces/space-errors.js';
import type { VectorItem } from '../../../src/spaces/vector-space.js';
import { asSuperuser, tenantOf } from '../../isolation/two-palaces.js';
import { Loci, type TestTenant } from '../../support/loci.js';
import { testPostgres } from '../../support/postgres.js';
import {
  eventually,
  expectProjected,
  fileOf,
  recall,
  recalledIds,
  remember,
  revisionOf,
  someVector,
  spaceOf,
} from './projected.js';

const parts = ['', '-wal', '-shm'];

function wipe(file: string): void {
  for (const part of parts) rmSync(file + part, { force: true });
}

describe('stores that are lost', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  describe('rule 3: the watermark is asked of the store, and every apply is conditional on it', () => {
    it('rebuilds a store that was wiped under the running process, at the next recall', async () => {
      const acme = await loci.tenant();
      const ids = [
        await remember(acme, 'The teapot is blue.'),
        await remember(acme, 'The teapot is chipped.'),
      ];
      wipe(fileOf(loci, acme));
      const { results, degraded } = await recall(acme, 'teapot');
      expect(results.map(({ id }) => id).sort()).toEqual(ids.sort());
      expect(degraded).toBeUndefined();
      await (await spaceOf(loci, acme)).catchUp();
      await expectProjected(loci, acme);
    });

    it('rebuilds a store that was wiped under the running process, at the next write', async () => {
      const acme = await loci.tenant();
      const before = await remember(acme, 'The teapot is blue.');
      wipe(fileOf(loci, acme));
      const after = await acme.post('/memory', { content: 'The teapot is chipped.' });
      expect(after.body).toMatchObject({ indexed: true });
      await expectProjected(loci, acme);
      expect(await recalledIds(acme, 'teapot')).toContain(before);
    });

    it('rebuilds stores that were deleted with the folder that they lie in', async () => {
      const acme = await loci.tenant();
      const ids = [await remember(acme, 'The teapot is blue.')];
      rmSync(dirname(fileOf(loci, acme)), { recursive: true });
      expect(await recalledIds(acme, 'teapot')).toEqual(ids);
      ids.push(await remember(acme, 'The teapot is chipped.'));
      expect((await recalledIds(acme, 'teapot')).sort()).toEqual(ids.sort());
      expect(statSync(dirname(fileOf(loci, acme))).mode & 0o777).toBe(0o700);
      await expectProjected(loci, acme);
    });

    it.each([
      ['put in its place', (from: string, to: string) => renameSync(from, to)],
      ['written over it', (from: string, to: string) => copyFileSync(from, to)],
    ])(
      'replays the tail where an older copy of the file was %s under the running process',
      async (_, put) => {
        const acme = await loci.tenant();
        const [kept, deleted] = [
          await remember(acme, 'The teapot is blue.'),
          await remember(acme, 'A teapot to lose.'),
        ];
        // At rest the log is in the file, so that the copy is whole.
        await loci.restart(async () => copyFileSync(fileOf(loci, acme), `${fileOf(loci, acme)}.older`));
        await acme.delete(`/memory/${deleted}`);
        const added = await remember(acme, 'The teapot is chipped.');
        put(`${fileOf(loci, acme)}.older`, fileOf(loci, acme));
        expect((await recalledIds(acme, 'teapot')).sort()).toEqual([kept, added].sort());
        await (await spaceOf(loci, acme)).catchUp();
        await expectProjected(loci, acme);
      },
    );

    it('loses nothing where the file is deleted while the server is stopped', async () => {
      const acme = await loci.tenant();
      const ids = [
        await remember(acme, 'The teapot is blue.'),
        await remember(acme, 'The teapot is chipped.'),
      ];
      await acme.post('/associate', {
        memory1_id: ids[0],
        memory2_id: ids[1],
        type: 'RELATES_TO',
        strength: 1,
      });
      await loci.restart(async () => wipe(fileOf(loci, acme)));
      expect(existsSync(fileOf(loci, acme))).toBe(false);
      expect((await recalledIds(acme, 'teapot')).sort()).toEqual([...ids].sort());
      const { body } = await acme.get<{ related_memories: unknown[] }>(`/memories/${ids[0]}/related`);
      expect(JSON.stringify(body)).toContain(ids[1]);
      await expectProjected(loci, acme);
    });

    it('discards a file that is no database, and builds it again', async () => {
      const acme = await loci.tenant();
      const id = await remember(acme, 'The teapot is blue.');
      await loci.restart(async () => {
        wipe(fileOf(loci, acme));
        writeFileSync(fileOf(loci, acme), 'not a database at all'.repeat(500));
      });
      expect(await recalledIds(acme, 'teapot')).toEqual([id]);
    });

    it('lets two replicas race on one projection: nothing is lost, nothing is applied twice', async () => {
      const acme = await loci.tenant({ plan_tier: 'enterprise' });
      const tenant = await tenantOf(loci, acme);
      const memories = Array.from({ length: 60 }, (_, i) => ({
        content: `teapot ${i}`,
        embedding: someVector(),
      }));
      await acme.post('/memory/batch', { memories });
      const { vectors } = await spaceOf(loci, acme);
      const feed = loci.server.app.get(ChangeFeed);
      const replica = () =>
        new CatchUp<VectorItem>(
          vectors,
          (after) => feed.memoriesAfter(tenant, tenant.embeddingModel, after, 7),
          () => Promise.reject(new Error('nothing is refused here')),
          isOutage,
        );
      const apply = jest.spyOn(vectors, 'apply');
      try {
        for (let round = 0; round < 5; round++) {
          wipe(fileOf(loci, acme));
          await Promise.all([replica().run(), replica().run(), replica().run()]);
          expect(await vectors.count()).toBe(60);
        }
        const answers = await Promise.all(apply.mock.results.map(({ value }) => value as Promise<string>));
        // Nine steps build it, in each round; whoever came second was turned away.
        expect(answers.filter((answer) => answer === 'applied')).toHaveLength(5 * 9);
        expect(answers).toContain('moved');
      } finally {
        apply.mockRestore();
      }
      await (await spaceOf(loci, acme)).catchUp();
      await expectProjected(loci, acme);
    });
  });

  describe('rule 4: a projection knows whose it is', () => {
    /** Makes the database what it was at the copy, as an operator who restores a backup does. */
    const older = () => `${loci.database.database}_older`;
    const copyLedger = () =>
      asAdmin(
        `DROP DATABASE IF EXISTS ${older()}`,
        `CREATE DATABASE ${older()} TEMPLATE ${loci.database.database} OWNER ${loci.database.user}`,
      );
    const restoreLedger = () =>
      asAdmin(
        `DROP DATABASE ${loci.database.database} WITH (FORCE)`,
        `ALTER DATABASE ${older()} RENAME TO ${loci.database.database}`,
      );

    /** A ledger that is older than its projections: they hold a memory that it lost, and lack one that it still has. */
    async function restored(acme: TestTenant): Promise<{ kept: string; lost: string; back: string }> {
      const kept = await remember(acme, 'The teapot is blue.');
      const back = await remember(acme, 'A teapot to delete.');
      await loci.restart(copyLedger);
      const lost = await remember(acme, 'The teapot is chipped.');
      await remember(acme, 'The teapot is cold.');
      await acme.delete(`/memory/${back}`);
      return { kept, lost, back };
    }

    it('drops what is ahead of a ledger that was restored to an older state, at the next recall', async () => {
      const acme = await loci.tenant();
      const { kept, back } = await restored(acme);
      await loci.restart(restoreLedger);
      expect((await recalledIds(acme, 'teapot')).sort()).toEqual([kept, back].sort());
      await (await spaceOf(loci, acme)).catchUp();
      await expectProjected(loci, acme);
    });

    it('drops it also where one write carries the restored ledger past the projection before anybody looked', async () => {
      const acme = await loci.tenant();
      const { kept, back, lost } = await restored(acme);
      await loci.restart(restoreLedger);
      const { body } = await acme.post<{ memory_ids: string[] }>('/memory/batch', {
        memories: Array.from({ length: 10 }, (_, i) => ({
          content: `A new teapot ${i}.`,
          embedding: someVector(),
        })),
      });
      await expectProjected(loci, acme);
      const found = await recalledIds(acme, 'teapot');
      expect(found.sort()).toEqual([kept, back, ...body.memory_ids].sort());
      expect(found).not.toContain(lost);
    });

    it('drops it also where the ledger is restored under the running process, and written past it', async () => {
      const acme = await loci.tenant();
      const { kept, back } = await restored(acme);
      await restoreLedger();
      const order = {
        memories: Array.from({ length: 10 }, (_, i) => ({
          content: `A new teapot ${i}.`,
          embedding: someVector(),
        })),
      };
      let ids: string[] = [];
      await eventually('the server finds the ledger again', async () => {
        const { status, body } = await acme.post<{ memory_ids: string[] }>('/memory/batch', order);
        ids = body.memory_ids;
        return status === 201;
      });
      await expectProjected(loci, acme);
      expect((await recalledIds(acme, 'teapot')).sort()).toEqual([kept, back, ...ids].sort());
    });

    it('builds anew under another epoch', async () => {
      const acme = await loci.tenant();
      const id = await remember(acme, 'The teapot is blue.');
      const before = await (await spaceOf(loci, acme)).vectors.watermark();
      await asSuperuser(loci, (client) =>
        client.query('UPDATE tenants SET epoch = epoch + 1 WHERE id = $1', [acme.id]),
      );
      expect(await recalledIds(acme, 'teapot')).toEqual([id]);
      const after = await (await spaceOf(loci, acme)).vectors.watermark();
      expect(after.ledger).not.toBe(before.ledger);
      expect(after.revision).toBe(before.revision);
    });

    it('shows nothing of another tenant’s file that lies under its name', async () => {
      const [acme, other] = [await loci.tenant(), await loci.tenant()];
      const id = await remember(acme, 'The teapot is blue.');
      for (let i = 0; i < 5; i++) await remember(other, `The teapot of others, ${i}.`);
      await loci.restart(async () => copyFileSync(fileOf(loci, other), fileOf(loci, acme)));
      expect(await recalledIds(acme, 'teapot')).toEqual([id]);
      expect(await revisionOf(loci, acme)).toBe(1);
      await (await spaceOf(loci, acme)).catchUp();
      await expectProjected(loci, acme);
    });
  });

  describe('rule 13: reads never create a store', () => {
    it('makes no file for a tenant that has nothing, whatever is read', async () => {
      const acme = await loci.tenant();
      await recall(acme, 'teapot');
      await acme.get('/v1/memories');
      await acme.get('/memories/00000000-0000-4000-8000-000000000001/related');
      await loci.operator.get(`/admin/tenants/${acme.slug}/stats`);
      expect(existsSync(fileOf(loci, acme))).toBe(false);
    });
  });
});

async function asAdmin(...statements: string[]): Promise<void> {
  const client = new Client(testPostgres().admin);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
