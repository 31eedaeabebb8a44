import fc from 'fast-check';
import { classify, MEMORY_TYPES } from '../../src/modules/memory/memory-types.js';

describe('the type of a memory that comes without one', () => {
  it.each([
    ['We decided to use PostgreSQL instead of MongoDB', 'Decision'],
    ['The team settled on weekly releases', 'Decision'],
    ['Alice prefers tea in the morning.', 'Preference'],
    ['Her favourite colour is green', 'Preference'],
    ['Bob runs five miles every morning before work', 'Habit'],
    ['The build usually fails whenever the cache is cold', 'Pattern'],
    ['It turned out that the root cause was a missing index', 'Insight'],
    ['Keep the tone formal and the wording concise', 'Style'],
    ['The office is in Lisbon', 'Context'],
    ['It looks like the rain will stop', 'Context'],
    ['', 'Context'],
  ])('of %j is %s', (content, type) => {
    expect(classify(content)).toBe(type);
  });

  it('is the one that most of its words speak for', () => {
    expect(classify('She always, every morning, picked the same cup')).toBe('Habit');
  });

  it('is one of the known ones for any text', () => {
    const long = 'keeps keeps every every decid '.repeat(2_000);
    expect(MEMORY_TYPES).toContain(classify(long));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => MEMORY_TYPES.includes(classify(text))));
  });
});
