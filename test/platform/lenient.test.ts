import fc from 'fast-check';
import { checkText } from '../../src/platform/http/field-rules.js';
import { lenientFlag, lenientNumber, lenientText, lenientTexts } from '../../src/platform/http/lenient.js';

describe('what other systems’ clients send', () => {
  it('is a yes or no however it is written', () => {
    for (const yes of [true, 1, '1', 'true', 'TRUE', ' Yes ', 'on']) expect(lenientFlag(yes)).toBe(true);
    for (const no of [false, 0, '0', 'False', 'no', 'OFF']) expect(lenientFlag(no)).toBe(false);
    for (const odd of [null, undefined, '', 'perhaps', 2, {}, [true]])
      expect(lenientFlag(odd)).toBeUndefined();
  });

  it('is a number, or digits', () => {
    expect([3, '3', ' 2.5 ', '-1', 1e300].map(lenientNumber)).toEqual([3, 3, 2.5, -1, 1e300]);
    for (const odd of [NaN, Infinity, '', 'x', '1x', null, [], {}])
      expect(lenientNumber(odd)).toBeUndefined();
  });

  it('is texts with commas, as a list, or both', () => {
    expect(lenientTexts('a, b,,c', 9, 9)).toEqual(['a', 'b', 'c']);
    expect(lenientTexts(['a,b', 'c', 7, null, ' '], 9, 9)).toEqual(['a', 'b', 'c']);
    expect(lenientTexts(['a', 'b', 'c'], 2, 9)).toEqual(['a', 'b']);
    expect(lenientTexts({}, 9, 9)).toBeUndefined();
  });

  it('is texts among the first of a list, however long that is', () => {
    expect(lenientTexts(`${','.repeat(35)}a`, 9, 9)).toEqual(['a']);
    expect(lenientTexts(`${','.repeat(1_000_000)}a`, 9, 9)).toBeUndefined();
    expect(lenientTexts([...Array<null>(1_000_000).fill(null), 'a'], 9, 9)).toBeUndefined();
  });

  it('is never a text that is too long, blank or cannot be stored', () => {
    expect(lenientText('  words ', 9)).toBe('words');
    expect(lenientText('🧠🧠', 3)).toBe('🧠');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.nat(20), (given, max) => {
        const text = lenientText(given, max + 1);
        expect(text === undefined || (text.length <= max + 1 && checkText(text, {}) === null)).toBe(true);
      }),
    );
  });
});
