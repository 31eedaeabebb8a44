import { randomUUID } from 'node:crypto';
import { Loci, type TestTenant } from '../support/loci.js';

interface Node {
  id: string;
  content: string;
}
interface Edge {
  id: string;
  source: string;
  target: string;
  type: string;
  strength: number;
  properties: object;
}
interface Snapshot {
  nodes: Node[];
  edges: Edge[];
  stats: Record<string, unknown>;
}
interface Neighbors {
  center: Node;
  graph_neighbors: Node[];
  semantic_neighbors: (Node & { similarity: number })[];
  edges: Edge[];
}
interface Path {
  found: boolean;
  length: number | null;
  memories: { memory_id: string }[];
  relations: Edge[];
  complete: boolean;
}

describe('the graph of a workspace', () => {
  let loci: Loci;
  let acme: TestTenant;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    loci = await Loci.start();
    acme = await loci.tenant();
    const memories = [
      { content: 'A kitten sleeps on the sofa.', type: 'Habit', importance: 0.9 },
      { content: 'Boats need paint.', type: 'Insight', importance: 0.7, timestamp: '2026-01-02T00:00:00Z' },
      { content: 'Coffee is at nine.', type: 'Habit', importance: 0.6 },
      { content: 'Dinner was late.', type: 'Mood', importance: 0.5 },
      { content: 'A cat sleeps on the couch.', type: 'Habit', importance: 0.2 },
    ];
    const { body } = await acme.post<{ memory_ids: string[] }>('/memory/batch', { memories });
    for (const [at, letter] of [...'ABCDE'].entries()) ids[letter] = body.memory_ids[at] ?? '';
    const associations = [
      { memory1_id: ids['A'], memory2_id: ids['B'], type: 'LEADS_TO', strength: 0.9, reason: 'a whim' },
      { memory1_id: ids['C'], memory2_id: ids['B'], type: 'PART_OF', strength: 0.4 },
      { memory1_id: ids['C'], memory2_id: ids['D'], type: 'CONTRADICTS', strength: 0.8 },
    ];
    expect((await acme.post('/associate', { associations })).status).toBe(201);
  });
  afterAll(() => loci.stop());

  const letters = (nodes: { id: string }[]): string =>
    nodes.map(({ id }) => Object.keys(ids).find((letter) => ids[letter] === id) ?? '?').join('');
  const ends = (edges: Edge[]): string[] =>
    edges.map(({ source, target }) => letters([{ id: source }, { id: target }])).sort();

  describe('as a snapshot', () => {
    const snapshot = async (query = ''): Promise<Snapshot> => {
      const { status, body } = await acme.get<Snapshot>(`/graph/snapshot?${query}`);
      expect(status).toBe(200);
      return body;
    };

    it('shows the most important memories and every relation between them, with what it says', async () => {
      const { nodes, edges, stats } = await snapshot();
      expect(letters(nodes)).toBe('ABCDE');
      expect(ends(edges)).toEqual(['AB', 'CB', 'CD']);
      expect(edges.find(({ type }) => type === 'LEADS_TO')).toMatchObject({
        source: ids['A'],
        target: ids['B'],
        strength: 0.9,
        properties: { reason: 'a whim' },
      });
      expect(stats).toMatchObject({ total_nodes: 5, total_edges: 3, returned_nodes: 5, sampled: false });
    });

    it.each([
      ['limit=2', 'AB', ['AB']],
      ['limit=0', 'ABCDE', ['AB', 'CB', 'CD']],
      ['min_importance=0.6', 'ABC', ['AB', 'CB']],
      ['types=Habit', 'ACE', []],
      ['types=Habit,Mood', 'ACDE', ['CD']],
      ['since=2026-02-01', 'ACDE', ['CD']],
    ])('keeps to %s', async (query, expected, relations) => {
      const { nodes, edges, stats } = await snapshot(query);
      expect(letters(nodes)).toBe(expected);
      expect(ends(edges)).toEqual(relations);
      expect(stats).toMatchObject({ total_nodes: 5, sampled: expected.length < 5 });
    });

    it('cuts what is long', async () => {
      const other = await loci.tenant();
      await other.post('/memory', { content: 'x'.repeat(5_000) });
      const { body } = await other.get<Snapshot>('/graph/snapshot');
      expect(body.nodes.map(({ content }) => content.length)).toEqual([1_000]);
    });
  });

  describe('around one memory', () => {
    const neighbors = async (letter: string, query = ''): Promise<Neighbors> => {
      const { status, body } = await acme.get<Neighbors>(`/graph/neighbors/${ids[letter]}?${query}`);
      expect(status).toBe(200);
      return body;
    };

    it('shows who is related, as deep as asked, and every relation among them', async () => {
      const one = await neighbors('A', 'include_semantic=false');
      expect([one.center.id, letters(one.graph_neighbors), ends(one.edges)]).toEqual([ids['A'], 'B', ['AB']]);
      expect(one.semantic_neighbors).toEqual([]);
      const two = await neighbors('A', 'include_semantic=false&depth=2');
      expect([letters(two.graph_neighbors), ends(two.edges)]).toEqual(['BC', ['AB', 'CB']]);
      expect(letters((await neighbors('A', 'depth=3&min_strength=0.5')).graph_neighbors)).toBe('B');
      expect(letters((await neighbors('C', 'relationship_types=part_of')).graph_neighbors)).toBe('B');
      expect(letters((await neighbors('C', 'limit=1')).graph_neighbors)).toBe('D');
    });

    it('shows who says nearly the same, the most alike first', async () => {
      const { semantic_neighbors: alike } = await neighbors('A', 'semantic_limit=2');
      expect(letters(alike).charAt(0)).toBe('E');
      expect(alike).toHaveLength(2);
      const [first, second] = alike.map(({ similarity }) => similarity);
      expect(first).toBeGreaterThan(second ?? 1);
      expect(first).toBeLessThanOrEqual(1);
    });

    it('is not found where there is none', async () => {
      expect((await acme.get(`/graph/neighbors/${randomUUID()}`)).body['code']).toBe('memory.not_found');
      expect((await acme.get('/graph/neighbors/nobody')).body['code']).toBe('memory.not_found');
    });
  });

  describe('from one memory to another', () => {
    const path = async (from: string, to: string, query = ''): Promise<Path> => {
      const { status, body } = await acme.get<Path>(`/graph/path?from=${ids[from]}&to=${ids[to]}&${query}`);
      expect(status).toBe(200);
      expect(body.complete).toBe(true);
      return body;
    };
    const way = async (from: string, to: string, query = ''): Promise<string | null> => {
      const { found, memories, relations, length } = await path(from, to, query);
      expect(length).toBe(found ? relations.length : null);
      return found ? letters(memories.map(({ memory_id: id }) => ({ id }))) : null;
    };

    it('shows the shortest way, each relation as it was made', async () => {
      expect(await way('A', 'D')).toBe('ABCD');
      expect(await way('D', 'A')).toBe('DCBA');
      expect((await path('A', 'C')).relations).toMatchObject([
        { type: 'LEADS_TO', source: ids['A'], target: ids['B'], properties: { reason: 'a whim' } },
        { type: 'PART_OF', source: ids['C'], target: ids['B'] },
      ]);
      expect(await way('A', 'A')).toBe('A');
    });

    it('keeps to the depth, the types and the strength asked for', async () => {
      expect(await way('A', 'D', 'max_depth=2')).toBeNull();
      expect(await way('A', 'C', 'relationship_types=leads_to,PART_OF')).toBe('ABC');
      expect(await way('A', 'C', 'relationship_types=LEADS_TO')).toBeNull();
      expect(await way('A', 'C', 'min_strength=0.5')).toBeNull();
      expect(await way('A', 'E')).toBeNull();
    });

    it('is refused where one of the two is not there, or is another tenant’s', async () => {
      const other = await loci.tenant();
      const stored = await other.post<{ memory_id: string }>('/memory', { content: 'Elsewhere.' });
      for (const to of [randomUUID(), stored.body.memory_id]) {
        const { status, body } = await acme.get(`/graph/path?from=${ids['A']}&to=${to}`);
        expect([status, body['code']]).toEqual([404, 'memory.not_found']);
      }
      expect((await acme.get(`/graph/path?from=${ids['A']}`)).status).toBe(400);
      expect((await acme.get(`/graph/path?from=${ids['A']}&to=${ids['B']}&max_depth=7`)).status).toBe(400);
    });
  });

  it('in numbers', async () => {
    const { body } = await acme.get<{ recent_activity: { count: number }[] }>('/graph/stats');
    expect(body).toMatchObject({
      totals: { nodes: 5, edges: 3 },
      by_type: { Habit: 3, Insight: 1, Mood: 1 },
      by_relationship: { LEADS_TO: 1, PART_OF: 1, CONTRADICTS: 1 },
      importance_distribution: { high: 1, medium: 3, low: 1 },
    });
    // Midnight may have passed between the first of them and the last.
    expect(body.recent_activity.reduce((sum, { count }) => sum + count, 0)).toBe(4);
  });

  it('gives every type a colour, whatever the tenant calls it', async () => {
    const tenant = await loci.tenant();
    const types = ['Habit', 'constructor', 'toString', 'Mood'];
    await tenant.post('/memory/batch', { memories: types.map((type) => ({ content: type, type })) });
    const { body } = await tenant.get<{ nodes: { color: string }[] }>('/graph/snapshot');
    expect(body.nodes.map(({ color }) => color)).toEqual(types.map(() => expect.stringMatching(/^#/)));
  });

  it('names the types of memories, the tenant’s own too, and those of relations with who makes them', async () => {
    const types = (await acme.get<{ types: string[]; colors: object }>('/v1/graph/types')).body;
    expect(types.types).toEqual(expect.arrayContaining(['Decision', 'Reflective', 'Mood']));
    expect(types.types).toHaveLength(11);
    const { relations, details } = (
      await acme.get<{ relations: string[]; details: { type: string; author: string }[] }>('/graph/relations')
    ).body;
    expect(relations).toHaveLength(14);
    const system = details.filter(({ author }) => author === 'system').map(({ type }) => type);
    expect(system).toEqual(['SIMILAR_TO', 'PRECEDED_BY', 'DISCOVERED']);
  });
});
