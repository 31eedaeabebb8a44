import { randomUUID } from 'node:crypto';
import { systemCause } from '../../src/ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../src/ledger/ledger.js';
import { VectorBackfill } from '../../src/modules/memory/vector-backfill.service.js';
import { Reconciler } from '../../src/spaces/reconciler.js';
import { TenantDirectory } from '../../src/tenancy/tenant-directory.js';
import type { TenantId } from '../../src/tenancy/tenant.js';
import { type Loci, type TestTenant } from '../support/loci.js';
import { lookInto, rowsOf, startHomed, type Homed } from '../support/own-database.js';

// Whole servers, on machines that do something else too.
jest.setTimeout(120_000);

const LEDGER = ['memories', 'embeddings', 'changes', 'relations', 'memory_history'];

async function tenantOf(loci: Loci, { id }: TestTenant) {
  const tenant = await loci.server.app.get(TenantDirectory).tenantById(id as TenantId);
  if (tenant === null) throw new Error(`${id} is not in the directory`);
  return tenant;
}

async function furnish(tenant: TestTenant): Promise<string[]> {
  const ids: string[] = [];
  for (const place of ['quay', 'harbour', 'yard']) {
    const { status, body } = await tenant.post<{ memory_id: string }>('/memory', {
      content: `The crane stands in the ${place}.`,
      session_id: 'cranes',
    });
    if (status !== 201) throw new Error(`Not stored: ${status} ${JSON.stringify(body)}`);
    ids.push(body.memory_id);
  }
  const [memory1_id, memory2_id] = ids;
  await tenant.post('/associate', { memory1_id, memory2_id, type: 'LEADS_TO' });
  await tenant.patch(`/memory/${ids[2]}`, { content: 'The crane was taken down in the yard.' });
  return ids;
}

