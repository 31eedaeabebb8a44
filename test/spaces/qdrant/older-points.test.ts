import { randomUUID } from 'node:crypto';
import { candidatesOf } from '../../../src/spaces/qdrant/hybrid-search.js';
import type { VectorQuery } from '../../../src/spaces/vector-space.js';
import { newWorkspace } from '../../contracts/engine-under-test.js';

describe('a point that an older version wrote', () => {
  it('is ranked by what it tells, and by usual values for what it does not', () => {
    const query: VectorQuery = {
      workspace: newWorkspace(),
      ...{ vector: null, terms: ['samovar'], filter: {}, marks: ['tea'], limit: 10 },
    };
    const point = (payload: Record<string, unknown>) => ({ id: randomUUID(), version: 1, score: 2, payload });
    const old = { era: 'e', id: 'm1', timestamp: 5, terms: 3, follows: false };
    expect(
      candidatesOf(query, [{ points: [point({ era: 'e' })] }, { points: [point(old)] }, { points: [] }]),
    ).toEqual([
      {
        ...{ id: 'm1', session: null, timestamp: 5, terms: 3, follows: false },
        ...{ speaker: null, asked: 0, importance: 0.5, confidence: 0.5, marks: [] },
        ...{ vector: { alone: null, joined: null }, text: { alone: 2, joined: null } },
      },
    ]);
  });
});
