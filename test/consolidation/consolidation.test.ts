import { randomUUID } from 'node:crypto';
import { DutyRoster } from '../../src/background/duty-roster.js';
import { Schedule } from '../../src/background/schedule.service.js';
import { systemCause } from '../../src/ledger/cause.js';
import { Ledger } from '../../src/ledger/ledger.js';
import { relateMemories } from '../../src/modules/memory/relation-rows.js';
import type { WorkspaceId } from '../../src/tenancy/tenant.js';
import { EventReader } from '../events/event-reader.js';
import { asSuperuser, tenantOf } from '../isolation/two-palaces.js';
import {
  eventually,
  expectProjected,
  ledgerRows,
  revisionOf,
  someVector,
  spaceOf,
} from '../spaces/rules/projected.js';
import { ledgerOf } from '../support/ledger-state.js';
import { DescribedCaller, Description } from '../support/described.js';
import { Loci, type TestTenant } from '../support/loci.js';

const DAY_MS = 86_400_000;

interface Consolidated {
  status: string;
  run_id: string;
  consolidation: { success: boolean; dry_run: boolean; steps: Record<string, Record<string, unknown>> };
}
interface Related {
  type: string;
  direction: string;
  strength: number;
  attributes: Record<string, unknown>;
  memory: { memory_id: string };
}

