import Sqlite from 'better-sqlite3';
import { join } from 'node:path';
import { Client } from 'pg';
import { Reconciler } from '../../src/spaces/reconciler.js';
import { Loci } from '../support/loci.js';
import { testPostgres } from '../support/postgres.js';

interface Verdict {
  equal: boolean;
  vectors: Compared;
  graph: Compared;
}

interface Compared {
  in_ledger: number;
  stale: { count: number; examples: string[] };
  changed: { count: number; examples: string[] };
}

describe('projections held against their ledger', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  /** As the superuser, whom no policy holds: for making what cannot happen. */
  async function tamper(sql: string, values: unknown[]): Promise<void> {
    const client = new Client({ ...testPostgres().admin, database: loci.database.database });
    await client.connect();
    await client.query(sql, values);
    await client.end();
  }

  it('are found equal, found different, and made equal again', async () => {
    const tenant = await loci.tenant();
    const { body } = await tenant.post<{ memory_id: string }>('/memory', { content: 'The first version.' });
    const other = await tenant.post<{ memory_id: string }>('/memory', { content: 'Another thing.' });
    await tenant.patch(`/memory/${body.memory_id}`, { content: 'The second version.' });
    await tenant.post('/associate', {
      memory1_id: body.memory_id,
      memory2_id: other.body.memory_id,
      type: 'RELATES_TO',
    });
    const verify = (what: 'verify' | 'rebuild') =>
      loci.operator.post<Verdict>(`/admin/tenants/${tenant.slug}/${what}`);

    expect((await verify('verify')).body).toMatchObject({
      equal: true,
      vectors: { in_ledger: 2 },
      graph: { in_ledger: 3 },
    });
    // The edit left revision 1 free: under it, the ledger contradicts what the projections hold.
    await tamper('UPDATE changes SET revision = 1 WHERE id = $1', [body.memory_id]);
    const different = (await verify('verify')).body;
    expect(different).toMatchObject({
      equal: false,
      vectors: { stale: { count: 1 } },
      graph: { stale: { count: 1 } },
    });
    expect(different.vectors.stale.examples[0]).toContain(body.memory_id);
    expect((await verify('rebuild')).body.equal).toBe(true);
    expect((await tenant.get('/recall?query=version')).body).toMatchObject({ count: 2 });
  });

  it('are found different where their content was changed and nothing else', async () => {
    const tenant = await loci.tenant();
    const ids = [];
    for (const content of ['A lamp in the window.', 'A boat on the river.']) {
      ids.push((await tenant.post<{ memory_id: string }>('/memory', { content })).body.memory_id);
    }
    const [memory1_id, memory2_id] = ids;
    await tenant.post('/associate', { memory1_id, memory2_id, type: 'RELATES_TO', strength: 0.5 });
    const verify = async (what: 'verify' | 'rebuild') =>
      (await loci.operator.post<Verdict>(`/admin/tenants/${tenant.slug}/${what}`)).body;
    const nothing = { count: 0, examples: [] };
    expect(await verify('verify')).toMatchObject({
      equal: true,
      vectors: {
        in_ledger: 2,
        in_projection: 2,
        missing: nothing,
        surplus: nothing,
        stale: nothing,
        changed: nothing,
      },
      graph: { in_ledger: 3, in_projection: 3, changed: nothing },
    });

    const file = new Sqlite(join(loci.server.stores.folder.spaces, `memories_${tenant.slug}.db`));
    file.exec(
      `UPDATE v1_memories SET type = 'Pattern' WHERE id = '${memory1_id}'; UPDATE edges SET strength = 0.9`,
    );
    file.close();
    const different = await verify('verify');
    expect(different).toMatchObject({
      equal: false,
      vectors: { equal: false, missing: nothing, stale: nothing, changed: { count: 1 } },
      graph: { equal: false, missing: nothing, stale: nothing, changed: { count: 1 } },
    });
    expect(different.vectors.changed.examples[0]).toContain(memory1_id);
    expect(different.graph.changed.examples[0]).toContain('relation/');
    expect((await verify('rebuild')).equal).toBe(true);
  });

  it('are verified without a false alarm while the tenant goes on writing', async () => {
    const tenant = await loci.tenant();
    let writing = true;
    const writers = Promise.all(
      [1, 2, 3].map(async (writer) => {
        for (let at = 0; writing; at++) {
          const { body } = await tenant.post<{ memory_id: string }>('/memory', {
            content: `Note ${writer}.${at}`,
          });
          if (at % 2 === 0)
            await tenant.patch(`/memory/${body.memory_id}`, { content: `Edited ${writer}.${at}` });
          if (at % 3 === 0) await tenant.delete(`/memory/${body.memory_id}`);
        }
      }),
    );
    const verdicts = [];
    for (let at = 0; at < 12; at++)
      verdicts.push((await loci.operator.post<Verdict>(`/admin/tenants/${tenant.slug}/verify`)).body);
    writing = false;
    await writers;
    expect(verdicts.filter(({ equal }) => !equal)).toEqual([]);
  });

  it('are brought forward by the reconciler where nobody asks, and left cold where they are', async () => {
    const [behind, cold] = [await loci.tenant(), await loci.tenant()];
    await behind.post('/memory', { content: 'A lamp in the window.' });
    await tamper('UPDATE tenants SET revision = revision + 5 WHERE id = $1', [behind.id]);
    await tamper('UPDATE tenants SET revision = revision + 5 WHERE id = $1', [cold.id]);
    await loci.server.app.get(Reconciler).reconcile();
    const watermarks = async (tenant: { slug: string }) =>
      (await loci.operator.get(`/admin/tenants/${tenant.slug}/stats`)).body['watermarks'];
    expect(await watermarks(behind)).toEqual({ vectors: 6, graph: 6 });
    expect(await watermarks(cold)).toEqual({ vectors: 0, graph: 0 });
  });

  it('cannot be verified by a tenant, nor for one that is deleted', async () => {
    const tenant = await loci.tenant();
    expect((await tenant.post(`/admin/tenants/${tenant.slug}/verify`)).status).toBe(403);
    await loci.operator.delete(`/admin/tenants/${tenant.slug}`);
    expect((await loci.operator.post(`/admin/tenants/${tenant.slug}/verify`)).status).toBe(409);
  });
});
