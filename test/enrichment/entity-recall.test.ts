import { jest } from '@jest/globals';
import { CandidateGate } from '../../src/modules/memory/candidate-gate.service.js';
import { LedgerCandidates } from '../../src/modules/memory/ledger-candidates.js';
import { QuestionEntities } from '../../src/modules/memory/question-entities.service.js';
import { askedTerms } from '../../src/spaces/asked-terms.js';
import { tenantOf } from '../isolation/two-palaces.js';
import { eventually } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { enriched, stored } from './enriched.js';

interface Result {
  id: string;
  score: number;
  match_type: string;
  score_parts?: Record<string, number>;
  expanded_from_entity?: string;
  expanded_from?: string[];
}
interface Recalled {
  results: Result[];
  count: number;
  entity_expansion?: { enabled: boolean; expanded_count: number; entities_found: string[] };
}
interface Node {
  kind: string;
  id: string;
  content: string;
  type: string;
  importance: number;
}
interface Edge {
  source: string;
  target: string;
  type: string;
}

describe('what memories name', () => {
  let loci: Loci;
  let acme: TestTenant;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    loci = await Loci.start({ LOCI_ENRICHMENT: 'true' });
    acme = await loci.tenant();
    const memories: Record<string, Record<string, unknown>> = {
      meeting: { content: 'Caroline met Melanie at the harbour about the ferry timetable.' },
      berlin: { content: 'Melanie moved to Berlin.', importance: 0.9, tags: ['moves'] },
      work: { content: 'Caroline works with PostgreSQL.', importance: 0.2 },
      wall: { content: 'Berlin once had a wall.' },
      boat: { content: 'Caroline bought a boat.', user_id: 'u', tags: ['boats'] },
      house: { content: 'Caroline sold her house.' },
      nothing: { content: 'Nothing to see here.' },
    };
    for (const [name, memory] of Object.entries(memories)) ids[name] = await stored(acme, memory);
    await enriched(loci, acme);
  });
  afterAll(() => loci.stop());

  const names = (results: { id: string }[]): string[] =>
    results.map(({ id }) => Object.keys(ids).find((name) => ids[name] === id) ?? id);
  const recall = async (more: object = {}): Promise<Recalled> => {
    const question = { query: 'ferry timetable', limit: 1, expand_entities: true, ...more };
    const { status, body } = await acme.post<Recalled>('/recall', question);
    expect(status).toBe(200);
    return body;
  };
  const brought = ({ results }: Recalled): Result[] =>
    results.filter(({ match_type: how }) => how === 'entity');

  describe('in a recall', () => {
    it('brings along, after the results, who names the same: first what the fewest name', async () => {
      const found = await recall();
      // Melanie is named by two, Caroline by four.
      expect(names(found.results).slice(0, 2)).toEqual(['meeting', 'berlin']);
      expect(names(found.results).slice(2).sort()).toEqual(['boat', 'house', 'work']);
      const [meeting, berlin, ...others] = found.results;
      expect(berlin).toMatchObject({
        match_type: 'entity',
        expanded_from_entity: 'Melanie',
        expanded_from: [ids['meeting']],
        score: meeting?.score,
      });
      expect(others.map((one) => [one.expanded_from_entity, one.score])).toEqual(
        others.map(() => ['Caroline', expect.closeTo((meeting?.score ?? 0) / 2, 3)]),
      );
      expect(found.count).toBe(5);
      expect(found.entity_expansion).toMatchObject({ enabled: true, expanded_count: 4 });
      expect(found.entity_expansion?.entities_found.sort()).toEqual(['Caroline', 'Melanie']);
    });

    it('does so where it is asked to, and nowhere else', async () => {
      const found = await recall({ expand_entities: false });
      expect(names(found.results)).toEqual(['meeting']);
      expect(found.entity_expansion).toBeUndefined();
      const none = await recall({ query: 'Nothing to see here.' });
      expect(none.entity_expansion).toEqual({ enabled: true, expanded_count: 0, entities_found: [] });
    });

    it('keeps to so many, and to the importance asked for', async () => {
      expect(names(brought(await recall({ expansion_limit: 1 })))).toEqual(['berlin']);
      expect(names(brought(await recall({ expand_min_importance: 0.9 })))).toEqual(['berlin']);
      expect(names(brought(await recall({ expand_min_importance: 0.3 })))).not.toContain('work');
      expect(names(brought(await recall({ expand_min_importance: 0.91 })))).toEqual([]);
      expect(brought(await recall({ min_score: 0.99 }))).toEqual([]);
    });

    it('keeps to the filters, to the tags only where it is told', async () => {
      const tagged = { query: 'Caroline', tags: ['boats'] };
      expect(names((await recall(tagged)).results).sort()).toEqual(['boat', 'house', 'meeting', 'work']);
      expect(names((await recall({ ...tagged, expand_respect_tags: true })).results)).toEqual(['boat']);
      expect(names(brought(await recall({ exclude_tags: ['moves', 'boats'] }))).sort()).toEqual([
        'house',
        'work',
      ]);
      expect(names((await recall({ query: 'boat', user_id: 'u' })).results)).toEqual(['boat']);
    });

    it('looks in a few reads through many that the filters pass over, however few it is to bring', async () => {
      const tenant = await loci.tenant();
      const memories = Array.from({ length: 130 }, (_, at) => ({
        content: `Melanie counts to ${at}.`,
        type: at < 30 ? 'Decision' : 'Habit',
      }));
      await tenant.post('/memory/batch', { memories });
      await enriched(loci, tenant);
      const examined = jest.spyOn(CandidateGate.prototype, 'examine');
      try {
        const question = { query: 'Melanie', types: ['Decision'], limit: 30, expansion_limit: 1 };
        const { body } = await tenant.post<Recalled>('/recall', { ...question, expand_entities: true });
        expect([body.results.length, body.entity_expansion?.expanded_count]).toEqual([30, 0]);
        expect(examined.mock.calls.length).toBeLessThan(6);
      } finally {
        examined.mockRestore();
      }
    });

    it('follows filters alone, without a question', async () => {
      const { results } = await recall({ query: undefined, tags: ['moves'] });
      expect(results.map(({ match_type: how }) => how)).toEqual(['filter', 'entity', 'entity']);
      expect(names(results.slice(1)).sort()).toEqual(['meeting', 'wall']);
    });

    it('brings nothing of what holds no longer, unless the past is asked for', async () => {
      const tenant = await loci.tenant();
      const asked = await stored(tenant, { content: 'Ferry: Caroline waits at the pier.' });
      const ended = await stored(tenant, { content: 'Caroline is five.', t_invalid: '2020-01-01T00:00:00Z' });
      const old = await stored(tenant, { content: 'Caroline drives a van.' });
      const current = await stored(tenant, { content: 'She drives a truck.' });
      await tenant.post('/associate', { memory1_id: old, memory2_id: current, type: 'EVOLVED_INTO' });
      await enriched(loci, tenant);
      const question = { query: 'ferry pier', limit: 1, expand_entities: true };
      const now = await tenant.post<Recalled>('/recall', question);
      expect(now.body.results.map(({ id }) => id)).toEqual([asked]);
      const { body } = await tenant.post<Recalled>('/recall', { ...question, state_mode: 'history' });
      expect(body.results.map(({ id }) => id).sort()).toEqual([asked, ended, old].sort());
    });

    it('goes into no other workspace, and not by what hundreds name', async () => {
      const tenant = await loci.tenant();
      const { body: sibling } = await tenant.post<{ id: string }>('/v1/workspaces', {
        name: 'S',
        slug: 'sib',
      });
      await stored(tenant, { content: 'Berlin has a new bridge.' });
      await stored(tenant, { content: 'Berlin is theirs.', workspace_id: sibling.id });
      const memories = Array.from({ length: 201 }, (_, at) => ({ content: `Melanie counts to ${at}.` }));
      await tenant.post('/memory/batch', { memories: memories.slice(0, 100) });
      await tenant.post('/memory/batch', { memories: memories.slice(100) });
      await enriched(loci, tenant);
      const asked = async (query: string) =>
        (await tenant.post<Recalled>('/recall', { query, limit: 1, expand_entities: true })).body;
      expect(brought(await asked('new bridge'))).toEqual([]);
      const counting = await asked('counts to 7');
      expect(brought(counting)).toEqual([]);
      expect(counting.entity_expansion?.entities_found).toContain('Melanie');
    });
  });

  describe('in a question', () => {
    const asked = async (tenant: TestTenant, query: string): Promise<Result[]> => {
      const { status, body } = await tenant.post<Recalled>('/recall', { query, limit: 5, explain: true });
      expect(status).toBe(200);
      return body.results;
    };
    const part = ({ score_parts: parts }: Result): number | undefined => parts?.['entity'];

    it('lifts what names the same, under whatever name that does', async () => {
      const tenant = await loci.tenant();
      await stored(tenant, { content: 'Melanie painted a sunrise.' });
      const mel = await stored(tenant, { content: 'Mel has a bicycle.' });
      const ann = await stored(tenant, { content: 'Anna has a bicycle.' });
      await enriched(loci, tenant);
      await tenant.post('/entity/mel/merge', { merge_into: 'melanie' });
      const found = await asked(tenant, 'Has melanie a bicycle?');
      expect(found[0]?.id).toBe(mel);
      expect(found.map((one) => [one.id, part(one)])).toEqual(
        expect.arrayContaining([
          [mel, 1],
          [ann, 0],
        ]),
      );
      // The name that was merged away means the other one, too.
      expect((await asked(tenant, "What is Mel's picture?")).filter((one) => part(one) === 1)).toHaveLength(
        2,
      );
    });

    it('knows one wording of two lines from two wordings', async () => {
      const tenant = await loci.tenant();
      await stored(tenant, { content: 'Anna moved to New York.' });
      await enriched(loci, tenant);
      const owner = await tenantOf(loci, tenant);
      const named = (...wordings: string[]) =>
        loci.server.app.get(QuestionEntities).of(owner, owner.defaultWorkspace, wordings, new Set());
      expect(await named('New', 'York')).toEqual([]);
      expect(await named('New\nYork')).toEqual([expect.stringMatching(/^entity:places:/)]);
    });

    it('finds a day by its date, however the memory says it', async () => {
      const tenant = await loci.tenant();
      const timestamp = '2023-05-08T12:00:00Z';
      const day = await stored(tenant, { content: 'Yesterday the shelves were painted.', timestamp });
      await stored(tenant, { content: 'Today the shelves were painted.', timestamp });
      await enriched(loci, tenant);
      const found = await asked(tenant, 'Which shelves were painted on 7 May 2023?');
      expect([found[0]?.id, found.map(part)]).toEqual([day, [1, 0]]);
    });

    it('proposes what names it where hundreds of others are nearer by their words', async () => {
      const tenant = await loci.tenant();
      const mel = await stored(tenant, { content: 'Mel keeps bees.' });
      await stored(tenant, { content: 'Melanie is here.' });
      const others = Array.from({ length: 240 }, (_, at) => ({
        content: `The quarterly report number ${at} about quarterly numbers is late.`,
      }));
      for (let at = 0; at < 240; at += 80) {
        await tenant.post('/memory/batch', { memories: others.slice(at, at + 80) });
      }
      await enriched(loci, tenant);
      const question = 'late quarterly report about quarterly numbers and Melanie';
      const weights = { weights: { entity: 10 } };
      await tenant.patch('/v1/tenants/current', { settings: { recall: weights } });
      const ids = async () => (await asked(tenant, question)).map(({ id }) => id);
      expect(await ids()).not.toContain(mel);
      await tenant.post('/entity/mel/merge', { merge_into: 'melanie' });
      // It may have been asked a moment ago.
      await eventually('the merged name is known', async () => (await ids()).includes(mel));
      // Where the vectors are away the ledger proposes it, though it is older than all that may be opened.
      const owner = await tenantOf(loci, tenant);
      const { defaultWorkspace: workspace } = owner;
      const named = loci.server.app.get(QuestionEntities);
      const entities = await named.of(owner, workspace, [question], new Set());
      const query = { wording: question, words: askedTerms(question), filter: {}, marks: entities, entities };
      const { candidates } = await loci.server.app.get(LedgerCandidates).propose(owner, workspace, query);
      expect(candidates.find(({ id }) => id === mel)?.marks).toEqual(entities);
      expect(entities).toEqual([expect.stringMatching(/^entity:people:[0-9a-f]{32}$/)]);
    });

    it('is nobody of another workspace', async () => {
      const tenant = await loci.tenant();
      const { body: sibling } = await tenant.post<{ id: string }>('/v1/workspaces', {
        name: 'S',
        slug: 'sib',
      });
      await stored(tenant, { content: 'Berlin has a bridge.', workspace_id: sibling.id });
      await stored(tenant, { content: 'There is a bridge.' });
      await enriched(loci, tenant);
      expect((await asked(tenant, 'Has Berlin a bridge?')).map(part)).toEqual([undefined]);
    });
  });

  describe('in a drawing', () => {
    it('is a node of its own where that is asked for, with an edge from each memory', async () => {
      const { body } = await acme.get<{ nodes: Node[]; edges: Edge[]; stats: Record<string, number> }>(
        '/graph/snapshot?entities=true',
      );
      const entities = body.nodes.filter(({ kind }) => kind === 'entity');
      expect(entities[0]).toMatchObject({ content: 'Caroline', importance: 1 });
      expect(entities.map(({ id, content, type }) => `${id} ${content} ${type}`).sort()).toEqual([
        'entity:people:caroline Caroline people',
        'entity:people:melanie Melanie people',
        'entity:places:berlin Berlin places',
        'entity:tools:postgresql PostgreSQL tools',
      ]);
      const mentions = body.edges.filter(({ type }) => type === 'MENTIONS');
      expect(mentions).toHaveLength(9);
      expect(mentions).toContainEqual(
        expect.objectContaining({ source: ids['wall'], target: 'entity:places:berlin' }),
      );
      expect(body.stats).toMatchObject({ total_nodes: 7, returned_nodes: 7, returned_entities: 4 });
      const plain = await acme.get<{ nodes: Node[]; edges: Edge[] }>('/graph/snapshot');
      expect(plain.body.nodes.map(({ kind }) => kind)).toEqual(Array(7).fill('memory'));
      expect(plain.body.edges.filter(({ type }) => type === 'MENTIONS')).toEqual([]);
    });

    it('leads from one memory to those that name the same', async () => {
      const path = `/graph/neighbors/${ids['berlin']}?include_semantic=false`;
      const { body } = await acme.get<{ entity_neighbors: Node[]; entities: Node[]; edges: Edge[] }>(
        `${path}&entities=true`,
      );
      expect(names(body.entity_neighbors).sort()).toEqual(['meeting', 'wall']);
      expect(body.entities.map(({ content }) => content).sort()).toEqual(['Berlin', 'Caroline', 'Melanie']);
      const mentions = body.edges.filter(({ type }) => type === 'MENTIONS');
      expect(names(mentions.map(({ source: id }) => ({ id }))).sort()).toEqual([
        ...['berlin', 'berlin', 'meeting', 'meeting', 'wall'],
      ]);
      expect((await acme.get(path)).body).not.toHaveProperty('entities');
    });

    it('is counted apart', async () => {
      expect((await acme.get('/graph/stats')).body).toMatchObject({
        totals: { nodes: 7, entities: 4, mentions: 9 },
        by_entity: { people: 2, places: 1, tools: 1 },
      });
    });
  });
});
