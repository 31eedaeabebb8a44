import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { systemCause } from '../../src/ledger/cause.js';
import { Ledger } from '../../src/ledger/ledger.js';
import { joinedText, openContent, textHash } from '../../src/ledger/sealed-memory.js';
import { MemoryEditorService } from '../../src/modules/memory/memory-editor.service.js';
import { MemoryStoreService } from '../../src/modules/memory/memory-store.service.js';
import type { MemoryDraft, MemoryEdit } from '../../src/modules/memory/memory.js';
import { weave, type ChainLink } from '../../src/modules/memory/session-chain.js';
import { Spaces } from '../../src/spaces/spaces.js';
import type { Tenant } from '../../src/tenancy/principal.js';
import { tenantOf } from '../isolation/two-palaces.js';
import { EmbeddingsEndpoint } from '../models/embeddings-endpoint.js';
import { eventually, expectProjected, ledgerRows } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';

describe('weave', () => {
  const link = fc.record({ timestamp: fc.integer({ min: 0, max: 4 }), known: fc.boolean() });

  it('tells exactly the predecessors that differ from those that sorting gives', () =>
    fc.assert(
      fc.property(fc.array(link, { maxLength: 12 }), (links) => {
        const all = links.map(({ timestamp, known }, i) => ({ id: `m${i}`, timestamp, known, position: i }));
        const chained = (some: typeof all): ChainLink[] =>
          inOrder(some).map((memory, i, sorted) => ({ ...memory, previous: sorted[i - 1]?.id ?? null }));
        const known = chained(all.filter((memory) => memory.known));
        const added = all.filter((memory) => !memory.known).map((memory) => ({ ...memory, previous: null }));
        const after = new Map([...known, ...added].map(({ id, previous }) => [id, previous]));
        const relinks = weave(known, added);
        for (const { id, previous } of relinks) {
          expect(after.get(id)).not.toBe(previous);
          after.set(id, previous);
        }
        expect([...after].sort()).toEqual(
          chained(all)
            .map(({ id, previous }) => [id, previous])
            .sort(),
        );
      }),
      { numRuns: 500 },
    ));
});