describe('consolidation', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();

  /** A vector at a cosine from another. */
  function near(base: readonly number[], cosine: number): number[] {
    const other = someVector();
    const along = other.reduce((sum, x, n) => sum + x * (base[n] ?? 0), 0);
    const across = other.map((x, n) => x - along * (base[n] ?? 0));
    const length = Math.hypot(...across);
    const rest = Math.sqrt(1 - cosine * cosine);
    return base.map((x, n) => cosine * x + (rest * (across[n] ?? 0)) / length);
  }

  async function store(tenant: TestTenant, memory: Record<string, unknown>): Promise<string> {
    const { status, body } = await tenant.post<{ memory_id: string }>('/memory', {
      embedding: someVector(),
      ...memory,
    });
    expect(status).toBe(201);
    return body.memory_id;
  }

  async function consolidate(tenant: TestTenant, mode: string, dryRun = false) {
    const { status, body } = await tenant.post<Consolidated>('/consolidate', { mode, dry_run: dryRun });
    expect([status, body.status]).toEqual([200, 'success']);
    expect(body.consolidation).toMatchObject({ mode, dry_run: dryRun, success: true });
    return body.consolidation.steps;
  }

  const set = async (tenant: TestTenant, consolidation: Record<string, unknown>) =>
    expect((await tenant.patch('/v1/tenants/current', { settings: { consolidation } })).status).toBe(200);

  const related = async (tenant: TestTenant, id: string): Promise<Related[]> => {
    const query = `/recall?state_mode=history&expand_relations=true&limit=100`;
    const { body } = await tenant.get<{ results: { id: string; relations: Related[] }[] }>(query);
    return body.results.find((result) => result.id === id)?.relations ?? [];
  };
  const ids = async (tenant: TestTenant, query: string): Promise<string[]> => {
    const { body } = await tenant.get<{ results: { id: string }[] }>(`/recall?limit=100&${query}`);
    return body.results.map(({ id }) => id);
  };
  const actions = async (tenant: TestTenant, action: string): Promise<string> =>
    JSON.stringify((await tenant.get(`/v1/tenants/current/audit?action=${action}`)).body);

  async function whole(tenant: TestTenant): Promise<void> {
    await eventually('the indexes know everything', async () => {
      const { revision } = await (await spaceOf(loci, tenant)).vectors.watermark();
      return revision === (await revisionOf(loci, tenant));
    });
    await expectProjected(loci, tenant);
    const verdict = await loci.operator.post(`/admin/tenants/${tenant.slug}/verify`);
    expect(verdict.body).toMatchObject({ equal: true });
  }

  /** Memories of every kind, of which each step has something to do. */
  async function furnished() {
    const tenant = await loci.tenant();
    const middle = someVector();
    const cluster: string[] = [];
    for (const words of [
      'Deploys fail on Fridays',
      'Friday deploys failed again',
      'Another failed Friday deploy',
    ])
      cluster.push(
        await store(tenant, {
          content: words,
          tags: ['deploys'],
          embedding: near(middle, 0.97),
          timestamp: ago(2),
        }),
      );
    const theme = someVector();
    const insight = await store(tenant, {
      content: 'Tests save evenings',
      type: 'Insight',
      embedding: theme,
    });
    const pattern = await store(tenant, {
      content: 'Late fixes',
      type: 'Pattern',
      embedding: near(theme, 0.6),
    });
    const faded = await store(tenant, { content: 'Lunch was at one', importance: 0.1, timestamp: ago(400) });
    return { tenant, middle, cluster, insight, pattern, faded };
  }

  it('changes nothing at all in a dry run, and tells what would happen', async () => {
    const { tenant, faded, cluster } = await furnished();
    await whole(tenant);
    const before = await ledgerOf(loci, tenant.id);
    const steps = await consolidate(tenant, 'full', true);
    expect(await ledgerOf(loci, tenant.id)).toEqual(before);
    expect(Object.keys(steps)).toEqual(['decay', 'creative', 'cluster', 'forget']);
    expect(steps['decay']).toMatchObject({ processed: 6, updated: 6 });
    expect(steps['creative']).toMatchObject({ discovered: 1, created: 0 });
    expect(steps['cluster']).toMatchObject({
      clusters_found: 1,
      clusters: [{ memory_ids: [...cluster].sort() }],
    });
    expect(steps['forget']).toMatchObject({ archived: 1, archived_ids: [faded], deleted: 0 });
    const unasked = await tenant.post<Consolidated>('/consolidate');
    expect(unasked.body.consolidation.dry_run).toBe(true);
  });

  it('finds how relevant each memory is, with no revision, no history and no audit', async () => {
    const { tenant, faded, insight } = await furnished();
    await whole(tenant);
    const { memory_stats: _before, ...before } = await ledgerOf(loci, tenant.id);
    await consolidate(tenant, 'decay');
    const { memory_stats: _after, ...after } = await ledgerOf(loci, tenant.id);
    expect(after).toEqual(before);
    const rows = await ledgerRows(loci, tenant, 'SELECT memory_id, relevance FROM memory_stats');
    const relevance = new Map(rows.map((row) => [row['memory_id'], Number(row['relevance'])]));
    expect(relevance.size).toBe(6);
    expect(relevance.get(faded)).toBeLessThan(0.1);
    expect(relevance.get(insight)).toBeGreaterThan(0.5);
    expect(await consolidate(tenant, 'decay')).toMatchObject({ decay: { processed: 6, updated: 0 } });
  });

  it('relates what has more to do with each other than it says, says how and how surely, and undoes it with either end', async () => {
    const { tenant, insight, pattern } = await furnished();
    expect(await consolidate(tenant, 'creative')).toMatchObject({ creative: { discovered: 1, created: 1 } });
    const found = (await related(tenant, insight)).filter(({ type }) => type === 'DISCOVERED');
    expect(found).toMatchObject([
      {
        attributes: { kind: 'explains', confidence: 0.7, reason: 'consolidation' },
        memory: { memory_id: pattern },
      },
    ]);
    expect(await consolidate(tenant, 'creative')).toMatchObject({ creative: { discovered: 0 } });
    const order = { memory1_id: insight, memory2_id: pattern, type: 'DISCOVERED', strength: 1 };
    expect((await tenant.post('/associate', order)).body).toMatchObject({ code: 'relation.reserved' });
    await tenant.delete(`/memory/${pattern}`);
    expect(await related(tenant, insight)).toEqual([]);
    await whole(tenant);
  });

  describe('a cluster', () => {
    const patterns = async (tenant: TestTenant) => {
      const { body } = await tenant.get<{ memories: { memory_id: string; content: string }[] }>(
        '/memory/by-tag?tags=meta-pattern',
      );
      return body.memories;
    };

    it('comes to one meta-pattern, marked as derived, of which its members are examples', async () => {
      const { tenant, cluster } = await furnished();
      expect(await consolidate(tenant, 'cluster')).toMatchObject({ cluster: { meta_patterns_created: 1 } });
      const [meta, ...others] = await patterns(tenant);
      expect(others).toEqual([]);
      expect(meta).toMatchObject({
        type: 'Pattern',
        tags: ['meta-pattern', 'deploys'],
        metadata: { derived: true, derived_by: 'consolidation', cluster_size: 3, dominant_type: 'Context' },
        content: expect.stringMatching(/^Pattern: .*(friday|deploy)/),
      });
      const examples = await related(tenant, meta?.memory_id ?? '');
      expect(examples.map(({ type, memory }) => [type, memory.memory_id]).sort()).toEqual(
        [...cluster].sort().map((id) => ['EXEMPLIFIES', id]),
      );
      await whole(tenant);
    });

    it('is found by the relations that enrichment has made, too', async () => {
      const tenant = await loci.tenant();
      const apart: string[] = [];
      for (const content of ['One', 'Two', 'Three']) apart.push(await store(tenant, { content }));
      const [one = '', two = '', three = ''] = apart;
      await loci.server.app
        .get(Ledger)
        .write(await tenantOf(loci, tenant), tenant.workspaceId as WorkspaceId, systemCause('test'), (tx) =>
          relateMemories(
            tx,
            tenant.workspaceId as WorkspaceId,
            [
              [one, two],
              [three, two],
            ].map(([from = '', to = '']) => ({
              from,
              to,
              type: 'SIMILAR_TO',
              strength: 0.9,
              attributes: {},
            })),
          ),
        );
      const { cluster } = await consolidate(tenant, 'cluster', true);
      expect(cluster).toMatchObject({ linked: 2, clusters: [{ memory_ids: [...apart].sort() }] });
    });

    it('keeps its meta-pattern when it is found again, and renews it when it has grown', async () => {
      const { tenant, middle } = await furnished();
      await consolidate(tenant, 'cluster');
      const [first] = await patterns(tenant);
      expect(await consolidate(tenant, 'cluster')).toMatchObject({ cluster: { meta_patterns_unchanged: 1 } });
      const order = {
        content: 'Friday deploys are a bad idea',
        tags: ['deploys'],
        embedding: near(middle, 0.99),
      };
      await store(tenant, order);
      expect(await consolidate(tenant, 'cluster')).toMatchObject({
        cluster: { meta_patterns_created: 0, meta_patterns_updated: 1 },
      });
      const [renewed, ...others] = await patterns(tenant);
      expect([renewed?.memory_id, others]).toEqual([first?.memory_id, []]);
      expect(renewed).toMatchObject({
        metadata: { cluster_size: 4 },
        content: expect.stringContaining('4 memories'),
      });
      await whole(tenant);
    });

    it.each([
      ['deleted', (tenant: TestTenant, id: string) => tenant.delete(`/memory/${id}`)],
      [
        'edited',
        (tenant: TestTenant, id: string) => tenant.patch(`/memory/${id}`, { content: 'Something else' }),
      ],
    ])('takes its meta-pattern along when a memory that it quotes is %s', async (_how, change) => {
      const { tenant, cluster } = await furnished();
      await consolidate(tenant, 'cluster');
      const [meta] = await patterns(tenant);
      expect((await change(tenant, cluster[0] ?? '')).status).toBe(200);
      expect(await patterns(tenant)).toEqual([]);
      expect((await tenant.get(`/memory/${meta?.memory_id ?? ''}`)).status).toBe(404);
      expect((await tenant.get(`/memory/${cluster[1] ?? ''}`)).status).toBe(200);
      await whole(tenant);
    });
  });

  describe('forgetting', () => {
    const old = { importance: 0.1, timestamp: ago(400) };

    it('archives what has faded, and nothing that is protected by type, age, importance or a flag', async () => {
      const tenant = await loci.tenant({
        settings: { consolidation: { protected_types: ['decision'] } },
      });
      const faded = await store(tenant, { ...old, content: 'The bus was late' });
      const kept = [
        await store(tenant, { ...old, content: 'We use Postgres', type: 'Decision' }),
        await store(tenant, {
          ...old,
          content: 'A recent trifle',
          importance: 0,
          confidence: 0,
          timestamp: ago(80),
        }),
        await store(tenant, { ...old, content: 'It matters', importance: 0.7 }),
        await store(tenant, { ...old, content: 'Flagged in metadata', metadata: { protected: true } }),
        await store(tenant, { ...old, content: 'Flagged by a tag', tags: ['Protected'] }),
      ];
      const { forget } = await consolidate(tenant, 'forget');
      expect(forget).toMatchObject({ examined: 6, archived_ids: [faded], protected: { type: 1, flag: 2 } });
      expect(await actions(tenant, 'consolidation.archive')).toContain(faded);
      expect((await ids(tenant, '')).sort()).toEqual([...kept].sort());
      expect(await ids(tenant, 'query=bus')).not.toContain(faded);
      expect(await ids(tenant, 'state_mode=history&query=bus')).toContain(faded);
      const { body } = await tenant.get(`/memory/${faded}`);
      expect(body).toMatchObject({ memory: { archived_at: expect.any(String), t_invalid: null } });
      await whole(tenant);
    });

    it('is undone by restoring, and leaves alone for a while what was restored', async () => {
      const tenant = await loci.tenant();
      const faded = await store(tenant, { ...old, content: 'The ferry leaves at nine' });
      const stream = await EventReader.open(loci.url, tenant.token);
      const told = async () => (await stream.next('memory.updated')).data['memory'];
      await stream.next('ready');
      await consolidate(tenant, 'forget');
      expect(await told()).toMatchObject({ memory_id: faded, archived_at: expect.any(String) });
      expect(await ids(tenant, 'query=ferry')).toEqual([]);
      expect((await tenant.post(`/memory/${faded}/restore`)).status).toBe(200);
      const back = await told();
      stream.close();
      expect(back).toMatchObject({ memory_id: faded });
      expect(back).not.toHaveProperty('archived_at');
      expect(await ids(tenant, 'query=ferry')).toEqual([faded]);
      expect(await consolidate(tenant, 'forget')).toMatchObject({ forget: { archived: 0 } });
      await whole(tenant);
    });

    it('deletes what has been archived for long: softly, on record, and it can be restored', async () => {
      const tenant = await loci.tenant();
      await set(tenant, { delete_after_days: 0 });
      const faded = await store(tenant, { ...old, content: 'The ferry leaves at nine' });
      expect(await consolidate(tenant, 'forget')).toMatchObject({ forget: { archived: 1, deleted: 0 } });
      expect(await consolidate(tenant, 'forget', true)).toMatchObject({ forget: { deleted_ids: [faded] } });
      expect(await consolidate(tenant, 'forget')).toMatchObject({ forget: { archived: 0, deleted: 1 } });
      expect((await tenant.get(`/memory/${faded}`)).status).toBe(404);
      expect(await ids(tenant, 'state_mode=history&query=ferry')).toEqual([]);
      expect(await actions(tenant, 'consolidation.delete')).toContain(faded);
      expect((await tenant.get('/memories/deleted')).body).toMatchObject({
        data: [{ memory_id: faded, reason: 'forgetting' }],
      });
      expect((await tenant.post(`/memory/${faded}/restore`)).status).toBe(200);
      expect(await ids(tenant, 'query=ferry')).toEqual([faded]);
      await whole(tenant);
    });

    it('goes by the tenant’s own thresholds, which are checked', async () => {
      const tenant = await loci.tenant();
      await store(tenant, { content: 'Not so old', importance: 0.1, timestamp: ago(20) });
      expect(await consolidate(tenant, 'forget')).toMatchObject({ forget: { archived: 0 } });
      await set(tenant, { grace_days: 10, archive_threshold: 0.5 });
      expect(await consolidate(tenant, 'forget')).toMatchObject({ forget: { archived: 1 } });
      const bad = { archive_threshold: 2, protected_types: 'Decision', forgets: true };
      const { status, body } = await tenant.patch('/v1/tenants/current', {
        settings: { consolidation: bad },
      });
      expect(status).toBe(400);
      expect(body).toMatchObject({
        errors: Object.keys(bad).map((name) => ({ location: `body.settings.consolidation.${name}` })),
      });
    });
  });

  it('answers as it is described, at the root and under /v1', async () => {
    const { tenant, faded } = await furnished();
    await set(tenant, { delete_after_days: 0 });
    await consolidate(tenant, 'forget');
    await consolidate(tenant, 'forget');
    const description = await Description.of(loci);
    const caller = new DescribedCaller(() => loci.url, tenant.token, description);
    for (const root of ['', '/v1']) {
      await caller.post(`${root}/consolidate`, { mode: 'full', dry_run: true });
      await caller.post(`${root}/consolidate`, { mode: 'forgetful' });
      await caller.get(`${root}/consolidate/status`);
      await caller.get(`${root}/memories/deleted`);
      await caller.post(`${root}/memory/${faded}/restore`);
    }
    const aged = /\/(?:consolidate|memories\/deleted|restore)(?:\/|$)/;
    const operations = description
      .operations()
      .filter((name) => aged.test(name) && !name.includes(' /admin'));
    expect(operations.length).toBeGreaterThanOrEqual(8);
    expect(description.unseen(operations.filter((name) => !name.includes('/tenants')))).toEqual([]);
  });

  describe('its runs', () => {
    const begin = (tenant: TestTenant, leased: string) =>
      asSuperuser(loci, (client) =>
        client.query(
          `INSERT INTO consolidation_runs (tenant_id, workspace_id, id, mode, dry_run, actor, state, leased_until)
           VALUES ($1, $2, $3, 'full', false, 'another replica', 'running', now() + $4::interval)`,
          [tenant.id, tenant.workspaceId, randomUUID(), leased],
        ),
      );

    it('are one at a time for a tenant, wherever they run; a replica that fell silent has lost its turn', async () => {
      const [busy, silent, other] = [await loci.tenant(), await loci.tenant(), await loci.tenant()];
      await begin(busy, '1 minute');
      await begin(silent, '-1 second');
      expect((await busy.post('/consolidate', { mode: 'decay' })).body).toMatchObject({
        status: 409,
        code: 'consolidation.running',
      });
      await consolidate(silent, 'decay');
      await consolidate(other, 'decay');
      const { body } = await silent.get<{ running: boolean; history: { state: string }[] }>(
        '/consolidate/status',
      );
      expect(body.running).toBe(false);
      expect(body.history.map(({ state }) => state)).toEqual(['succeeded', 'failed']);
    });

    it('are told to their own tenant', async () => {
      const [one, other] = [await loci.tenant(), await loci.tenant()];
      await store(one, { content: 'Something' });
      await consolidate(one, 'decay');
      expect((await one.get('/consolidate/status')).body).toMatchObject({
        status: 'success',
        history: [
          {
            mode: 'decay',
            dry_run: false,
            state: 'succeeded',
            result: { steps: { decay: { processed: 1 } } },
          },
        ],
      });
      expect((await other.get('/consolidate/status')).body).toMatchObject({ history: [] });
    });

    it('come by schedule, in every workspace, unless the tenant has turned that off', async () => {
      const [on, off] = [await loci.tenant(), await loci.tenant()];
      await set(off, { enabled: false });
      for (const tenant of [on, off]) {
        await store(tenant, { content: 'Something', importance: 0.1, timestamp: ago(400) });
        for (const step of ['decay', 'forget'])
          await loci.server.app
            .get(DutyRoster)
            .bringForward(await tenantOf(loci, tenant), `consolidation.${step}`);
      }
      await loci.server.app.get(Schedule).look();
      const looked = (tenant: TestTenant) =>
        ledgerRows(loci, tenant, 'SELECT FROM memory_stats WHERE relevance IS NOT NULL');
      expect([(await looked(on)).length, (await looked(off)).length]).toEqual([1, 0]);
      // Forgetting is by schedule only where it is asked for.
      expect(await ledgerRows(loci, on, 'SELECT FROM memories WHERE archived_at IS NOT NULL')).toEqual([]);
      const { body } = await on.get<{ next_runs: Record<string, string | null> }>('/consolidate/status');
      expect(body.next_runs).toMatchObject({ decay: expect.any(String), forget: null });
      await set(on, { forget: true });
      await loci.server.app.get(DutyRoster).bringForward(await tenantOf(loci, on), 'consolidation.forget');
      await loci.server.app.get(Schedule).look();
      expect(await ledgerRows(loci, on, 'SELECT FROM memories WHERE archived_at IS NOT NULL')).toHaveLength(
        1,
      );
    });
  });
});
