import { namesIn } from '../../src/modules/memory/question-entities.service.js';

describe('the names that a question may hold', () => {
  const names = (wording: string, speakers: string[] = []) => namesIn(wording, new Set(speakers));

  it('are its words and what two and three of them make, without marks', () => {
    expect(names('Meet Ana, in (New York)!')).toEqual([
      'Meet',
      'Meet Ana',
      'Ana',
      'Ana in New',
      'New',
      'New York',
      'York',
    ]);
  });

  it('are none of the words that every text has, and are whole without their owners’ ending', () => {
    expect(names('what did we')).toEqual([]);
    expect(names('Maria’s')).toEqual(['Maria']);
    expect(names("Is C++ Bob's?")).toContain('C++');
    expect(names("Is C++ Bob's?")).toContain('Bob');
  });

  it('are those of its first words, however long it is', () => {
    expect(names('word '.repeat(10_000))).toHaveLength(93);
    expect(names('x'.repeat(10_000))).toHaveLength(1);
  });

  it('are not those of who speaks, unless they are part of another', () => {
    expect(names('Did Ada meet Ada Byron?', ['ada', 'lovelac'])).toEqual([
      'Ada meet',
      'Ada meet Ada',
      'meet',
      'meet Ada',
      'meet Ada Byron',
      'Ada Byron',
      'Byron',
    ]);
  });
});
