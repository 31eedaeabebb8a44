import { randomUUID } from 'node:crypto';
import { LEDGER_TABLES } from '../../src/ledger/ledger-tables.js';
import { type TestTenant } from '../support/loci.js';
import { settledIn } from '../support/moved.js';
import { lookInto, rowsOf, startHomed, type Homed } from '../support/own-database.js';
import type { FreshDatabase } from '../support/postgres.js';

// Whole servers, on machines that do something else too.
jest.setTimeout(120_000);

/** What a tenant was told that it has stored: content by id. Null: it was told that it is deleted. */
type Told = Map<string, string | null>;

let homed: Homed;
beforeAll(async () => {
  homed = await startHomed();
}, 120_000);
afterAll(() => homed.stop());

const move = (tenant: TestTenant, placement: string) =>
  homed.loci.operator.post(`/admin/tenants/${tenant.slug}/placement`, { placement });

/** Sends until it is taken: a 503 has to say when to try again. */
async function insist(send: () => ReturnType<TestTenant['call']>) {
  for (const deadline = Date.now() + 30_000; ;) {
    const reply = await send();
    if (reply.status !== 503 || Date.now() > deadline) return reply;
    expect(reply.headers.get('Retry-After')).not.toBeNull();
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

/** Stores, edits, relates and deletes until told to stop, one thing after the other. */
async function busy(tenant: TestTenant, told: Told, name: string, goOn: () => boolean): Promise<void> {
  let last: string | null = null;
  for (let i = 0; goOn(); i++) {
    const id = randomUUID();
    const content = `Lantern ${name} ${i} hangs at the gate.`;
    const stored = await insist(() => tenant.post('/memory', { id, content, session_id: name }));
    expect([200, 201]).toContain(stored.status);
    told.set(id, content);
    if (last !== null) {
      const ends = { memory1_id: last, memory2_id: id, type: 'LEADS_TO' };
      expect((await insist(() => tenant.post('/associate', ends))).status).toBe(201);
    }
    if (i % 3 === 1 && last !== null) {
      const edited = `Lantern ${name} ${i} was taken down.`;
      const path = `/memory/${last}`;
      expect((await insist(() => tenant.patch(path, { content: edited }))).status).toBe(200);
      told.set(last, edited);
    }
    if (i % 5 === 4) {
      expect((await insist(() => tenant.delete(`/memory/${id}`))).status).toBe(200);
      told.set(id, null);
    } else last = id;
    const read = await insist(() => tenant.get(`/memory/${id}`));
    expect([id, read.status]).toEqual([id, told.get(id) === null ? 404 : 200]);
  }
}

async function expectAll(tenant: TestTenant, told: Told): Promise<void> {
  for (const [id, content] of told) {
    const { status, body } = await insist(() => tenant.get(`/memory/${id}`));
    expect([id, status]).toEqual([id, content === null ? 404 : 200]);
    if (content !== null) {
      expect(JSON.stringify(body)).toContain(content);
    }
  }
  const verdict = await homed.loci.operator.post(`/admin/tenants/${tenant.slug}/verify`);
  const kept = [...told.values()].filter((content) => content !== null).length;
  expect(verdict.body).toMatchObject({ equal: true, vectors: { in_ledger: kept, in_projection: kept } });
}

async function emptied(database: FreshDatabase, tenant: TestTenant): Promise<void> {
  let left: [string, number][] = [];
  for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
    left = Object.entries(await rowsOf(database, tenant.id)).filter(
      ([table, n]) => n > 0 && LEDGER_TABLES.includes(table),
    );
    if (left.length === 0) return;
    await new Promise((resume) => setTimeout(resume, 100));
  }
  throw new Error(`Of ${tenant.slug} there is still ${JSON.stringify(left)}`);
}

describe('a tenant that moves to a placement with another database', () => {
  it('reads and writes on meanwhile, loses nothing that was answered, and leaves nothing behind', async () => {
    const { loci, own } = homed;
    const tenant = await loci.tenant();
    const told: Told = new Map();
    let moving = true;
    const writers = ['red', 'green', 'blue'].map((name) =>
      busy(tenant, told, name, () => moving || told.size < 30),
    );
    const waiting = (async () => {
      for (const [placement, left] of [
        ['acme', loci.database],
        ['shared', own],
        ['acme', loci.database],
      ] as const) {
        expect((await move(tenant, placement)).status).toBe(202);
        await settledIn(loci, tenant.slug, placement);
        await emptied(left, tenant);
        await new Promise((resume) => setTimeout(resume, 300));
      }
    })();
    await waiting.finally(() => (moving = false));
    await Promise.all(writers);
    await expectAll(tenant, told);
    await loci.restart();
    await expectAll(tenant, told);
  });

  it('keeps its history, its usage and the answers to repeated requests', async () => {
    const { loci, own } = homed;
    const tenant = await loci.tenant({ placement: 'acme' });
    const send = () =>
      tenant.post<{ memory_id: string }>('/memory', { content: 'Once.' }, { 'Idempotency-Key': 'once' });
    const first = await send();
    await tenant.patch(`/memory/${first.body.memory_id}`, { content: 'Once upon a time.' });
    await move(tenant, 'shared');
    await settledIn(loci, tenant.slug, 'shared');
    await emptied(own, tenant);
    const again = await send();
    expect([again.headers.get('Idempotency-Replayed'), again.body]).toEqual(['true', first.body]);
    const history = await tenant.get(`/memory/${first.body.memory_id}/history`);
    expect(JSON.stringify(history.body)).toContain('Once.');
    await tenant.post('/memory', { content: 'Twice.' });
    const stored = (database: FreshDatabase) =>
      lookInto(database, async (client) => {
        const { rows } = await client.query<{ n: string | null }>(
          `SELECT sum(quantity) AS n FROM usage_counters WHERE tenant_id = $1 AND meter = 'memories_stored'`,
          [tenant.id],
        );
        return Number(rows[0]?.n ?? 0);
      });
    expect([await stored(loci.database), await stored(own)]).toEqual([2, 0]);
  });

  it('is measured on its way', async () => {
    const { loci } = homed;
    const tenant = await loci.tenant();
    for (let i = 0; i < 3; i++) await tenant.post('/memory', { content: `Milestone ${i}.` });
    const { status, body } = await move(tenant, 'acme');
    expect(status).toBe(202);
    expect(body).toMatchObject({ moving_to: 'acme', progress: { revision: 3 } });
    await settledIn(loci, tenant.slug, 'acme');
  });

  it('is purged with all that was copied, wherever it was on its way', async () => {
    const { loci, own } = homed;
    for (const waitMs of [0, 30, 120]) {
      const tenant = await loci.tenant();
      for (let i = 0; i < 5; i++) await tenant.post('/memory', { content: `Passing stone ${i}.` });
      await move(tenant, 'acme');
      await new Promise((resume) => setTimeout(resume, waitMs));
      const receipt = await insist(() => loci.operator.delete(`/admin/tenants/${tenant.slug}?purge=true`));
      expect(receipt.body).toMatchObject({ state: 'purged', verified: true });
      for (const database of [loci.database, own]) await emptied(database, tenant);
    }
  });
});
