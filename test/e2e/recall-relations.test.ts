import { Loci, type TestTenant } from '../support/loci.js';

interface Result {
  id: string;
  score: number;
  score_parts?: Record<string, number>;
  match_type: string;
  state_replaces?: string[];
  memory: { content: string };
  relations?: { type: string; direction: string; memory: { memory_id: string } }[];
}

describe('recall by relations', () => {
  let loci: Loci;
  let acme: TestTenant;
  /** Of the memories of one test, by letter: what it is about follows from the letters alone. */
  let ids: Record<string, string>;

  beforeAll(async () => {
    loci = await Loci.start();
  });
  beforeEach(async () => {
    acme = await loci.tenant();
    ids = {};
  });
  afterAll(() => loci.stop());

  async function remember(memories: Record<string, string | Record<string, unknown>>): Promise<void> {
    const drafts = Object.values(memories).map((of) => (typeof of === 'string' ? { content: of } : of));
    const { status, body } = await acme.post<{ memory_ids: string[] }>('/memory/batch', { memories: drafts });
    expect(status).toBe(201);
    Object.keys(memories).forEach((letter, at) => (ids[letter] = body.memory_ids[at] ?? ''));
  }
  /** `A>B:EVOLVED_INTO:0.9` */
  async function relate(words: string): Promise<void> {
    const associations = words.split(' ').map((word) => {
      const [ends = '', type = 'RELATES_TO', strength = '1'] = word.split(':');
      const [from = '', to = ''] = ends.split('>');
      return { memory1_id: ids[from], memory2_id: ids[to], type, strength: Number(strength) };
    });
    expect((await acme.post('/associate', { associations })).status).toBe(201);
  }
  async function recall(fields: Record<string, unknown>): Promise<Result[]> {
    const { status, body } = await acme.post<{ results: Result[]; degraded?: string[] }>('/recall', fields);
    expect([status, body.degraded]).toEqual([200, undefined]);
    return body.results;
  }
  const letterOf = (id: string): string => Object.keys(ids).find((letter) => ids[letter] === id) ?? '?';
  const letters = (results: { id: string }[]): string => results.map(({ id }) => letterOf(id)).join('');
  const sorted = (text: string): string => [...text].sort().join('');
  const related = (result: Result | undefined): string =>
    (result?.relations ?? []).map(({ memory }) => letterOf(memory.memory_id)).join('');

  describe('what is brought along', () => {
    const question = { query: 'garden gate hinge', expand_relations: true, limit: 2 };
    beforeEach(async () => {
      await remember({
        A: 'The garden gate hinge squeaks.',
        B: 'Oil for the garden gate hinge stands in the shed.',
        T: { content: 'The tax letter came.', importance: 0.9, tags: ['money'] },
        U: { content: 'Uncle Rob repaired the boat.', importance: 0.2 },
        V: { content: 'Violets need water.', importance: 0.6 },
        W: { content: 'Winter tyres are in the cellar.', importance: 0.6 },
      });
      await relate('A>T:LEADS_TO:0.9 A>U:PART_OF:0.8 V>A:RELATES_TO:0.3 W>B:RELATES_TO:0.5');
    });

    it('is of each result the strongest, in either direction', async () => {
      const results = await recall(question);
      expect(sorted(letters(results))).toBe('AB');
      expect(related(results.find(({ id }) => id === ids['A']))).toBe('TUV');
      expect(related(results.find(({ id }) => id === ids['B']))).toBe('W');
    });

    it.each<[string, Record<string, unknown>, string]>([
      ['relation_limit for each result', { relation_limit: 1 }, 'TW'],
      ['expansion_limit over all', { expansion_limit: 2 }, 'TU'],
      ['expand_min_strength', { expand_min_strength: 0.5 }, 'TUW'],
      ['expand_min_importance', { expand_min_importance: 0.6 }, 'TVW'],
      ['both, and the limit counts what is left', { expand_min_importance: 0.6, expansion_limit: 1 }, 'T'],
      ['expand_respect_tags, without tags asked for', { expand_respect_tags: true }, 'TUVW'],
    ])('is limited by %s', async (_name, fields, expected) => {
      const results = await recall({ ...question, ...fields });
      expect(sorted(results.map(related).join(''))).toBe(expected);
    });

    it('has the tags asked for where it is to respect them', async () => {
      await acme.patch(`/memory/${ids['A']}`, { tags: ['money'] });
      const money = { ...question, tags: ['money'] };
      const of = async (fields: object): Promise<string> =>
        related((await recall({ ...money, ...fields })).find(({ id }) => id === ids['A']));
      expect(await of({})).toBe('TUV');
      expect(await of({ expand_respect_tags: true })).toBe('T');
    });

    it('is nothing that was deleted since', async () => {
      await acme.delete(`/memory/${ids['T']}`);
      expect(related((await recall(question)).find(({ id }) => id === ids['A']))).toBe('UV');
    });
  });

  describe('a bridge', () => {
    const question = { query: 'garden gate hinge', expand_relations: true, limit: 3, explain: true };
    beforeEach(() =>
      remember({
        A: 'The garden gate hinge squeaks.',
        B: 'Oil for the garden gate hinge stands in the shed.',
        N: 'The garden has four apple trees.',
        O: 'A gate in the park was painted.',
        X: { content: 'Tuesday is the day of the plumber.', user_id: 'u1' },
        Y: 'Yoghurt is out.',
      }),
    );

    it('joins the results between the two that it connects, and says so', async () => {
      expect(letters(await recall(question))).not.toContain('X');
      await relate('A>X:LEADS_TO:1 X>B:PART_OF:1 A>Y:RELATES_TO:1');
      const results = await recall(question);
      expect(letters(results.slice(0, 3)).charAt(1)).toBe('X');
      expect(sorted(letters(results))).toBe('ABX');
      const bridge = results[1];
      const [first, , third] = results;
      expect(bridge?.match_type).toBe('relation');
      expect(bridge?.score).toBeCloseTo(((first?.score ?? 0) + (third?.score ?? 0)) / 2, 3);
      expect(bridge?.score_parts?.['relation']).toBe(bridge?.score);
      expect(sorted(related(bridge))).toBe('AB');
    });

    it('is none where relations are not asked for, nor without a question', async () => {
      await relate('A>X:LEADS_TO:1 X>B:PART_OF:1');
      expect(letters(await recall({ ...question, expand_relations: false }))).not.toContain('X');
      const listed = await recall({ expand_relations: true, limit: 2, sort: 'oldest' });
      expect(listed.map(({ match_type }) => match_type)).toEqual(['filter', 'filter']);
    });

    it('passes the filter as every result does', async () => {
      await relate('A>X:LEADS_TO:1 X>B:PART_OF:1');
      await acme.patch(`/memory/${ids['A']}`, { user_id: 'u2' });
      await acme.patch(`/memory/${ids['B']}`, { user_id: 'u2' });
      expect(sorted(letters(await recall({ ...question, user_id: 'u2' })))).toBe('AB');
      await acme.patch(`/memory/${ids['X']}`, { user_id: 'u2' });
      expect(sorted(letters(await recall({ ...question, user_id: 'u2' })))).toBe('ABX');
    });

    it('ranks no better for what its relations are too weak to say', async () => {
      await relate('A>X:LEADS_TO:0.2 X>B:PART_OF:0.2');
      expect(letters(await recall({ ...question, expand_min_strength: 0.3 }))).not.toContain('X');
    });
  });

  describe('what was superseded', () => {
    const question = { query: 'where is the office?' };
    const found = async (fields: object = {}): Promise<string> =>
      sorted(letters(await recall({ ...question, ...fields })));

    it('gives way to the head of its chain, by either kind of relation', async () => {
      await remember({
        A: 'The office is in Rome.',
        B: 'The office is in Oslo.',
        C: 'Everybody works from home.',
      });
      await relate('A>B:INVALIDATED_BY B>C:EVOLVED_INTO');
      const results = await recall(question);
      expect(letters(results)).toBe('C');
      expect(sorted((results[0]?.state_replaces ?? []).map(letterOf).join(''))).toBe('AB');
    });

    it('is there where the past is asked for', async () => {
      await remember({ A: 'The office is in Rome.', B: 'The office is in Oslo.' });
      await relate('A>B:INVALIDATED_BY');
      expect(await found({ state_mode: 'history' })).toBe('AB');
      expect(await found()).toBe('B');
    });

    it('makes room for the next best, and the head takes its place', async () => {
      await remember({
        A: 'Where is the office? The office is in Rome.',
        B: 'Everybody works from home.',
        C: 'The office plants need water.',
      });
      await relate('A>B:INVALIDATED_BY');
      expect(letters(await recall({ ...question, limit: 1 }))).toBe('B');
      expect(letters(await recall({ ...question, limit: 2 }))).toBe('BC');
    });

    it('ends in circles, in which nothing is superseded', async () => {
      await remember({
        A: 'The office is in Rome.',
        B: 'The office is in Oslo.',
        C: 'The office is in Bonn.',
      });
      await relate('A>B:INVALIDATED_BY B>A:EVOLVED_INTO C>A:EVOLVED_INTO');
      expect(await found()).toBe('ABC');
    });

    it('gives way to what supersedes it most strongly, where several do', async () => {
      await remember({ A: 'The office is in Rome.', B: 'Oslo it is.', C: 'Bonn it is.' });
      await relate('A>B:INVALIDATED_BY:0.4 A>C:EVOLVED_INTO:0.9');
      const results = await recall(question);
      expect(results.find(({ id }) => id === ids['C'])?.state_replaces).toEqual([ids['A']]);
      expect(letters(results)).not.toContain('A');
    });

    it('leaves nothing in its place where the head is not what was asked for', async () => {
      await remember({
        A: { content: 'The office is in Rome.', tags: ['place'] },
        B: { content: 'The office is in Oslo.', tags: ['rumour'] },
      });
      await relate('A>B:INVALIDATED_BY');
      expect(await found({ tags: ['place'] })).toBe('');
      await acme.patch(`/memory/${ids['B']}`, { tags: ['place'] });
      expect(await found({ tags: ['place'] })).toBe('B');
    });

    it('is back once what superseded it is deleted', async () => {
      await remember({ A: 'The office is in Rome.', B: 'The office is in Oslo.' });
      await relate('A>B:INVALIDATED_BY');
      expect(await found()).toBe('B');
      await acme.delete(`/memory/${ids['B']}`);
      expect(await found()).toBe('A');
    });

    it('is led along a chain as long as chains may be, and no further', async () => {
      const chain = Array.from({ length: 103 }, (_, at): [string, string] => [`m${at}`, `Step ${at}.`]);
      await remember(Object.fromEntries([['A', 'The office is in Rome.'], ...chain]));
      await relate(
        ['A>m0', ...chain.slice(1).map((_, at) => `m${at}>m${at + 1}`)]
          .map((ends) => `${ends}:EVOLVED_INTO`)
          .join(' '),
      );
      const [first] = await recall({ ...question, limit: 1 });
      expect(letterOf(first?.id ?? '')).toBe('m99');
    });
  });
});
