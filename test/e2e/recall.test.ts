import { randomUUID } from 'node:crypto';
import { Description, DescribedCaller } from '../support/described.js';
import { Loci } from '../support/loci.js';

interface Result {
  id: string;
  score: number;
  score_parts?: Record<string, number>;
  match_type: string;
  memory: { content: string; timestamp: string };
  relations?: { type: string; direction: string; strength: number; memory: { content: string } }[];
}
interface Recalled {
  count: number;
  results: Result[];
  took_ms: number;
}

/** Letters name memories: `found` tells which were recalled, in their order. */
const PALACE = {
  A: {
    content: 'A: the cat sleeps on the warm stove',
    tags: ['home/pets', 'cat'],
    type: 'Habit',
    session_id: 's1',
  },
  B: {
    content: 'B: the dog guards the garden gate',
    tags: ['home/pets', 'dog'],
    type: 'Habit',
    user_id: 'u1',
  },
  C: { content: 'C: invoices are sent on the first of the month', tags: ['work', 'money'], type: 'Pattern' },
  D: { content: 'D: the office moved to Lisbon', tags: ['Work', 'Place'], type: 'Decision', agent_id: 'a1' },
  E: { content: 'E: the old office was in Porto', tags: ['work', 'place'], t_invalid: '2025-01-01' },
  F: { content: 'F: the office will move to Madrid', tags: ['work', 'place'], t_valid: '2090-01-01' },
} as const;
type Letter = keyof typeof PALACE;

