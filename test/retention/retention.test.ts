import { DutyRoster } from '../../src/background/duty-roster.js';
import { Schedule } from '../../src/background/schedule.service.js';
import { MemoryRestoring } from '../../src/modules/memory/memory-restoring.service.js';
import { systemCause } from '../../src/ledger/cause.js';
import { Retention, type RetentionReport } from '../../src/modules/retention/retention.service.js';
import { tenantOf } from '../isolation/two-palaces.js';
import { eventually, expectProjected, ledgerRows, revisionOf, spaceOf } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { ledgerOf } from '../support/ledger-state.js';

const DAY_MS = 86_400_000;
const POLICIES = '/v1/tenants/current/retention-policies';

interface Run {
  dry_run: boolean;
  classes: { class: string; days: number | null; count: number; memory_ids: string[] }[];
  erased_count: number;
  complete: boolean;
}

describe('retention by class', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();

  async function store(tenant: TestTenant, memory: Record<string, unknown>): Promise<string> {
    const { status, body } = await tenant.post<{ memory_id: string }>('/memory', memory);
    expect(status).toBe(201);
    return body.memory_id;
  }

  async function keepFor(tenant: TestTenant, policies: Record<string, number>): Promise<void> {
    expect((await tenant.call('PUT', POLICIES, policies)).status).toBe(200);
  }

  const run = async (tenant: TestTenant, dryRun = false): Promise<Run> => {
    const { status, body } = await tenant.post<Run>(`${POLICIES}/run`, { dry_run: dryRun });
    expect(status).toBe(200);
    return body;
  };

  /** As the daily job would some days from now. */
  const runIn = async (tenant: TestTenant, days: number): Promise<RetentionReport> =>
    loci.server.app.get(Retention).run(await tenantOf(loci, tenant), {
      dryRun: false,
      now: new Date(Date.now() + days * DAY_MS),
      cause: systemCause('retention'),
      signal: new AbortController().signal,
    });

  /** Once what was joined anew has its vector. */
  async function expectWhole(tenant: TestTenant): Promise<void> {
    await eventually('every text has its vector, and the indexes know', async () => {
      const waiting = await ledgerRows(loci, tenant, 'SELECT FROM pending_vectors');
      const { revision } = await (await spaceOf(loci, tenant)).vectors.watermark();
      return waiting.length === 0 && revision === (await revisionOf(loci, tenant));
    });
    await expectProjected(loci, tenant);
    const verdict = await loci.operator.post(`/admin/tenants/${tenant.slug}/verify`);
    expect(verdict.body).toMatchObject({ equal: true });
  }

  const restore = (tenant: TestTenant, id: string) => tenant.post(`/memory/${id}/restore`);
  const recalled = async (tenant: TestTenant, query: string): Promise<string[]> => {
    const path = `/recall?state_mode=history&query=${encodeURIComponent(query)}`;
    const { body } = await tenant.get<{ results: { id: string }[] }>(path);
    return body.results.map(({ id }) => id);
  };

  it('lets nothing expire until the tenant says so', async () => {
    const tenant = await loci.tenant();
    const old = await store(tenant, { content: 'The founding of the firm', timestamp: ago(9_000) });
    const { classes } = await run(tenant);
    expect(classes.map(({ class: its, days, count }) => [its, days, count])).toEqual([
      ['episodic', null, 0],
      ['semantic', null, 0],
      ['reflective', null, 0],
    ]);
    expect((await tenant.get(`/memory/${old}`)).status).toBe(200);
  });

  it('takes of each class what is older than that class is kept, a tenant’s own types where its settings put them', async () => {
    const tenant = await loci.tenant();
    const patched = await tenant.patch('/v1/tenants/current', {
      settings: { retention: { classes: { Ticket: 'episodic', habit: 'episodic' } } },
    });
    expect(patched.status).toBe(200);
    await keepFor(tenant, { episodic_memories_days: 30, semantic_memories_days: 400 });
    const order = { timestamp: ago(100) };
    const gone = [
      await store(tenant, { ...order, content: 'We met at noon', type: 'Context' }),
      await store(tenant, { ...order, content: 'The printer was out of ink', type: 'Ticket' }),
      // Types that everybody knows are the same however they are written, in settings as well.
      await store(tenant, { ...order, content: 'She walks to work', type: 'HABIT' }),
      await store(tenant, { content: 'He liked green', type: 'Preference', timestamp: ago(500) }),
      await store(tenant, { content: 'A recipe', type: 'Recipe', timestamp: ago(500) }),
    ];
    const stays = [
      await store(tenant, { ...order, content: 'She likes blue', type: 'Preference' }),
      await store(tenant, {
        content: 'Teams that write things down fare better',
        type: 'Insight',
        timestamp: ago(900),
      }),
      await store(tenant, { content: 'We met just now', type: 'Episodic' }),
    ];
    const { classes, complete } = await run(tenant);
    expect(complete).toBe(true);
    expect(classes.map(({ count }) => count)).toEqual([3, 2, 0]);
    expect(classes.flatMap(({ memory_ids }) => memory_ids).sort()).toEqual([...gone].sort());
    for (const id of gone) expect((await tenant.get(`/memory/${id}`)).status).toBe(404);
    for (const id of stays) expect((await tenant.get(`/memory/${id}`)).status).toBe(200);
    const { body } = await tenant.get<{ data: { action: string; memory_ids?: string[]; detail: unknown }[] }>(
      '/v1/tenants/current/audit?action=retention.delete',
    );
    expect(body.data.map(({ detail }) => detail)).toEqual(
      expect.arrayContaining([
        { class: 'episodic', days: 30 },
        { class: 'semantic', days: 400 },
      ]),
    );
    for (const id of gone) expect(JSON.stringify(body)).toContain(id);
    await expectWhole(tenant);
  });

  it('writes nothing at all in a dry run, and tells what would go', async () => {
    const tenant = await loci.tenant();
    await keepFor(tenant, { episodic_memories_days: 10 });
    const old = await store(tenant, { content: 'Long ago', timestamp: ago(20) });
    const before = await ledgerOf(loci, tenant.id);
    const told = await run(tenant, true);
    expect(told).toMatchObject({ dry_run: true, erased_count: 0 });
    expect(told.classes[0]).toMatchObject({ class: 'episodic', count: 1, memory_ids: [old] });
    expect(await ledgerOf(loci, tenant.id)).toEqual(before);
  });

  describe('what it has deleted', () => {
    async function deleted() {
      const tenant = await loci.tenant();
      await keepFor(tenant, { episodic_memories_days: 30 });
      const session = { session_id: 'talk', tags: ['harbour'] };
      const words = 'The lighthouse keeper counts herons';
      const first = await store(tenant, {
        ...session,
        content: 'Good evening',
        type: 'Semantic',
        timestamp: ago(3),
      });
      const old = await store(tenant, {
        ...session,
        content: 'The lighthouse keeper counts ships',
        metadata: { note: 'kept' },
        source: 'logbook',
        timestamp: ago(90),
      });
      await tenant.patch(`/memory/${old}`, { content: words });
      await tenant.post('/associate', {
        memory1_id: first,
        memory2_id: old,
        type: 'LEADS_TO',
        strength: 0.7,
      });
      await run(tenant);
      return { tenant, first, old, words };
    }

    it('is found nowhere: by id, recall, lists, tags, relations, counts, history, under no index', async () => {
      const { tenant, first, old, words } = await deleted();
      for (const path of [`/memory/${old}`, `/memory/${old}/history`, `/memories/${old}/related`])
        expect((await tenant.get(path)).status).toBe(404);
      expect(await recalled(tenant, words)).not.toContain(old);
      for (const path of [
        '/memories',
        '/memory/by-tag?tags=harbour',
        `/memories/${first}/related`,
        '/recall?limit=50',
      ])
        expect(JSON.stringify((await tenant.get(path)).body)).not.toContain(old);
      const { body } = await tenant.get('/v1/tenants/current/stats');
      expect(body).toMatchObject({ memory_count: 1, graph_relationships: 0 });
      expect((await tenant.patch(`/memory/${old}`, { content: 'Back?' })).status).toBe(404);
      await expectWhole(tenant);
    });

    it('is listed by id alone, with the day until which it can be restored', async () => {
      const { tenant, old } = await deleted();
      const { body } = await tenant.get<{ data: { memory_id: string; restorable_until: string }[] }>(
        '/memories/deleted',
      );
      expect(body.data).toEqual([
        {
          memory_id: old,
          type: 'Context',
          reason: 'retention',
          deleted_at: expect.any(String),
          restorable_until: expect.any(String),
        },
      ]);
      const left = Date.parse(body.data[0]?.restorable_until ?? '') - Date.now();
      expect(left).toBeGreaterThan(29 * DAY_MS);
      const stranger = await loci.tenant();
      expect((await stranger.get<{ data: unknown[] }>('/memories/deleted')).body.data).toEqual([]);
      expect((await restore(stranger, old)).body).toMatchObject({ status: 404, code: 'memory.not_found' });
    });

    it('comes back whole under a new revision: content, history, vector, session, relations; and stays', async () => {
      const { tenant, first, old, words } = await deleted();
      const before = await revisionOf(loci, tenant);
      const { status, body } = await restore(tenant, old);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        memory: { content: words, metadata: { note: 'kept' }, source: 'logbook', session_id: 'talk' },
      });
      expect(await revisionOf(loci, tenant)).toBeGreaterThan(before);
      const told = await fetch(`${loci.url}/stream?follow=false`, {
        headers: { Authorization: `Bearer ${tenant.token}`, 'Last-Event-ID': String(before) },
      });
      const events = await told.text();
      expect(events).toContain('event: memory.created');
      expect(events).toContain('event: relation.created');
      expect(events).toContain(old);
      expect(await recalled(tenant, words)).toContain(old);
      const related = await tenant.get<{ related_memories?: unknown[] }>(`/memories/${first}/related`);
      expect(JSON.stringify(related.body)).toContain(old);
      const history = await tenant.get<{ history: { memory: { content: string } }[] }>(
        `/memory/${old}/history`,
      );
      expect(history.body.history[0]?.memory.content).toBe('The lighthouse keeper counts ships');
      expect((await tenant.get('/v1/tenants/current/stats')).body).toMatchObject({ memory_count: 2 });
      await expectWhole(tenant);
      // It is as young as its restoring.
      expect((await run(tenant)).classes[0]?.count).toBe(0);
      expect((await restore(tenant, old)).status).toBe(200);
    });

    it('is gone for good after thirty days, with content, history and vectors, and the audit says which', async () => {
      const { tenant, old } = await deleted();
      expect((await runIn(tenant, 29)).erased).toBe(0);
      expect((await runIn(tenant, 31)).erased).toBe(1);
      expect((await restore(tenant, old)).status).toBe(404);
      for (const table of ['deleted_memories', 'deleted_relations', 'memory_history'])
        expect(await ledgerRows(loci, tenant, `SELECT FROM ${table}`)).toEqual([]);
      const { body } = await tenant.get('/v1/tenants/current/audit?action=retention.erase');
      expect(JSON.stringify(body)).toContain(old);
    });

    it('is gone at once where a caller deletes it', async () => {
      const { tenant, old } = await deleted();
      expect((await tenant.delete(`/memory/${old}`)).status).toBe(200);
      expect((await tenant.delete(`/memory/${old}`)).status).toBe(404);
      expect((await restore(tenant, old)).status).toBe(404);
      expect(await ledgerRows(loci, tenant, 'SELECT FROM deleted_relations')).toEqual([]);
    });

    it('keeps a relation for the end that comes back last', async () => {
      const { tenant, first, old } = await deleted();
      await keepFor(tenant, { episodic_memories_days: 1, semantic_memories_days: 1 });
      await run(tenant);
      await restore(tenant, old);
      expect(JSON.stringify((await tenant.get(`/memories/${old}/related`)).body)).not.toContain(first);
      await restore(tenant, first);
      expect(JSON.stringify((await tenant.get(`/memories/${old}/related`)).body)).toContain(first);
      await expectWhole(tenant);
    });

    it('counts against no quota, and comes back only where there is room', async () => {
      const { tenant, old } = await deleted();
      await loci.operator.patch(`/admin/tenants/${tenant.slug}`, {
        settings: { quotas: { max_memories: 2 } },
      });
      await store(tenant, { content: 'There is room for one more' });
      expect((await restore(tenant, old)).body).toMatchObject({ code: 'quota.exceeded' });
    });
  });

  it('refuses a class that is none', async () => {
    const tenant = await loci.tenant();
    const { status, body } = await tenant.patch('/v1/tenants/current', {
      settings: { retention: { classes: { Ticket: 'eternal' } } },
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({ errors: [{ location: 'body.settings.retention.classes.Ticket' }] });
  });

  it('is a duty of every day', async () => {
    const tenant = await loci.tenant();
    await keepFor(tenant, { episodic_memories_days: 30 });
    const old = await store(tenant, { content: 'From last spring', timestamp: ago(200) });
    await loci.server.app.get(DutyRoster).bringForward(await tenantOf(loci, tenant), 'retention');
    await loci.server.app.get(Schedule).look();
    expect((await tenant.get(`/memory/${old}`)).status).toBe(404);
    const kept = await loci.server.app
      .get(MemoryRestoring)
      .deleted(await tenantOf(loci, tenant), (await tenantOf(loci, tenant)).defaultWorkspace, 10, null);
    expect(kept.map(({ id }) => id)).toEqual([old]);
  });
});
