import { namesIn } from '../../src/modules/memory/question-entities.service.js';

describe('the names that a question may hold', () => {
  it('are its words and what two and three of them make, without marks', () => {
    expect(namesIn('Meet Ana, in (New York)!')).toEqual([
      'Meet',
      'Meet Ana',
      'Meet Ana in',
      'Ana',
      'Ana in',
      'Ana in New',
      'in New',
      'in New York',
      'New',
      'New York',
      'York',
    ]);
  });

  it('are none of the words that every text has, and are whole without their owners’ ending', () => {
    expect(namesIn('what did we')).toEqual([]);
    expect(namesIn('Maria’s')).toEqual(['Maria']);
    expect(namesIn("Is C++ Bob's?")).toContain('C++');
    expect(namesIn("Is C++ Bob's?")).toContain('Bob');
  });

  it('are those of its first words, however long it is', () => {
    expect(namesIn('word '.repeat(10_000))).toHaveLength(93);
    expect(namesIn('x'.repeat(10_000))).toHaveLength(1);
  });
});