describe('recall', () => {
  let loci: Loci;
  let acme: DescribedCaller;
  let ids: Record<Letter, string>;

  beforeAll(async () => {
    loci = await Loci.start();
    const { token } = await loci.tenant();
    acme = new DescribedCaller(() => loci.url, token, await Description.of(loci));
    const letters = Object.keys(PALACE) as Letter[];
    const memories = letters.map((letter, i) => ({
      ...PALACE[letter],
      timestamp: `2026-01-0${i + 1}T12:00:00Z`,
    }));
    const { body } = await acme.post<{ memory_ids: string[] }>('/memory/batch', { memories });
    ids = Object.fromEntries(letters.map((letter, i) => [letter, body.memory_ids[i] ?? ''])) as Record<
      Letter,
      string
    >;
    const associations = [
      { memory1_id: ids.A, memory2_id: ids.B, type: 'RELATES_TO', strength: 0.9 },
      { memory1_id: ids.B, memory2_id: ids.C, type: 'LEADS_TO', strength: 0.4 },
      { memory1_id: ids.C, memory2_id: ids.D, type: 'LEADS_TO', strength: 0.8 },
    ];
    const related = await acme.post('/associate', { associations });
    expect(related.body).toMatchObject({ status: 'success', created_count: 3, failed_count: 0 });
  });
  afterAll(() => loci.stop());

  /** By GET and by POST, which must agree. */
  async function recall(question: Record<string, unknown>): Promise<Result[]> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(question))
      for (const one of [value].flat()) query.append(name, String(one));
    const asked = await acme.get<Recalled>(`/recall?${query.toString()}`);
    const posted = await acme.post<Recalled>('/recall', question);
    expect([asked.status, posted.status]).toEqual([200, 200]);
    expect(asked.body.results).toEqual(posted.body.results);
    expect(asked.body.count).toBe(asked.body.results.length);
    return asked.body.results;
  }
  const letters = (results: { memory: { content: string } }[]): string =>
    results.map(({ memory }) => memory.content.charAt(0)).join('');
  const found = async (question: Record<string, unknown>): Promise<string> => letters(await recall(question));
  const all = async (question: Record<string, unknown>): Promise<string> =>
    [...(await found({ state_mode: 'history', ...question }))].sort().join('');

  it('puts first what answers the question, by its words and by its meaning', async () => {
    expect((await found({ query: 'garden gate' })).charAt(0)).toBe('B');
    expect((await found({ query: 'where does the kitten rest?' })).charAt(0)).toBe('A');
    expect((await found({ query: 'billing schedule' })).charAt(0)).toBe('C');
  });

  it('without a question lists newest first by the filters alone', async () => {
    expect(await found({})).toBe('DCBA');
    expect(await found({ limit: 2 })).toBe('DC');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['any of the tags', { tags: ['cat', 'money'] }, 'AC'],
    ['a tag with spaces around it, as it is stored without', { tags: [' cat ', 'dog\t'] }, 'AB'],
    ['all of the tags', { tags: ['home/pets', 'dog'], tag_mode: 'all' }, 'B'],
    ['the beginning of a tag', { tags: ['home'], tag_match: 'prefix' }, 'AB'],
    ['the beginning of a tag, which exact does not take', { tags: ['home'] }, ''],
    ['the beginnings of all', { tags: ['wo', 'pl'], tag_match: 'prefix', tag_mode: 'all' }, 'DEF'],
    ['no tag of these', { exclude_tags: ['work'] }, 'AB'],
    ['tags, however they are written', { tags: ['CAT', 'Money'] }, 'AC'],
    ['beginnings of tags, however they are written', { tags: ['PLA'], tag_match: 'prefix' }, 'DEF'],
    ['no tag of these, however it is written', { exclude_tags: ['WORK'] }, 'AB'],
    ['tags without others', { tags: ['work'], exclude_tags: ['money'] }, 'DEF'],
    ['types', { types: ['Habit', 'Decision'] }, 'ABD'],
    ['the default type', { types: ['Context'] }, 'EF'],
    ['types that everybody knows, however they are written', { types: ['habit', 'DECISION'] }, 'ABD'],
    ['a time', { start: '2026-01-02', end: '2026-01-03T12:00:00Z' }, 'BC'],
    ['a session', { session_id: 's1' }, 'A'],
    ['a user', { user_id: 'u1' }, 'B'],
    ['an agent', { agent_id: 'a1' }, 'D'],
    ['what nothing has', { tags: ['nothing'] }, ''],
    ['several at once', { types: ['Habit'], tags: ['dog'], user_id: 'u1' }, 'B'],
  ])('by %s takes exactly what fits, with a question and without', async (_name, filter, expected) => {
    expect(await all(filter)).toBe(expected);
    expect(await all({ query: 'the office and the cat', ...filter })).toBe(expected);
  });

  it('takes only what holds now, unless history is asked for', async () => {
    expect([...(await found({ query: 'office', tags: ['place'] }))].sort().join('')).toBe('D');
    expect(await all({ query: 'office', tags: ['place'] })).toBe('DEF');
    expect(
      (await recall({ query: 'office', state_mode: 'current', current_only: true })).map(({ id }) => id),
    ).not.toContain(ids.E);
  });

  it.each([
    ['newest', 'DCBA'],
    ['time_desc', 'DCBA'],
    ['oldest', 'ABCD'],
    ['time_asc', 'ABCD'],
  ])('sorts by %s', async (sort, expected) => {
    expect(await found({ query: 'office cat dog invoices', sort })).toBe(expected);
    expect(await found({ sort })).toBe(expected);
  });

  it('sorts by score, which falls, and leaves out what is below min_score', async () => {
    const results = await recall({ query: 'the office in Lisbon' });
    const scores = results.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
    const [first = 0, second = 0] = scores;
    expect(first).toBeGreaterThan(second);
    const cut = (first + second) / 2;
    expect(await recall({ query: 'the office in Lisbon', min_score: cut })).toEqual(results.slice(0, 1));
  });

  it('takes several wordings, each of which may find', async () => {
    const results = letters(await recall({ queries: ['garden gate', 'billing schedule'], limit: 2 }));
    expect([...results].sort().join('')).toBe('BC');
    expect(await found({ query: 'garden gate', queries: ['garden gate'], limit: 1 })).toBe('B');
  });

  it('shows the parts of its scores, and what they weigh where it is asked to explain', async () => {
    const [explained] = await recall({ query: 'garden gate', limit: 1 });
    expect(Object.keys(explained?.score_parts ?? {})).toEqual(
      expect.arrayContaining(['vector', 'keyword', 'substance', 'importance']),
    );
    expect(Object.values(explained?.score_parts ?? {}).every((part) => part >= 0 && part <= 1)).toBe(true);
    expect(explained?.match_type).toBe('hybrid');
    const { body } = await acme.get<Recalled & { weights: Record<string, number> }>(
      '/recall?query=garden+gate&explain=true',
    );
    for (const { score, score_parts = {} } of body.results) {
      const parts = Object.entries(score_parts);
      const weight = ([part]: [string, number]) => body.weights[part] ?? NaN;
      const sum = parts.reduce((total, part) => total + weight(part) * part[1], 0);
      expect(sum / parts.reduce((total, part) => total + weight(part), 0)).toBeCloseTo(score, 3);
    }
    expect((await acme.get('/recall?query=garden+gate')).body['weights']).toBeUndefined();
    expect((await recall({ limit: 1 }))[0]?.score_parts).toEqual({});
    expect((await recall({ limit: 1 }))[0]?.match_type).toBe('filter');
  });

  it('ranks higher what bears a tag that the question or the caller names, and leaves out nothing', async () => {
    const query = 'which animal is it';
    /** By how much the cat is ahead of the dog, and what was found. */
    const pets = async (words: Record<string, unknown>): Promise<[number, Result[]]> => {
      const results = await recall({ ...words, explain: true });
      expect(results).toHaveLength(4);
      const scoreOf = (id: string) => results.find((result) => result.id === id)?.score ?? Number.NaN;
      return [scoreOf(ids.A) - scoreOf(ids.B), results];
    };
    const [ahead, plain] = await pets({ query });
    expect((await pets({ query, context_tags: ['cat'] }))[0]).toBeGreaterThan(ahead);
    expect((await pets({ query, context_tags: ['dog'] }))[0]).toBeLessThan(ahead);
    const [, tagged] = await pets({ query: `${query}, tagged Cat` });
    expect(tagged.map(({ score_parts: parts }) => parts?.['tag']).sort()).toEqual([0, 0, 0, 1]);
    for (const { score_parts: parts } of plain)
      for (const part of ['tag', 'context']) expect(parts).not.toHaveProperty(part);
  });

  it('puts first what holds a quoted phrase word for word', async () => {
    const [first, second] = await recall({ query: 'the dog, the cat and "the warm stove"', explain: true });
    expect(first?.memory.content.charAt(0)).toBe('A');
    expect([first, second].map((result) => result?.score_parts?.['exact_phrase'])).toEqual([1, 0]);
  });

  it('puts first what somebody says whom the question names', async () => {
    const { token } = await loci.tenant();
    const listener = loci.as(token);
    const lines = [
      'Grace: Good morning, how is the weather?',
      'Ada: I painted the garden gate',
      'Grace: I painted the garden gate',
    ];
    const memories = lines.map((content, at) => ({
      content,
      session_id: 's1',
      timestamp: `2026-02-01T12:00:0${at}Z`,
    }));
    await listener.post('/memory/batch', { memories });
    const ask = async (query: string) => {
      const { body } = await listener.post<Recalled>('/recall', { query, explain: true });
      return body.results.map(({ memory, score_parts: parts }) => [memory.content, parts?.['speaker']]);
    };
    expect((await ask('What did Ada paint?'))[0]).toEqual([lines[1], 1]);
    expect((await ask('What did Grace paint?'))[0]).toEqual([lines[2], 1]);
    // Nobody of that name speaks: the part says nothing.
    expect((await ask('What did Alan paint?')).map(([, speaker]) => speaker)).toEqual(
      lines.map(() => undefined),
    );
  });

  it('puts first what is of the time that the question names', async () => {
    const diary = await loci.tenant();
    await diary.post('/memory/batch', {
      memories: ['2023-05', '2023-06', '2023-07', '2023-08'].map((month) => ({
        content: 'Painted the garden gate again',
        timestamp: `${month}-12T12:00:00Z`,
      })),
    });
    const first = async (query: string) =>
      (await diary.post<Recalled>('/recall', { query, recency_bias: 'off' })).body.results[0]?.memory
        .timestamp;
    expect(await first('What was painted in July 2023?')).toBe('2023-07-12T12:00:00.000Z');
    expect(await first('What was painted on 12 June 2023?')).toBe('2023-06-12T12:00:00.000Z');
    expect(await first('What was painted in May?')).toBe('2023-05-12T12:00:00.000Z');
  });

  it('finds what is named by its number among many that are alike', async () => {
    const tickets = await loci.tenant();
    const matters = ['the invoice is late', 'the app crashes', 'the login fails', 'the page has a typo'];
    await tickets.post('/memory/batch', {
      memories: Array.from({ length: 300 }, (_, at) => ({
        content: `Ticket ${4_700 + at}: ${matters[at % matters.length]} for customer ${at % 17}`,
      })),
    });
    for (const query of ['What is ticket 4821 about?', 'Who complained in #4821', '4821']) {
      const { body } = await tickets.post<Recalled>('/recall', { query, limit: 1 });
      expect(body.results[0]?.memory.content).toMatch(/^Ticket 4821:/);
    }
  });

  it('ranks by the weights that the tenant sets, and by no others', async () => {
    const current = '/v1/tenants/current';
    const important = await acme.post<{ memory_id: string }>('/memory', {
      content: 'G: pay the rent',
      importance: 1,
    });
    const first = async () => (await recall({ query: 'garden gate', limit: 1 }))[0]?.memory.content.charAt(0);
    const weigh = (weights: Record<string, unknown>) =>
      acme.patch(current, { settings: { recall: { weights } } });
    expect(await first()).toBe('B');
    expect((await weigh({ importance: 50 })).status).toBe(200);
    expect(await first()).toBe('G');
    const refused = await weigh({ importance: -1, charm: 1 });
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body)).toContain('body.settings.recall.weights.charm');
    expect((await weigh({ importance: null })).status).toBe(200);
    expect(await first()).toBe('B');
    await acme.delete(`/memory/${important.body.memory_id}`);
  });

  it('brings what a memory is related to, as strong and as many as asked', async () => {
    const [result] = await recall({ query: 'garden gate', limit: 1, expand_relations: true });
    expect(
      result?.relations?.map(({ type, direction, memory }) => [type, direction, memory.content.charAt(0)]),
    ).toEqual([
      ['RELATES_TO', 'incoming', 'A'],
      ['LEADS_TO', 'outgoing', 'C'],
    ]);
    const strong = await recall({
      query: 'garden gate',
      limit: 1,
      expand_relations: true,
      expand_min_strength: 0.5,
    });
    expect(letters(strong[0]?.relations ?? [])).toBe('A');
    const one = await recall({ query: 'garden gate', limit: 1, expand_relations: true, relation_limit: 1 });
    expect(one[0]?.relations).toHaveLength(1);
    expect((await recall({ query: 'garden gate', limit: 1 }))[0]?.relations).toBeUndefined();
  });

  describe('of relations', () => {
    const related = async (query: string): Promise<string> => {
      const { body } = await acme.get<{
        count: number;
        related_memories: { content: string; depth: number }[];
      }>(`/memories/${ids.A}/related?${query}`);
      expect(body.count).toBe(body.related_memories.length);
      return body.related_memories.map(({ content, depth }) => content.charAt(0) + depth).join(' ');
    };

    it('goes as deep and as far as asked, nearest first', async () => {
      expect(await related('')).toBe('B1');
      expect(await related('max_depth=2')).toBe('B1 C2');
      expect(await related('max_depth=3')).toBe('B1 C2 D3');
      expect(await related('max_depth=3&limit=2')).toBe('B1 C2');
      expect(await related('max_depth=3&relationship_types=RELATES_TO')).toBe('B1');
      expect(await related('max_depth=3&relationship_types=RELATES_TO,LEADS_TO')).toBe('B1 C2 D3');
      expect(await related('relationship_types=CONTRADICTS')).toBe('');
    });

    it('names the good and the bad of many', async () => {
      const nobody = randomUUID();
      const { status, body } = await acme.post('/associate', {
        associations: [
          { memory1_id: ids.E, memory2_id: ids.F, type: 'EVOLVED_INTO' },
          { memory1_id: ids.E, memory2_id: nobody, type: 'EVOLVED_INTO' },
          { memory1_id: ids.E, memory2_id: ids.E, type: 'EVOLVED_INTO' },
          { memory1_id: ids.E, memory2_id: ids.F, type: 'LIKES' },
        ],
      });
      expect(status).toBe(207);
      expect(body).toMatchObject({
        status: 'partial',
        created_count: 1,
        failed_count: 3,
        succeeded: [{ index: 0, memory1_id: ids.E, memory2_id: ids.F, type: 'EVOLVED_INTO' }],
        failed: [
          { index: 1, memory2_id: nobody, code: 'memory.not_found' },
          { index: 2, code: 'relation.invalid' },
          { index: 3, code: 'request.invalid' },
        ],
      });
    });

    it('keeps one relation of a kind between two memories, with the last strength', async () => {
      const order = { memory1_id: ids.D, memory2_id: ids.E, type: 'CONTRADICTS' };
      const first = await acme.post('/associate', { ...order, strength: 0.2 });
      const second = await acme.post('/associate', { ...order, strength: 0.6 });
      expect([first.status, second.status]).toEqual([201, 201]);
      expect(second.body['relation_id']).toBe(first.body['relation_id']);
      const { body } = await acme.get(`/memories/${ids.D}/related?relationship_types=CONTRADICTS`);
      expect(body).toMatchObject({ count: 1, related_memories: [{ relation_strength: 0.6 }] });
    });
  });

  describe('with a bias for what is new', () => {
    let reader: DescribedCaller;
    beforeAll(async () => {
      const { token } = await loci.tenant();
      reader = new DescribedCaller(() => loci.url, token, await Description.of(loci));
      const memories = [
        { content: 'The password of the cellar is on the old note', timestamp: '2021-01-01' },
        { content: 'A note about the cellar and its password', timestamp: new Date().toISOString() },
      ];
      expect((await reader.post('/memory/batch', { memories })).status).toBe(201);
    });
    const first = async (query: string, bias?: string) => {
      const { body } = await reader.post<Recalled>('/recall', {
        query,
        explain: true,
        ...(bias === undefined ? {} : { recency_bias: bias }),
      });
      const [best] = body.results;
      return { old: best?.memory.content.includes('old'), recency: best?.score_parts?.['recency'] };
    };

    it('ranks it higher where that is asked for, in so many words or by what is asked', async () => {
      const plain = 'the password of the cellar on the old note';
      expect(await first(plain)).toMatchObject({ old: true });
      expect(await first(plain, 'on')).toMatchObject({ old: false });
      expect(await first(`${plain}, the latest`)).toMatchObject({ old: false });
      expect(await first(`${plain}, the latest`, 'off')).toMatchObject({ old: true });
    });
  });

  describe('by a time in words', () => {
    let reader: DescribedCaller;
    const HOUR = 3_600_000;
    beforeAll(async () => {
      const tenant = await loci.tenant({ settings: { recall: { time_zone: 'Pacific/Auckland' } } });
      reader = new DescribedCaller(() => loci.url, tenant.token, await Description.of(loci));
      const memories = [
        { content: 'The kettle broke', timestamp: new Date(Date.now() - HOUR / 60).toISOString() },
        { content: 'The kettle was bought', timestamp: new Date(Date.now() - 400 * 24 * HOUR).toISOString() },
        { content: 'The kettle was planned', timestamp: '2023-05-31T13:00:00Z' },
      ];
      expect((await tenant.post('/memory/batch', { memories })).status).toBe(201);
    });
    const asked = async (params: string) => {
      const { status, body } = await reader.get<Recalled & { time_range: Record<string, string | null> }>(
        `/recall?query=kettle&${params}`,
      );
      expect(status).toBe(200);
      return { found: body.results.map(({ memory }) => memory.content), range: body.time_range };
    };

    it('finds what was then, and says what the words were taken to mean, and by which clock', async () => {
      const before = Date.now();
      const { found, range } = await asked('time_query=last+24+hours');
      expect(found).toEqual(['The kettle broke']);
      expect(range).toMatchObject({ query: 'last 24 hours', time_zone: 'Pacific/Auckland' });
      const [start, end, now] = [range['start'], range['end'], range['now']].map((at) =>
        Date.parse(at ?? ''),
      );
      expect(now).toBeGreaterThanOrEqual(before);
      expect(end).toBe(now);
      expect(start).toBe((now ?? 0) - 24 * HOUR);
    });

    it('begins days in the zone of the tenant, or in the one that is asked for', async () => {
      expect((await asked('time_query=in+June+2023')).found).toEqual(['The kettle was planned']);
      const { found, range } = await asked('time_query=in+June+2023&time_zone=UTC');
      expect(found).toEqual([]);
      expect(range).toMatchObject({
        start: '2023-06-01T00:00:00.000Z',
        end: '2023-07-01T00:00:00.000Z',
        time_zone: 'UTC',
      });
    });

    it('refuses settings with a zone that there is not', async () => {
      const { body } = await loci.operator.post<{ errors: object[] }>('/admin/tenants', {
        tenant_id: 'nowhere',
        settings: { recall: { time_zone: 'Middle/Earth' } },
      });
      expect(body).toMatchObject({ errors: [{ location: 'body.settings.recall.time_zone' }] });
    });

    it('keeps within start and end, where these are given too', async () => {
      expect((await asked('time_query=before+2024&start=2023-06-01')).found).toEqual([]);
      expect((await asked('time_query=before+2024&start=2023-05-01')).found).toEqual([
        'The kettle was planned',
      ]);
    });

    it.each([
      ['time_query=when+it+rained', 'query.time_query'],
      ['time_query=today&time_zone=Middle/Earth', 'query.time_zone'],
      ['start=2024-02-01&end=2024-01-01', 'query.end'],
      ['embedding=1,2,3', 'query.embedding'],
    ])('refuses %s, and says which', async (params, location) => {
      const { status, body } = await reader.get<{ errors: object[] }>(`/recall?query=kettle&${params}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'request.invalid', errors: [{ location }] });
    });

    it('says of a body that it is there', async () => {
      const { body } = await reader.post('/recall', {
        query: 'kettle',
        start: '2024-02-01',
        end: '2024-01-01',
      });
      expect(body).toMatchObject({ code: 'request.invalid', errors: [{ location: 'body.end' }] });
    });
  });
});
