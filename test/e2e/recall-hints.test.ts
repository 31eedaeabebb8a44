import { randomUUID } from 'node:crypto';
import { Description, DescribedCaller } from '../support/described.js';
import { Loci, type TestTenant } from '../support/loci.js';

interface Result {
  id: string;
  score: number;
  score_parts?: Record<string, number>;
  match_type: string;
  outside_tag_scope?: boolean;
  state_replaces?: string[];
  memory: { content: string };
}
interface Recalled {
  results: Result[];
  queries?: string[];
  state_filter?: Record<string, unknown>;
}
type Draft = string | Record<string, unknown>;

/** What a caller says beside its question. */
describe('recall with hints', () => {
  let loci: Loci;
  let tenant: TestTenant;
  let acme: DescribedCaller;
  /** By letter. */
  let ids: Record<string, string>;

  beforeAll(async () => {
    loci = await Loci.start();
  });
  beforeEach(async () => {
    tenant = await loci.tenant();
    acme = new DescribedCaller(() => loci.url, tenant.token, await Description.of(loci));
    ids = {};
  });
  afterAll(() => loci.stop());

  async function remember(memories: Record<string, Draft>): Promise<void> {
    const drafts = Object.values(memories).map((of) => (typeof of === 'string' ? { content: of } : of));
    const { status, body } = await acme.post<{ memory_ids: string[] }>('/memory/batch', { memories: drafts });
    expect(status).toBe(201);
    Object.keys(memories).forEach((letter, at) => (ids[letter] = body.memory_ids[at] ?? ''));
  }
  /** By GET and by POST, which must agree. Lists go into a query with commas. */
  async function recall(fields: Record<string, unknown>): Promise<Recalled> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(fields))
      for (const one of name === 'queries' ? (value as string[]) : [[value].flat().join(',')])
        query.append(name, one);
    const asked = await acme.get<Recalled & { degraded?: string[] }>(`/recall?${query.toString()}`);
    const posted = await acme.post<Recalled>('/recall', fields);
    expect([asked.status, posted.status, asked.body.degraded]).toEqual([200, 200, undefined]);
    expect(asked.body.results).toEqual(posted.body.results);
    return posted.body;
  }
  const letterOf = (id: string): string => Object.keys(ids).find((letter) => ids[letter] === id) ?? '?';
  const letters = ({ results }: Recalled): string => results.map(({ id }) => letterOf(id)).join('');
  const found = async (fields: Record<string, unknown>): Promise<string> => letters(await recall(fields));

  it('reads no more of a long content for hints than its beginning', async () => {
    const filler = 'and of the rest '.repeat(200);
    await remember({
      A: `The team reviews changes of the invoice mailer ${filler}`,
      B: `The team reviews changes ${filler} of the invoice mailer`,
    });
    const { results } = await recall({ query: 'team reviews', context: 'invoice', explain: true });
    const fits = results.map(({ id, score_parts: parts }) => [letterOf(id), parts?.['context']]);
    expect(Object.fromEntries(fits)).toEqual({ A: 1, B: 0 });
  });

  describe('of what the caller is about', () => {
    beforeEach(async () => {
      await remember({
        A: { content: 'The team reviews changes of the door opener', tags: ['kitchen'], type: 'Habit' },
        B: { content: 'The team reviews changes of the time table', tags: ['typescript'], type: 'Style' },
        C: { content: 'The team reviews changes of the invoice mailer', tags: ['tea'], type: 'Habit' },
        D: { content: 'The team reviews changes of the phone list', tags: [], type: 'Decision' },
      });
    });
    const query = 'what does the team review?';
    /** By how much the score of one is above another's. */
    const ahead = ({ results }: Recalled, one: string, other: string): number => {
      const scoreOf = (letter: string) => results.find(({ id }) => id === ids[letter])?.score ?? Number.NaN;
      return scoreOf(one) - scoreOf(other);
    };

    it.each<[string, Record<string, unknown>, string]>([
      ['a label that is a tag', { context: 'Kitchen' }, 'A'],
      ['words that a content has', { context: 'working on the invoice template' }, 'C'],
      ['a type', { context_types: ['style'] }, 'B'],
      ['a type among several', { context_types: ['Preference', 'Decision'] }, 'D'],
      ['a language by another of its names', { language: 'ts' }, 'B'],
      ['the language of a file', { active_path: 'web/pages/Home.tsx' }, 'B'],
      ['the name of a file', { active_path: 'server/invoiceMailer.py' }, 'C'],
      ['the folder of a file', { active_path: '/home/tea/notes.txt' }, 'C'],
      ['a tag and a type that two have', { context_tags: ['tea'], context_types: ['Decision'] }, 'CD'],
    ])('by %s lifts what fits, and leaves out nothing', async (_name, hints, fitting) => {
      const plain = await recall({ query, explain: true });
      expect(plain.results.map(({ score_parts: parts }) => parts?.['context'])).toEqual(
        Array(4).fill(undefined),
      );
      const hinted = await recall({ query, ...hints, explain: true });
      expect([...letters(hinted)].sort().join('')).toBe('ABCD');
      const context = (letter: string) =>
        hinted.results.find(({ id }) => id === ids[letter])?.score_parts?.['context'] ?? -1;
      const others = [...'ABCD'].filter((letter) => !fitting.includes(letter));
      for (const other of others) {
        expect([other, context(other)]).toEqual([other, 0]);
        for (const fit of fitting) {
          expect(context(fit)).toBeGreaterThan(0);
          expect(context(fit)).toBeLessThanOrEqual(1);
          expect(ahead(hinted, fit, other)).toBeGreaterThan(ahead(plain, fit, other));
        }
      }
      expect(fitting).toContain(letters(hinted).charAt(0));
    });

    it('counts as much as the tenant lets it', async () => {
      const before = await recall({ query, context: 'tea' });
      await acme.patch('/v1/tenants/current', { settings: { recall: { weights: { context: 0 } } } });
      const after = await recall({ query, context: 'tea' });
      expect(ahead(after, 'C', 'A')).toBeLessThan(ahead(before, 'C', 'A'));
    });
  });

  describe('that names memories', () => {
    beforeEach(async () => {
      await remember({
        A: { content: 'The garden gate squeaks', tags: ['garden'], timestamp: '2026-01-01' },
        B: { content: 'The garden gate is green', tags: ['garden'], timestamp: '2026-01-02' },
        C: { content: 'Taxes are due in May', tags: ['money'], timestamp: '2026-01-03' },
        D: { content: 'The old boat was sold', t_invalid: '2020-01-01' },
      });
    });
    const query = 'the green garden gate';

    it('puts them first, in that order and whatever they score', async () => {
      expect((await found({ query })).slice(0, 2)).toBe('BA');
      expect(await found({ query, priority_ids: [ids['C'], ids['A']] })).toBe('CAB');
      expect(await found({ query, priority_ids: [ids['C']], limit: 1 })).toBe('C');
      expect(await found({ query, priority_ids: [ids['C']], min_score: 1 })).toMatch(/^C/);
      expect(await found({ priority_ids: [ids['A']], limit: 2 })).toBe('AC');
      expect(await found({ query, priority_ids: [ids['C']], limit: 1, offset: 1 })).toBe('B');
    });

    it('holds them to the filters, as everything', async () => {
      const priority_ids = [ids['D'], ids['C'], ids['A']];
      expect(await found({ query, priority_ids, tags: ['garden'] })).toBe('AB');
      expect(await found({ query, priority_ids, exclude_tags: ['money'] })).toBe('AB');
      expect(await found({ query, priority_ids })).toBe('CAB');
      expect(await found({ query, priority_ids, state_mode: 'history' })).toBe('DCAB');
    });

    it('passes over what is not there, or is no id, or is somebody else’s', async () => {
      const stranger = await loci.tenant();
      const { body } = await stranger.post<{ memory_id: string }>('/memory', { content: 'The green gate' });
      const priority_ids = [randomUUID(), 'no-id', body.memory_id, ids['A']?.toUpperCase()];
      expect(await found({ query, priority_ids })).toBe('ABC');
    });

    it('brings what the question did not find, and says so', async () => {
      const many = Object.fromEntries(
        Array.from({ length: 230 }, (_, at) => [`x${at}`, `The garden gate number ${at}`]),
      );
      const own = ids;
      await remember(many);
      ids = { ...ids, ...own };
      const { results } = await recall({ query, priority_ids: [ids['C']], limit: 3 });
      expect(results.map(({ id, match_type: type }) => [id === ids['C'], type === 'priority'])).toEqual([
        [true, true],
        [false, false],
        [false, false],
      ]);
    });

    it('gives what holds now in the place of one that was superseded', async () => {
      const relation = { memory1_id: ids['C'], memory2_id: ids['B'], type: 'EVOLVED_INTO' };
      expect((await acme.post('/associate', relation)).status).toBe(201);
      const { results } = await recall({ query: 'taxes', priority_ids: [ids['C']] });
      expect([letterOf(results[0]?.id ?? ''), results[0]?.state_replaces]).toEqual(['B', [ids['C']]]);
    });
  });

  describe('that a question may hold several', () => {
    beforeEach(async () => {
      await remember({
        A: 'Ada painted the garden gate',
        B: 'Ada travelled to Porto by train',
        ...Object.fromEntries(
          Array.from({ length: 8 }, (_, at) => [
            `x${at}`,
            `Grace did her paintings of trains, ${at} of them`,
          ]),
        ),
      });
    });
    const query = 'What did Ada paint, and where did she travel?';

    it('asks in parts, too, and says what it asked', async () => {
      const whole = await recall({ query });
      expect(whole.queries).toBeUndefined();
      const parts = await recall({ query, auto_decompose: true, limit: 2 });
      expect(parts.queries).toEqual([query, 'What did Ada paint?', 'where did Ada travel?']);
      expect([...letters(parts)].sort().join('')).toBe('AB');
      // A memory counts by the best: no part takes from what another gave.
      const scores = new Map(whole.results.map(({ id, score }) => [id, score]));
      for (const { id, score } of parts.results) expect(score).toBeGreaterThanOrEqual(scores.get(id) ?? 0);
    });

    it('says nothing of parts where there are none', async () => {
      const { queries } = await recall({ query: 'What did Ada paint?', auto_decompose: true });
      expect(queries).toBeUndefined();
    });

    it('takes at most so many by each wording', async () => {
      const queries = ['the garden gate', 'by train to Porto'];
      expect([...(await found({ queries, per_query_limit: 1 }))].sort().join('')).toBe('AB');
      expect((await recall({ queries, per_query_limit: 2 })).results.length).toBeLessThanOrEqual(4);
      expect(await found({ query: 'the garden gate', per_query_limit: 1 })).toBe('A');
    });
  });

  describe('that tags may be left', () => {
    beforeEach(async () => {
      await remember({
        A: { content: 'The garden gate squeaks', tags: ['garden'] },
        B: { content: 'The garden gate is green' },
        C: { content: 'The garden gate is painted every May' },
        D: { content: 'The kitchen door is painted every May', tags: ['kitchen', 'old'] },
      });
    });
    const query = 'when is the garden gate painted?';

    it('fills up what the tags leave with what has none of them, marked as such', async () => {
      expect(await found({ query, tags: ['garden'] })).toBe('A');
      const { results } = await recall({ query, tags: ['garden'], scope_fallback: true });
      expect(letters({ results })).toMatch(/^AC/);
      expect([...letters({ results })].sort().join('')).toBe('ABCD');
      expect(results.map(({ outside_tag_scope: outside }) => outside)).toEqual([undefined, true, true, true]);
    });

    it('no further than the limit, page by page, and by the other filters', async () => {
      const fallback = { query, tags: ['garden'], scope_fallback: true };
      const all = await found(fallback);
      expect(await found({ ...fallback, limit: 1 })).toBe('A');
      expect(await found({ ...fallback, limit: 2 })).toBe(all.slice(0, 2));
      expect(await found({ ...fallback, limit: 2, offset: 2 })).toBe(all.slice(2));
      expect(await found({ ...fallback, exclude_tags: ['old'] })).not.toContain('D');
      expect(await found({ scope_fallback: true, tags: ['nothing'] })).toHaveLength(4);
      const untagged = await recall({ query, scope_fallback: true });
      expect(untagged.results.every(({ outside_tag_scope: outside }) => outside === undefined)).toBe(true);
    });
  });

  describe('to leave out the tail', () => {
    it('keeps what is near the best', async () => {
      await remember({
        A: 'The garden gate squeaks when it is opened',
        B: 'The hinge of the garden gate squeaks when it rains',
        C: 'Taxes',
        D: 'Boats',
      });
      const query = 'when does the garden gate squeak?';
      const whole = await recall({ query });
      const kept = await recall({ query, adaptive_floor: true });
      expect([...letters(kept)].sort().join('')).toBe('AB');
      expect(kept.results).toEqual(whole.results.slice(0, 2));
      expect(await found({ adaptive_floor: true })).toHaveLength(4);
    });
  });

  describe('to say what was superseded', () => {
    it('names each, by what, over which, and what stands for it', async () => {
      await remember({
        A: 'The office is in Porto',
        B: 'The office is in Faro',
        C: 'The office is in Lisbon',
      });
      const associations = [
        { memory1_id: ids['A'], memory2_id: ids['B'], type: 'EVOLVED_INTO' },
        { memory1_id: ids['B'], memory2_id: ids['C'], type: 'INVALIDATED_BY' },
      ];
      expect((await acme.post('/associate', { associations })).status).toBe(201);
      const query = 'where is the office?';
      expect((await recall({ query })).state_filter).toBeUndefined();
      const { results, state_filter: state } = await recall({ query, state_debug: true });
      expect(letters({ results })).toBe('C');
      expect(state).toEqual({
        current_only: true,
        suppressed_count: 2,
        replacement_count: 2,
        suppressed: expect.arrayContaining([
          {
            id: ids['A'],
            reason: 'superseded',
            replacement_id: ids['C'],
            relation_type: 'EVOLVED_INTO',
            via: [ids['B']],
          },
          {
            id: ids['B'],
            reason: 'superseded',
            replacement_id: ids['C'],
            relation_type: 'INVALIDATED_BY',
            via: [],
          },
        ]) as unknown,
        replacements: expect.arrayContaining([
          { id: ids['C'], replaces_id: ids['A'], relation_type: 'EVOLVED_INTO' },
          { id: ids['C'], replaces_id: ids['B'], relation_type: 'INVALIDATED_BY' },
        ]) as unknown,
      });
      const past = await recall({ query, state_debug: true, state_mode: 'history' });
      expect(past.state_filter).toMatchObject({ current_only: false, suppressed_count: 0, replacements: [] });
    });
  });

  it('takes flags as clients write them, and a format that is the client’s own', async () => {
    await remember({ A: 'The garden gate squeaks' });
    for (const words of [
      'state_debug=Yes&adaptive_floor=ON',
      'state_debug=TRUE&scope_fallback=no',
      'state_debug=1',
    ]) {
      const { status, body } = await acme.get<Recalled>(`/recall?query=gate&format=detailed&${words}`);
      expect([status, body.state_filter === undefined]).toEqual([200, false]);
    }
    const empty =
      'context=&language=&active_path=&priority_ids=&context_types=&per_query_limit=&state_debug=';
    expect((await acme.get(`/recall?query=gate&${empty}`)).status).toBe(200);
  });

  it('takes shapes of their own in a body, too, and passes over what nobody can read', async () => {
    await remember({
      A: { content: 'The garden gate squeaks', tags: ['garden'] },
      B: { content: 'The garden gate is green', type: 'Style' },
      C: { content: 'Taxes are due in May' },
    });
    const asked = async (fields: Record<string, unknown>): Promise<Recalled> => {
      const { status, body } = await acme.post<Recalled>('/recall', {
        query: 'the green garden gate',
        ...fields,
      });
      expect([fields, status]).toEqual([fields, 200]);
      return body;
    };
    const plain = letters(await asked({}));
    expect(letters(await asked({ priority_ids: `${ids['C']}, ${ids['A']}` }))).toBe('CAB');
    expect(letters(await asked({ priority_ids: ids['C'] }))).toMatch(/^C/);
    expect((await asked({ state_debug: 'true' })).state_filter).toBeDefined();
    expect(letters(await asked({ per_query_limit: '1' }))).toBe('B');
    expect(letters(await asked({ per_query_limit: -3 }))).toBe('B');
    expect(letters(await asked({ adaptive_floor: 0.999 }))).toBe('B');
    expect(letters(await asked({ adaptive_floor: '0.01' }))).toBe(plain);
    const names =
      `context context_types language active_path priority_ids auto_decompose per_query_limit scope_fallback
      adaptive_floor state_debug expand_entities format`.split(/\s+/);
    for (const value of ['', ' ', 7, -1, 1e300, {}, [[]], [null, {}], 'a\u0000b', 'x'.repeat(70_000)]) {
      const odd = Object.fromEntries(names.map((name) => [name, value]));
      if (value !== 'a\u0000b') expect((await asked(odd)).results.length).toBeGreaterThan(0);
      else expect((await acme.post('/recall', { query: 'gate', ...odd })).status).toBeLessThan(500);
    }
  });
});
