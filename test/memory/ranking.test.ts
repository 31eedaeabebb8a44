import type { Asked, LaterFacts } from '../../src/modules/memory/ranking-parts.js';
import {
  rankingWeights,
  tenantWeights,
  weightErrors,
  weightsFor,
} from '../../src/modules/memory/ranking-weights.js';
import {
  DEFAULT_WEIGHTS,
  RANKING_PARTS,
  rankRecall,
  rankSettled,
  type RankingPart,
  type RankingWeights,
} from '../../src/modules/memory/recall-ranking.js';
import type { Candidate } from '../../src/spaces/vector-space.js';

const NOW = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;

describe('ranking', () => {
  const nobody: Asked = {
    terms: new Set(['ada', 'tea']),
    wanted: 2,
    tags: new Set(['tea']),
    context: new Set(['kitchen']),
    entities: new Set(['entity:people:1']),
    related: new Map(),
    times: [(timestamp) => (timestamp < NOW - 100 * DAY ? 1 : 0)],
    now: NOW,
  };

  /** Two of these differ in their ids alone, so the first by id is first. */
  function candidate(id: string, about: Partial<Candidate> = {}): Candidate {
    return {
      ...{ id, session: null, timestamp: NOW - 90 * DAY, terms: 8, follows: true, marks: [] },
      ...{ speaker: null, asked: 0, importance: 0.5, confidence: 0.5 },
      vector: { alone: 0.4, joined: 0.4 },
      text: { alone: 2, joined: 3 },
      ...about,
    };
  }

  const order = (candidates: Candidate[], asked = nobody, weights: RankingWeights = DEFAULT_WEIGHTS) =>
    rankRecall(candidates, asked, weights)
      .map(({ id }) => id)
      .join('');

  /** What makes `b` better than `a`, which would be first otherwise. */
  const better: [RankingPart, Partial<Candidate>][] = [
    ['vector', { vector: { alone: 0.5, joined: 0.4 } }],
    ['vector_joined', { vector: { alone: 0.4, joined: 0.5 } }],
    ['keyword', { text: { alone: 3, joined: 3 } }],
    ['keyword_joined', { text: { alone: 2, joined: 4 } }],
    ['speaker', { speaker: 'ada' }],
    ['entity', { marks: ['entity:people:1'] }],
    ['substance', { terms: 12 }],
    ['tag', { marks: ['tea'] }],
    ['context', { marks: ['kitchen'] }],
    ['time', { timestamp: NOW - 120 * DAY }],
    ['importance', { importance: 0.9 }],
    ['confidence', { confidence: 0.9 }],
    ['recency', { timestamp: NOW - DAY }],
  ];

  it.each(better)('puts first what is better by %s, unless that weighs nothing', (part, about) => {
    const two = [candidate('a'), candidate('b', about)];
    expect(order([candidate('a'), candidate('b')])).toBe('ab');
    expect(order(two)).toBe('ba');
    expect(order(two, nobody, { ...DEFAULT_WEIGHTS, [part]: 0 })).toBe('ab');
  });

  it('puts first what is related to what was found', () => {
    const related = { ...nobody, related: new Map([['b', 0.6]]) };
    expect(order([candidate('a'), candidate('b')], related)).toBe('ba');
  });

  it('lifts a memory with the best of its session', () => {
    const good = { vector: { alone: 0.9, joined: 0.9 } };
    const three = [
      candidate('a'),
      candidate('b', { session: 's' }),
      candidate('c', { ...good, session: 's' }),
    ];
    expect(order(three)).toBe('cba');
    expect(order(three, nobody, { ...DEFAULT_WEIGHTS, session: 0 })).toBe('cab');
  });

  it('gives less to a memory the more of it asks', () => {
    const asking = [candidate('a', { asked: 1 }), candidate('b', { asked: 0.5 }), candidate('c')];
    expect(order(asking)).toBe('cba');
  });

  it('takes the text of the first of a session for its joined text', () => {
    const first = { follows: false, vector: { alone: 0.4, joined: null }, text: { alone: 3, joined: null } };
    const [one] = rankRecall([candidate('a'), candidate('b', first)], nobody, DEFAULT_WEIGHTS);
    expect(one).toMatchObject({ id: 'b', parts: { vector_joined: 1, keyword_joined: 1 } });
  });

  it('gives whoever has few of the words no more for being the best', () => {
    const near = candidate('b', { text: { alone: 0, joined: 0 }, vector: { alone: 0.6, joined: 0.6 } });
    const worded = candidate('a', { text: { alone: 2, joined: 2 } });
    expect(order([worded, near], { ...nobody, wanted: 1 })).toBe('ab');
    expect(order([worded, near], { ...nobody, wanted: 20 })).toBe('ba');
    const [first] = rankRecall([worded], { ...nobody, wanted: 8 }, DEFAULT_WEIGHTS);
    expect(first?.parts).toMatchObject({ keyword: 0.25, keyword_joined: 0.25 });
  });

  it('goes by words where a question names something by a code, unless words weigh nothing', () => {
    const asked = (query: string) => ({ queries: [query], recency: 'off' as const });
    const plain = weightsFor(asked('What is the ticket about?'), DEFAULT_WEIGHTS);
    const coded = weightsFor(asked('What is ticket 4821 about?'), DEFAULT_WEIGHTS);
    const named = candidate('b', { text: { alone: 5, joined: 5 }, vector: { alone: 0.1, joined: 0.1 } });
    const near = candidate('a', { text: { alone: 0.1, joined: 0.1 }, vector: { alone: 0.6, joined: 0.6 } });
    expect(order([near, named], nobody, plain)).toBe('ab');
    expect(order([near, named], nobody, coded)).toBe('ba');
    expect(weightsFor(asked('ticket 4821'), { ...DEFAULT_WEIGHTS, keyword: 0 }).keyword).toBe(0);
    expect(weightsFor(asked('ticket 4821'), { ...DEFAULT_WEIGHTS, keyword: 3 }).keyword).toBe(3);
  });

  it('leaves out of a score the parts of which nobody has anything', () => {
    const plain = candidate('a', { vector: { alone: null, joined: null } });
    const [one] = rankRecall([plain], nobody, DEFAULT_WEIGHTS);
    const silent = [
      'vector',
      'vector_joined',
      'speaker',
      'entity',
      'exact_phrase',
      'tag',
      'context',
      'relation',
      'time',
      'relevance',
    ];
    expect(RANKING_PARTS.filter((part) => one?.parts[part] === null)).toEqual(
      RANKING_PARTS.filter((part) => silent.includes(part)),
    );
  });

  it('gives scores and parts between 0 and 1', () => {
    const odd = candidate('a', {
      ...{
        vector: { alone: -0.3, joined: 1.5 },
        text: { alone: 0, joined: 99 },
        terms: 9_999,
        timestamp: NOW + DAY,
      },
      ...{ marks: ['tea', 'kitchen'], speaker: 'ada', importance: 1, confidence: 0 },
    });
    for (const { score, parts } of rankRecall([odd, candidate('b')], nobody, DEFAULT_WEIGHTS))
      for (const value of [score, ...Object.values(parts)])
        expect(value === null || (value >= 0 && value <= 1)).toBe(true);
  });

  describe('of what only the ledger tells', () => {
    const settled = (facts: Record<string, LaterFacts>) =>
      rankSettled(
        rankRecall(
          Object.keys(facts).map((id) => candidate(id)),
          nobody,
          DEFAULT_WEIGHTS,
        ),
        ({ id }) => facts[id] ?? { holdsPhrase: null, relevance: null, fits: null },
        DEFAULT_WEIGHTS,
      );

    it('puts first what holds the phrase that was asked for', () => {
      const ranked = settled({
        a: { holdsPhrase: false, relevance: null, fits: null },
        b: { holdsPhrase: true, relevance: null, fits: null },
      });
      expect(ranked.map(({ id, parts }) => [id, parts.exact_phrase])).toEqual([
        ['b', 1],
        ['a', 0],
      ]);
    });

    it('puts last what has lost its relevance, and takes what nobody has looked at for fresh', () => {
      const ranked = settled({
        a: { holdsPhrase: null, relevance: 0.2, fits: null },
        b: { holdsPhrase: null, relevance: null, fits: null },
        c: { holdsPhrase: null, relevance: 0.6, fits: null },
      });
      expect(ranked.map(({ id, parts }) => [id, parts.relevance])).toEqual([
        ['b', 1],
        ['c', 0.6],
        ['a', 0.2],
      ]);
    });

    it('puts first what fits what the caller is about, by all the kinds of hints that anything fits', () => {
      const none = { holdsPhrase: null, relevance: null, fits: { type: false, words: 0 } };
      const contexts = (facts: Parameters<typeof settled>[0]) =>
        settled(facts).map(({ id, parts }) => [id, parts.context]);
      expect(contexts({ a: none, b: { ...none, fits: { type: true, words: 0 } } })).toEqual([
        ['b', 1],
        ['a', 0],
      ]);
      const [b, c] = [
        { ...none, fits: { type: true, words: 1 } },
        { ...none, fits: { type: true, words: 2 } },
      ];
      expect(contexts({ a: none, b, c })).toEqual([
        ['c', 1],
        ['b', 0.75],
        ['a', 0],
      ]);
      expect(contexts({ a: none, b: none })).toEqual([
        ['a', null],
        ['b', null],
      ]);
    });

    it('changes no score where there is nothing to tell', () => {
      const [one] = rankRecall([candidate('a')], nobody, DEFAULT_WEIGHTS);
      expect(settled({ a: { holdsPhrase: false, relevance: null, fits: null } })).toEqual([one]);
    });
  });
});

