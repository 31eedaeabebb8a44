import { holdsOneOf, namesByCode, phrasesIn, tagsIn } from '../../src/modules/memory/question.js';
import { speechOf, withoutSpeakers } from '../../src/spaces/speech.js';

describe('a line of a transcript', () => {
  it.each([
    ['Ada: I painted the gate.', 'ada'],
    ["Mary-Ann O'Neil: yes", 'mari ann neil'],
    ['  Señor Peña: sí', 'senor pena'],
    ['Ana de la Cruz: sí', 'ana cruz'],
    ['ada: hi', 'ada'],
    ['Agent 7: on my way', 'agent'],
    ['小明：我喜欢茶', '小明'],
    ['I painted the gate: twice over, and then again, and once more: done', null],
    ['https://example.com is where it is', null],
    ['12:30 is when we meet', null],
    ['The gate is painted', null],
    ['', null],
  ])('%j is said by %j', (content, speaker) => {
    expect(speechOf(content).speaker).toBe(speaker);
  });

  it.each([
    ['Ada: Where is it?', 1],
    ['Ada: It is here.', 0],
    ['It is in the old house. Where else?', 0.25],
    ['ماذا تشرب؟', 1],
    ['你喝什么？', 1],
    ['?', 0],
    ['', 0],
  ])('%j asks for %d of it', (content, asked) => {
    expect(speechOf(content).asked).toBe(asked);
  });

  it('is read in time, however long it is', () => {
    const startedAt = performance.now();
    for (const text of ['a '.repeat(50_000), 'a?'.repeat(50_000), `${'ab '.repeat(50_000)}:`]) speechOf(text);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('a question', () => {
  const speakers = new Set(['carolin', 'ann', 'ros']);

  it.each([
    ['What did Caroline research?', 'What did research?'],
    ["Where did Ann's brother and Caroline go?", 'Where did brother and go?'],
    ['Who gave Ada a rose?', 'Who gave Ada a rose?'],
    ['What did CAROLINE, say?', 'What did say?'],
    ['Caroline?', 'Caroline?'],
    ['Who is Caroline?', 'Who is Caroline?'],
  ])('%j is embedded without those who speak: %j', (wording, embedded) => {
    expect(withoutSpeakers(wording, speakers)).toBe(embedded);
    expect(withoutSpeakers(wording, new Set())).toBe(wording);
  });

  it.each([
    ['who said "Red Gate, please" and “not now”?', ['red gate please', 'not now']],
    ['the red gate', ['the red gate']],
    ['where is the red gate?', []],
    ['gate', []],
    ['""', []],
  ])('%j may want %j word for word', (wording, phrases) => {
    expect(phrasesIn(wording)).toEqual(phrases);
  });

  it('wants no more phrases than can be looked for, and looks for them once from end to end', () => {
    const quotes = Array.from({ length: 1_000 }, (_, at) => `"phrase ${at}"`).join(' ');
    expect(phrasesIn(quotes)).toHaveLength(16);
    // By the time that grows with the square of the length, each of these would take minutes.
    for (const opened of ['“', '«', '„', '“a ']) expect(phrasesIn(`${opened.repeat(400_000)}?`)).toEqual([]);
  });

  it('finds a phrase between words and not inside of one', () => {
    expect(holdsOneOf(['red gate'], 'The RED  gate!')).toBe(true);
    expect(holdsOneOf(['red gate'], 'a tired gate')).toBe(false);
    expect(holdsOneOf([], 'The red gate')).toBe(false);
  });

  it('may name tags as they stand or in lower case', () => {
    expect(tagsIn('Who likes Tea (home/pets)?')).toEqual(['who', 'likes', 'tea', 'home/pets']);
  });
});

describe('something that is named by a code', () => {
  it.each([
    'What is ticket 4821 about?',
    'who opened #4821',
    'MOB-712',
    'Which commit is 8c41f2e?',
    'What came with release 5.3.1?',
    'the charge of 49.00 EUR',
    'What is AES-256 for?',
    '4821号工单是什么？',
  ])('is in %j', (query) => {
    expect(namesByCode({ queries: ['Something else', query] })).toBe(true);
  });

  it.each([
    'What happened in 2023?',
    'Where was she on 2023-05-07 at 10:30?',
    'What did he do on his 18th birthday at 6am?',
    'Which 12 countries?',
    'music of the 90s and the 2010s',
    'Who is Ada?',
    '',
  ])('is not in %j', (query) => {
    expect(namesByCode({ queries: [query] })).toBe(false);
  });

  // By the time that grows with the square of the length, each of these would take minutes.
  it.each(['a', 'ς', '.', 'a.', '#', 'a-', '1a'])(
    'is looked for once from end to end: %j without end',
    (part) => {
      const query = part.repeat(400_000);
      expect(namesByCode({ queries: [query, `${query}!`] })).toBe(part === '1a');
    },
  );
});
