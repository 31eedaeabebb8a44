import { relevanceAt, type AgingMemory } from '../../src/modules/consolidation/decay.js';

const DAY_MS = 86_400_000;
const NOW = new Date('2026-06-01T12:00:00Z');
const ago = (days: number) => new Date(NOW.getTime() - days * DAY_MS);

const memory = (given: Partial<AgingMemory> = {}): AgingMemory => ({
  since: ago(30),
  lastAccessed: null,
  accessCount: 0,
  relations: 0,
  importance: 0.5,
  confidence: 0.5,
  ...given,
});
const relevance = (given: Partial<AgingMemory> = {}, rate?: number) => relevanceAt(NOW, memory(given), rate);

describe('how relevant a memory still is', () => {
  it('is what AutoMem’s formula gives', () => {
    const expected = Math.exp(-0.3) * (0.3 + 0.3 * Math.exp(-0.05 * 30)) * 1 * 1 * 0.85;
    expect(relevance()).toBeCloseTo(expected, 10);
    const used = { lastAccessed: ago(10), accessCount: 1, relations: 3, importance: 0.4, confidence: 1 };
    const kept = Math.exp(-0.3) * (0.3 + 0.3 * Math.exp(-0.5)) * (1 + 0.3 * Math.log(4)) * 0.9;
    expect(relevance(used)).toBeCloseTo(kept, 10);
  });

  it('falls with age, at the rate that is asked for', () => {
    const ages = [0, 1, 10, 100, 400].map((days) => relevance({ since: ago(days) }));
    expect(ages).toEqual([...ages].sort((a, b) => b - a));
    expect(relevance({}, 0.1)).toBeLessThan(relevance({}, 0.01));
  });

  it('is kept by recalls, and by many for longer than by one', () => {
    const once = relevance({ lastAccessed: ago(20), accessCount: 1 });
    const often = relevance({ lastAccessed: ago(20), accessCount: 30 });
    expect(once).toBeGreaterThan(relevance());
    expect(often).toBeGreaterThan(once);
  });

  it('is kept by relations, importance and confidence', () => {
    for (const more of [{ relations: 2 }, { importance: 0.9 }, { confidence: 1 }])
      expect(relevance(more)).toBeGreaterThan(relevance());
  });

  it('never falls below three tenths of the importance, and never rises above one', () => {
    expect(relevance({ since: ago(10_000), importance: 0.8 })).toBeCloseTo(0.24, 10);
    expect(relevance({ since: ago(0), relations: 1_000, importance: 1, confidence: 1 })).toBe(1);
    expect(relevance({ since: ago(-30) })).toBeLessThanOrEqual(1);
  });
});