describe('a placement with a database of its own', () => {
  let homed: Homed;
  let loci: Loci;
  let acme: TestTenant;
  let neighbour: TestTenant;
  let shared: TestTenant;
  let ids: string[];

  beforeAll(async () => {
    homed = await startHomed();
    loci = homed.loci;
    acme = await loci.tenant({ placement: 'acme' });
    neighbour = await loci.tenant({ placement: 'acme' });
    shared = await loci.tenant();
    ids = await furnish(acme);
    await furnish(neighbour);
    await furnish(shared);
  }, 120_000);
  afterAll(() => homed.stop());

  it('keeps there what its tenants store, and in the main database nothing of it', async () => {
    const [here, there] = [await rowsOf(loci.database, acme.id), await rowsOf(homed.own, acme.id)];
    for (const table of LEDGER) {
      expect([table, here[table]]).toEqual([table, 0]);
      expect([table, (there[table] ?? 0) > 0]).toEqual([table, true]);
    }
    // What keys are looked up by stays in the main database; no key, wrapped or not, is in the other.
    expect([here['api_keys'], there['api_keys']]).toEqual([1, 0]);
    await lookInto(homed.own, async (client) => {
      const { rows } = await client.query('SELECT DISTINCT length(wrapped_key) AS key FROM tenants');
      expect(rows).toEqual([{ key: 0 }]);
    });
    expect((await rowsOf(homed.own, shared.id))['memories']).toBe(0);
  });

  it('answers as any other: by id, lists, history, recall with relations', async () => {
    expect((await acme.get(`/memory/${ids[0]}`)).status).toBe(200);
    expect((await acme.get<{ data: object[] }>('/v1/memories')).body.data).toHaveLength(3);
    expect((await acme.get<{ history: object[] }>(`/memory/${ids[2]}/history`)).status).toBe(200);
    const { body } = await acme.get<{ count: number; results: { relations?: object[] }[]; degraded?: [] }>(
      '/recall?query=crane&expand_relations=true',
    );
    expect(body.count).toBe(3);
    expect(body.degraded).toBeUndefined();
    expect(body.results.some(({ relations }) => (relations?.length ?? 0) > 0)).toBe(true);
    expect((await neighbour.get(`/memory/${ids[0]}`)).status).toBe(404);
    expect((await shared.get(`/memory/${ids[0]}`)).status).toBe(404);
  });

  it('is measured, listed, verified and rebuilt by the operator', async () => {
    const { body: stats } = await loci.operator.get(`/admin/tenants/${acme.slug}/stats`);
    expect(stats).toMatchObject({ memory_count: 3, graph_relationships: 1, workspace_count: 1 });
    expect(Number(stats['revision'])).toBeGreaterThanOrEqual(5);
    expect(stats['last_active_at']).not.toBeNull();
    const { body: list } = await loci.operator.get<{ data: object[] }>('/admin/tenants?include_stats=true');
    for (const { slug } of [acme, shared]) {
      const counted: unknown = expect.objectContaining({ memory_count: 3 });
      expect(list.data).toContainEqual(expect.objectContaining({ tenant_id: slug, stats: counted }));
    }
    const rebuilt = await loci.operator.post(`/admin/tenants/${acme.slug}/rebuild`);
    expect(rebuilt.body).toMatchObject({ equal: true, vectors: { in_projection: 3 } });
    expect(await loci.server.app.get(Reconciler).reconcile()).toBe(0);
  });

  it('gives the texts that wait there their vectors', async () => {
    const tenant = await tenantOf(loci, acme);
    const ledger = loci.server.app.get(Ledger);
    const model = tenant.embeddingModel;
    await ledger.write(tenant, WHOLE_TENANT, systemCause('test'), async (tx) => {
      await tx.rows('DELETE FROM embeddings WHERE tenant_id = $1 AND memory_id = $2', [tenant.id, ids[0]]);
      await tx.rows(
        `INSERT INTO pending_vectors (tenant_id, workspace_id, memory_id, part, model) VALUES ($1, $2, $3, 'alone', $4)`,
        [tenant.id, tenant.defaultWorkspace, ids[0], model],
      );
    });
    await loci.server.app.get(VectorBackfill).sweep();
    const counts = await rowsOf(homed.own, acme.id);
    expect(counts['pending_vectors']).toBe(0);
    await lookInto(homed.own, async (client) => {
      const { rows } = await client.query(
        `SELECT part FROM embeddings WHERE tenant_id = $1 AND memory_id = $2 AND part = 'alone'`,
        [acme.id, ids[0]],
      );
      expect(rows).toHaveLength(1);
    });
  });

  it('hears of a workspace at the first thing that is stored in it', async () => {
    const workspace = randomUUID();
    await loci.server.stores.database.asSystem((manager) =>
      manager.query(`INSERT INTO workspaces (tenant_id, id, slug, name) VALUES ($1, $2, 'late', 'Late')`, [
        acme.id,
        workspace,
      ]),
    );
    const stored = await acme.post('/memory', { content: 'The late crane.', workspace_id: 'late' });
    expect(stored.status).toBe(201);
    const { body } = await acme.get('/recall?query=late+crane&workspace_id=late');
    expect(body['count']).toBe(1);
  });

  it('loses a workspace that is deleted with all that lies in it, in both databases', async () => {
    const made = await acme.post<{ id: string }>('/v1/workspaces', { name: 'Passing', slug: 'passing' });
    expect(made.status).toBe(201);
    await acme.post('/memory', { content: 'A passing crane.', workspace_id: 'passing' });
    expect((await acme.get('/recall?query=crane&workspace_id=passing')).body['count']).toBe(1);
    expect((await acme.delete('/v1/workspaces/passing')).status).toBe(200);
    expect((await acme.get('/recall?query=crane&workspace_id=passing')).status).toBe(404);
    for (const database of [loci.database, homed.own]) {
      await lookInto(database, async (client) => {
        for (const table of ['workspaces', 'memories']) {
          const column = table === 'workspaces' ? 'id' : 'workspace_id';
          const { rows } = await client.query(`SELECT FROM ${table} WHERE ${column} = $1`, [made.body.id]);
          expect([table, rows]).toEqual([table, []]);
        }
      });
    }
  });

  it('answers a repeated request from what was kept, also where its process died before it could answer', async () => {
    const send = (key: string) =>
      acme.post('/memory', { content: `Said once: ${key}` }, { 'Idempotency-Key': key });
    const first = await send('again');
    const second = await send('again');
    expect(second.headers.get('Idempotency-Replayed')).toBe('true');
    expect(second.body).toEqual(first.body);
    expect((await acme.post('/memory', { content: 'Another' }, { 'Idempotency-Key': 'again' })).status).toBe(
      409,
    );
    // Nothing of it is left beside the ledger once it was answered.
    expect((await rowsOf(homed.own, acme.id))['idempotency_keys']).toBe(0);

    // As a crash leaves it after the commit: settled beside the ledger, open in the main database.
    await lookInto(loci.database, async (client) => {
      const { rows } = await client.query<Record<string, unknown>>(
        `SELECT tenant_id, route, key_hash, body_hash, status, answer FROM idempotency_keys WHERE tenant_id = $1`,
        [acme.id],
      );
      const [kept] = rows;
      await lookInto(homed.own, (own) =>
        own.query(
          `INSERT INTO idempotency_keys (tenant_id, route, key_hash, body_hash, status, answer) VALUES ($1, $2, $3, $4, $5, $6)`,
          Object.values(kept ?? {}),
        ),
      );
      for (const age of ['1 second', '1 hour']) {
        await client.query(
          `UPDATE idempotency_keys SET status = NULL, answer = NULL, created_at = now() - $2::interval WHERE tenant_id = $1`,
          [acme.id, age],
        );
        const replayed = await send('again');
        expect([replayed.headers.get('Idempotency-Replayed'), replayed.body]).toEqual(['true', first.body]);
      }
    });
    expect((await rowsOf(homed.own, acme.id))['idempotency_keys']).toBe(0);
  });

  it('refuses the writes of a suspended tenant in its own database too', async () => {
    const tenant = await tenantOf(loci, neighbour);
    await loci.operator.post(`/admin/tenants/${neighbour.slug}/suspend`);
    const write = () =>
      loci.server.app.get(Ledger).write(tenant, WHOLE_TENANT, systemCause('test'), () => Promise.resolve());
    await expect(write()).rejects.toMatchObject({ code: 'tenant.suspended' });
    await loci.operator.post(`/admin/tenants/${neighbour.slug}/resume`);
    await write();
  });

  it('survives a restart', async () => {
    await loci.restart();
    expect((await acme.get('/recall?query=crane')).status).toBe(200);
    expect((await acme.get(`/memory/${ids[0]}`)).status).toBe(200);
  });

  it('is purged from both, counted and counted again', async () => {
    const { body } = await loci.operator.delete<{
      verified: boolean;
      stores: { ledger: Record<string, { removed: number; remaining: number }> };
    }>(`/admin/tenants/${neighbour.slug}?purge=true`);
    expect(body.verified).toBe(true);
    expect(body.stores.ledger).toMatchObject({
      memories: { removed: 3, remaining: 0 },
      tenants: { removed: 1, remaining: 0 },
      workspaces: { removed: 1, remaining: 0 },
      api_keys: { removed: 1, remaining: 0 },
    });
    for (const database of [loci.database, homed.own]) {
      const left = Object.entries(await rowsOf(database, neighbour.id)).filter(
        ([table, n]) => n > 0 && !table.startsWith('audit_'),
      );
      expect(left).toEqual([]);
    }
    expect((await acme.get(`/memory/${ids[0]}`)).status).toBe(200);
  });
});