describe('the weights of a ranking', () => {
  it('are the default ones, but for those that are set', () => {
    expect(rankingWeights({})).toEqual(DEFAULT_WEIGHTS);
    const installation = rankingWeights({ keyword: 0.9, session: 0 });
    expect(installation).toEqual({ ...DEFAULT_WEIGHTS, keyword: 0.9, session: 0 });
    expect(tenantWeights(installation, { recall: { weights: { session: 0.4 } } })).toEqual({
      ...installation,
      session: 0.4,
    });
    expect(tenantWeights(installation, {})).toBe(installation);
  });

  it('are refused for parts that there are not, and where they are no weights', () => {
    expect(() => rankingWeights({ charm: 1 })).toThrow('LOCI_RECALL_WEIGHTS');
    const wrong = (recall: unknown) => weightErrors({ recall }).map(({ location }) => location);
    expect(wrong({ weights: { vector: 1, tag: null } })).toEqual([]);
    expect(wrong({ weights: { charm: 1, vector: -1, tag: '1', session: 1e9, keyword: Number.NaN } })).toEqual(
      ['charm', 'vector', 'tag', 'session', 'keyword'].map((name) => `body.settings.recall.weights.${name}`),
    );
    expect(wrong({ weights: [1] })).toEqual(['body.settings.recall.weights']);
    expect(wrong('vector')).toEqual(['body.settings.recall']);
  });

  it('pass over what an older version let into the settings', () => {
    const old = { recall: { weights: { charm: 1, vector: -1, keyword: 0.7 } } };
    expect(tenantWeights(DEFAULT_WEIGHTS, old)).toEqual({ ...DEFAULT_WEIGHTS, keyword: 0.7 });
    expect(tenantWeights(DEFAULT_WEIGHTS, { recall: null })).toBe(DEFAULT_WEIGHTS);
  });
});