describe('a session’s chain in the ledger', () => {
  let endpoint: EmbeddingsEndpoint;
  let loci: Loci;
  let acme: TestTenant;
  let tenant: Tenant;
  let run = 0;
  beforeAll(async () => {
    endpoint = await EmbeddingsEndpoint.start();
    loci = await Loci.start({
      OPENAI_BASE_URL: endpoint.baseUrl,
      OPENAI_API_KEY: 'test',
      EMBEDDING_MODEL: 'words',
    });
    acme = await loci.tenant({ plan_tier: 'enterprise' });
    tenant = await tenantOf(loci, acme);
  });
  afterAll(async () => {
    await loci.stop();
    await endpoint.stop();
  });

  const minute = fc.integer({ min: 0, max: 5 });
  const session = fc.constantFrom('a', 'a', 'b', null);
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('store' as const),
        memories: fc.array(fc.record({ minute, session }), { minLength: 1, maxLength: 5 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('edit' as const),
        which: fc.nat(),
        change: fc.record({ content: fc.constant(true), minute, session }, { requiredKeys: [] }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), which: fc.nat() }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('delete some' as const), tag: fc.constantFrom('odd', 'even') }),
    },
  );

  it('is what sorting would give, with joined texts to match, after any order of stores, edits and deletes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const name = `run ${++run}`;
        const ids: string[] = [];
        for (const one of steps) {
          await perform(one, name, ids);
          await expectChained(name);
        }
      }),
      { numRuns: 60 },
    );
    await eventually(
      'nobody waits for a vector',
      async () => (await ledgerRows(loci, acme, 'SELECT 1 FROM pending_vectors')).length === 0,
    );
    const without = await ledgerRows(
      loci,
      acme,
      `SELECT m.id FROM memories m
       LEFT JOIN embeddings e ON e.memory_id = m.id AND e.part = 'joined' AND e.hash = m.joined_hash
       WHERE m.joined_hash IS NOT NULL AND e.hash IS NULL`,
    );
    expect(without).toEqual([]);
    await loci.server.app.get(Spaces).open(tenant).catchUp();
    await expectProjected(loci, acme);
  }, 120_000);

  const cause = systemCause('test');
  const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1, 10, minutes));
  const nameOf = (name: string, of: string | null | undefined) =>
    of === null || of === undefined ? null : `${name} ${of}`;

  async function perform(one: Step, name: string, ids: string[]): Promise<void> {
    const { app } = loci.server;
    const workspace = tenant.defaultWorkspace;
    if (one.do === 'store') {
      const drafts = one.memories.map((memory, i) =>
        draft({
          timestamp: at(memory.minute),
          session: nameOf(name, memory.session),
          tags: [name, `${name} ${i % 2 === 0 ? 'even' : 'odd'}`],
        }),
      );
      const { outcomes } = await app.get(MemoryStoreService).store(tenant, workspace, drafts, cause);
      ids.push(...outcomes.map(({ id }) => id));
    } else if (one.do === 'delete some') {
      const gone = await app
        .get(MemoryEditorService)
        .removeByTag(tenant, workspace, [`${name} ${one.tag}`], cause);
      ids.splice(0, ids.length, ...ids.filter((id) => !gone.ids.includes(id)));
    } else {
      const id = ids[one.which % ids.length];
      if (id === undefined) return;
      if (one.do === 'delete') {
        await app.get(MemoryEditorService).remove(tenant, workspace, id, cause);
        ids.splice(ids.indexOf(id), 1);
        return;
      }
      const edit: MemoryEdit = {
        ...(one.change.content === undefined ? {} : { content: `said otherwise ${randomUUID()}` }),
        ...(one.change.minute === undefined ? {} : { timestamp: at(one.change.minute) }),
        ...(one.change.session === undefined ? {} : { session: nameOf(name, one.change.session) }),
      };
      await app.get(MemoryEditorService).update(tenant, workspace, id, edit, cause);
    }
  }

  async function expectChained(name: string): Promise<void> {
    const workspace = tenant.defaultWorkspace;
    const rows = await loci.server.app
      .get(Ledger)
      .read(tenant, workspace, (tx) =>
        tx.rows<Row>(
          'SELECT id, session_id, timestamp, position::int AS position, previous_id, content, joined_hash FROM memories WHERE $1 = ANY(tags)',
          [name],
        ),
      );
    const memories = rows.map((row) => ({
      id: row.id,
      session: row.session_id,
      timestamp: row.timestamp.getTime(),
      position: row.position,
      content: openContent(tenant.key, workspace, row.id, row.content),
    }));
    const expected = memories.map((memory) => {
      const ofSession =
        memory.session === null ? [] : inOrder(memories.filter(({ session }) => session === memory.session));
      const before = ofSession[ofSession.findIndex(({ id }) => id === memory.id) - 1];
      return {
        id: memory.id,
        previous: before?.id ?? null,
        joined:
          before === undefined
            ? null
            : textHash(tenant.key, joinedText(before.content, memory.content)).toString('hex'),
      };
    });
    expect(
      rows.map((row) => ({
        id: row.id,
        previous: row.previous_id,
        joined: row.joined_hash?.toString('hex') ?? null,
      })),
    ).toEqual(expected);
  }
});

type Step =
  | { do: 'store'; memories: { minute: number; session: string | null }[] }
  | { do: 'edit'; which: number; change: { content?: true; minute?: number; session?: string | null } }
  | { do: 'delete'; which: number }
  | { do: 'delete some'; tag: string };

interface Row {
  id: string;
  session_id: string | null;
  timestamp: Date;
  position: number;
  previous_id: string | null;
  content: Buffer;
  joined_hash: Buffer | null;
}

function inOrder<M extends { timestamp: number; position: number }>(memories: M[]): M[] {
  return [...memories].sort((a, b) => a.timestamp - b.timestamp || a.position - b.position);
}

function draft(rest: Partial<MemoryDraft>): MemoryDraft {
  return {
    id: null,
    content: `said ${randomUUID()}`,
    type: 'Context',
    typeGiven: true,
    tags: [],
    importance: 0.5,
    confidence: 0.9,
    metadata: {},
    timestamp: new Date(),
    validFrom: null,
    validUntil: null,
    session: null,
    user: null,
    agent: null,
    source: null,
    embedding: null,
    fingerprint: Buffer.alloc(32),
    ...rest,
  };
}
