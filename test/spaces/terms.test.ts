import fc from 'fast-check';
import { termsOf } from '../../src/spaces/terms.js';

describe('termsOf', () => {
  it('stems English words and leaves stop words out', () => {
    expect(termsOf('When did Melanie go camping with the kids?')).toEqual(['melani', 'go', 'camp', 'kid']);
  });

  it('keeps text order and repeats', () => {
    expect(termsOf('red red blue red')).toEqual(['red', 'red', 'blue', 'red']);
  });

  it.each([
    ["Caroline's", ['carolin']],
    ['Caroline’s', ['carolin']],
    ['caroline', ['carolin']],
    ["don't", []],
    ["doesn't can't won't", []],
    ["they're we've I'll", []],
    ["O'Brien", ['brien']],
    ["dogs' bowls", ['dog', 'bowl']],
    ["needn't 'quoted'", ['quot']],
  ])('reads the apostrophes of %s', (text, terms) => {
    expect(termsOf(text)).toEqual(terms);
  });

  it('keeps numbers', () => {
    expect(termsOf('7 May 2023, room 42b')).toEqual(['7', 'may', '2023', 'room', '42b']);
  });

  it('folds accents, so that café and cafe are one', () => {
    expect(termsOf('Café Zoë naïve Łódź straße')).toEqual(termsOf('cafe zoe naive lodz strasse'));
    expect(termsOf('l’homme')).toEqual(['homm']);
  });

  it('stems Cyrillic words as Russian ones, without stop words', () => {
    expect(termsOf('Ёлка и самовар')).toEqual(['елк', 'самовар']);
    expect(termsOf('ёлки у самовара')).toEqual(['елк', 'самовар']);
  });

  it('stems Arabic words lightly, whatever their vowel signs and alef', () => {
    expect(termsOf('أحمد يحب القهوة')).toEqual(['احمد', 'يحب', 'قهو']);
    expect(termsOf('السيارة والسيارات في سيارتها')).toEqual(['سيار', 'سيار', 'سيارت']);
    expect(termsOf('كِتَاب')).toEqual(termsOf('كتاب'));
    expect(termsOf('٢٠٢٣')).toEqual(['2023']);
  });

  it('cuts Chinese, Japanese and Korean into pairs that a part of the text shares', () => {
    expect(termsOf('東京都')).toEqual(['東京', '京都']);
    expect(termsOf('猫')).toEqual(['猫']);
    expect(termsOf('서울에서')).toEqual(expect.arrayContaining(termsOf('서울')));
    expect(termsOf('iPhone手机')).toEqual(['iphon', '手机']);
  });

  it('cuts Thai into words and keeps Hindi whole', () => {
    expect(termsOf('แมวกินปลา')).toContain('แมว');
    expect(termsOf('हिन्दी भाषा')).toEqual(['हिन्दी', 'भाषा']);
  });

  it('finds nothing in punctuation, emoji or nothing', () => {
    expect(termsOf('')).toEqual([]);
    expect(termsOf('… !? 🎉 --')).toEqual([]);
  });

  it('never gives an empty term, one with a space or one longer than 64', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        for (const term of termsOf(text)) {
          expect(term.length).toBeGreaterThan(0);
          expect(term.length).toBeLessThanOrEqual(64);
          expect(term).not.toMatch(/\s/);
        }
      }),
    );
  });

  it('is bounded for a long run without spaces', () => {
    const started = performance.now();
    expect(termsOf('a'.repeat(1_000_000))).toEqual(['a'.repeat(64)]);
    expect(termsOf(`${"a'".repeat(40_000)}`).length).toBeLessThan(70_000);
    expect(termsOf('é'.repeat(1_000_000)).length).toBe(1);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
