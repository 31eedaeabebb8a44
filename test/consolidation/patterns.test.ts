import {
  associationsAmong,
  pairOf,
  type SampledMemory,
} from '../../src/modules/consolidation/associations.js';
import { Clusters, LARGEST_CLUSTER } from '../../src/modules/consolidation/clusters.js';

const BOUNDS = { each: 2, most: 20 };

/** At this cosine from the first direction. */
function at(cosine: number, direction = 1): Float32Array {
  const vector = new Float32Array(16);
  vector[0] = cosine;
  vector[direction] = Math.sqrt(1 - cosine * cosine);
  return vector;
}

const sampled = (id: string, given: Partial<SampledMemory> = {}): SampledMemory => ({
  id,
  type: 'Context',
  tags: [],
  timestamp: new Date('2026-01-01T00:00:00Z'),
  vector: at(1),
  ...given,
});

describe('creative association', () => {
  const between = (one: Partial<SampledMemory>, other: Partial<SampledMemory>) =>
    associationsAmong([sampled('a', one), sampled('b', other)], new Set(), BOUNDS)[0];

  it.each([
    [{ type: 'Insight' }, { type: 'Pattern', vector: at(0.6) }, 'explains', 0.7],
    [
      { type: 'Decision', tags: ['db'] },
      { type: 'Decision', tags: ['db'], vector: at(0.1) },
      'contrasts_with',
      0.6,
    ],
    [{ type: 'Style' }, { type: 'Habit', vector: at(0.65) }, 'shares_theme', 0.65],
    [{ tags: ['trip'] }, { tags: ['Trip'], vector: at(0.3) }, 'parallel_context', 0.5],
  ] as const)('between %j and %j is %s', (one, other, kind, confidence) => {
    expect(between(one, other)).toMatchObject({ from: 'a', to: 'b', kind, confidence });
  });

  it('is not what says the same, has nothing in common, or is related already', () => {
    expect(between({ type: 'Style' }, { type: 'Habit', vector: at(0.9) })).toBeUndefined();
    expect(between({}, { vector: at(0.3) })).toBeUndefined();
    const month = new Date('2026-02-01T00:00:00Z');
    expect(between({ tags: ['x'] }, { tags: ['x'], vector: at(0.3), timestamp: month })).toBeUndefined();
    const pair = [sampled('a', { type: 'Style' }), sampled('b', { type: 'Habit', vector: at(0.65) })];
    expect(associationsAmong(pair, new Set([pairOf('b', 'a')]), BOUNDS)).toEqual([]);
  });

  it('takes the surest, of each memory few, and few at all', () => {
    const many = Array.from({ length: 12 }, (_, n) =>
      sampled(`m${n}`, { type: n % 2 === 0 ? 'Style' : 'Habit', vector: at(0.75 + n / 400, 1 + n) }),
    );
    const found = associationsAmong([sampled('hub', { type: 'Insight' }), ...many], new Set(), {
      each: 2,
      most: 3,
    });
    expect(found).toHaveLength(3);
    expect(found.filter(({ from, to }) => from === 'hub' || to === 'hub').length).toBeLessThanOrEqual(2);
    expect(found.map(({ confidence }) => confidence)).toEqual(
      found.map(({ confidence }) => confidence).sort((a, b) => b - a),
    );
  });
});

describe('clusters', () => {
  it('join what is near what is near, in whatever order it is told, and leave pairs alone', async () => {
    const pairs = [
      ['a', 'b', 0.9],
      ['c', 'b', 0.2],
      ['x', 'y', 1],
      ['d', 'a', 0.5],
    ] as const;
    for (const order of [pairs, pairs.toReversed()]) {
      const clusters = new Clusters();
      for (const [one, other, nearness] of order) clusters.add(one, other, nearness);
      expect(await clusters.joined()).toEqual([['a', 'b', 'c', 'd']]);
    }
  });

  it('never grow beyond their bound, and the nearest stay together', async () => {
    const clusters = new Clusters();
    for (const group of ['a', 'b'])
      for (let n = 1; n < LARGEST_CLUSTER; n++) clusters.add(`${group}0`, `${group}${n}`, 0.9);
    clusters.add('a0', 'b0', 0.1);
    expect((await clusters.joined()).map(({ length }) => length)).toEqual([LARGEST_CLUSTER, LARGEST_CLUSTER]);
  });

  it('are joined in turns with whatever else is to be done', async () => {
    const clusters = new Clusters();
    for (let n = 1; n < 60_000; n++) clusters.add(`m${n - 1}`, `m${n}`, (n % 40) / 40);
    let turns = 0;
    let over = false;
    const others = (): void => {
      turns++;
      if (!over) setImmediate(others);
    };
    setImmediate(others);
    await clusters.joined();
    over = true;
    expect(turns).toBeGreaterThan(30);
  });
});
