import { bridgesBetween } from '../../src/modules/memory/recall-bridges.js';
import type { LinkOf } from '../../src/spaces/graph-space.js';

describe('bridges between hits', () => {
  /** `a-x:0.5:LEADS_TO`: a relation of the hit `a` with `x`. */
  const links = (words: string): LinkOf[] =>
    words.split(' ').map((word) => {
      const [ends = '', strength = '1', type = 'RELATES_TO'] = word.split(':');
      const [of = '', far = ''] = ends.split('-');
      return { of, far, relation: { id: word, type, from: of, to: far, strength: Number(strength) } };
    });
  const hits = new Map([
    ['a', 0.8],
    ['b', 0.6],
    ['c', 0.2],
  ]);
  const bridges = (words: string): Record<string, number> =>
    Object.fromEntries(bridgesBetween(hits, links(words)));

  it('stand between the hits that they connect', () => {
    expect(bridges('a-x b-x')).toEqual({ x: 0.7 });
  });

  it('stand lower the weaker their relations are', () => {
    expect(bridges('a-x:0.5 b-x:0.5')['x']).toBeCloseTo(0.525);
    expect(bridges('a-x:0 b-x:0')['x']).toBeCloseTo(0.35);
  });

  it('need two different hits: two relations with one make none', () => {
    expect(bridges('a-x a-x:0.5:LEADS_TO')).toEqual({});
    expect(bridges('a-x b-y')).toEqual({});
  });

  it('count by the two best of several hits, and the strongest relation with each', () => {
    expect(bridges('a-x:0.5 a-x:1:LEADS_TO b-x c-x')).toEqual({ x: 0.7 });
  });

  it('are lifted the less, the less relations weigh', () => {
    const weighed = (weight: number) =>
      Object.fromEntries(bridgesBetween(hits, links('a-x b-x a-c b-c'), weight));
    expect(weighed(1)).toEqual({ x: 0.7, c: 0.7 });
    expect(weighed(0.5)).toEqual({ x: 0.35, c: expect.closeTo(0.45) as number });
    expect(weighed(0)).toEqual({});
  });

  it('lift a hit that connects better ones, and none that is better itself', () => {
    expect(bridges('a-c b-c c-a c-b')).toEqual({ c: 0.7 });
    expect(bridges('b-a c-a a-b c-b')).toEqual({});
  });

  it('are made of what somebody found out, not of likeness and order, which ranking knows already', () => {
    expect(bridges('a-x:1:SIMILAR_TO b-x:1:SIMILAR_TO')).toEqual({});
    expect(bridges('a-x:1:PRECEDED_BY b-x:1')).toEqual({});
    expect(bridges('a-x:1:DISCOVERED b-x:1:PART_OF')).toEqual({ x: 0.7 });
  });
});
