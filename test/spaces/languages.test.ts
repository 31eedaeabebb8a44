import fc from 'fast-check';
import { languageNamed } from '../../src/spaces/words/languages.js';
import { askedTerms, searchTerms } from '../../src/spaces/asked-terms.js';
import { termsOf } from '../../src/spaces/terms.js';

/** How many of a question's words a text has. */
function shared(
  text: string,
  question: string,
  ...named: [] | [NonNullable<Parameters<typeof askedTerms>[1]>]
): number {
  const terms = new Set(termsOf(text));
  return askedTerms(question, ...named).filter((word) => word.some((term) => terms.has(term))).length;
}

/** A text, and a question that has words of it in other forms: how many. */
const INFLECTED: [string, string, string, number][] = [
  ['de', 'Meine Katze schläft am liebsten im Garten.', 'Wo sind die Katzen und die Gärten?', 2],
  ['de', 'Wir haben die alten Häuser in der Stadt besichtigt.', 'Welches Haus in den Städten?', 2],
  ['de', 'Anna liebt ihre Bücher.', 'Wem gehört das Buch?', 1],
  ['fr', 'Mon frère a acheté deux chevaux.', 'Qui achète un cheval ?', 2],
  ['fr', 'Elle travaillait dans une boulangerie.', 'Qui travaille dans les boulangeries ?', 2],
  ['fr', 'L’amie de Paul est partie avec les enfants.', 'Où sont les amies de l’enfant ?', 2],
  ['es', 'Mi hermana está trabajando en dos canciones nuevas.', '¿Quién trabaja en una canción?', 2],
  ['es', 'Compramos los gatos en el mercado.', '¿Dónde compraste el gato?', 2],
  ['it', 'Le mie amiche lavorano in una libreria.', 'Dove lavora la tua amica?', 2],
  ['it', 'Abbiamo visto i gatti nei giardini.', 'Dov’è il gatto del giardino?', 2],
  ['pt', 'Os meus irmãos estavam trabalhando na fábrica.', 'Onde trabalha o teu irmão?', 2],
  ['pt', 'A menina canta canções para as amigas.', 'Quem cantou com a amiga?', 2],
  ['nl', 'De kinderen hebben twee katten en veel boeken.', 'Wie heeft een kat en een boek?', 2],
  ['sv', 'Flickorna läser böckerna i trädgården.', 'Vilken flicka är i trädgårdar?', 2],
  ['da', 'Hundene løber efter kattene på gaden.', 'Hvilken hund løb efter katten?', 2],
  ['no', 'Jentene kjøpte båtene ved fjorden.', 'Hvilken jente har en båt?', 2],
  ['fi', 'Minun kissani nukkuvat talossa ja koirat ovat puutarhassa.', 'Missä talossa koira on?', 2],
  ['tr', 'Kediler evde uyuyor, çünkü bahçe çok soğuk.', 'Kedi nerede? Evler nasıl?', 2],
  ['pl', 'Moje koty śpią w ogrodach, a pies jest w domu.', 'Gdzie jest kot, w ogrodzie czy w domach?', 2],
  ['pl', 'Kupiliśmy nową książkę w księgarni.', 'Kto kupił książki?', 2],
  ['cs', 'Moje kočka spí na zahradě, protože je tam teplo.', 'Kde jsou kočky? V zahradách?', 2],
  ['cs', 'Včera jsme koupili nové knihy.', 'Kdo koupil knihu?', 2],
  ['hu', 'A macskák a kertben alszanak, mert ott meleg van.', 'Hol alszik a macska? Melyik kertek?', 1],
  ['hu', 'Anna vett két könyvet a városban.', 'Melyik könyvek vannak a városok között?', 2],
  ['ro', 'Pisicile dorm în grădină și câinele este în casă.', 'Unde doarme pisica? În grădini?', 2],
  ['ro', 'Am cumpărat cărți pentru prietenii mei.', 'Ce cumpără un prieten?', 2],
  ['ru', 'Мои кошки спят в садах.', 'Где спит кошка, в саду?', 2],
  ['ar', 'اشترى المعلمون سيارات جديدة', 'هل اشترى المعلم السيارة الجديدة؟', 4],
  ['el', 'Οι γάτες κοιμούνται στους κήπους.', 'Πού είναι η γάτα, στον κήπο;', 2],
];

describe('words of other languages', () => {
  it.each(INFLECTED)('meet across their forms (%s): %s', (_language, text, question, count) => {
    expect(shared(text, question)).toBeGreaterThanOrEqual(count);
  });

  it.each(INFLECTED)('meet as they stand (%s): %s', (_language, text) => {
    const terms = termsOf(text);
    expect(terms.length).toBeGreaterThan(1);
    expect(shared(text, text)).toBe(terms.length);
  });

  it.each<[string, string]>([
    ['Der Hund und die Katze sind nicht in der Küche, weil es dort zu kalt ist.', 'hund katz kuch kalt'],
    ['Il y a un chien dans la cuisine, mais le chat est avec nous.', 'chien cuisin chat'],
    ['El perro no está en la cocina porque hace frío.', 'perr cocin hac fri'],
    ['Il cane non è nella cucina perché fa freddo.', 'can cucin fa fredd'],
    ['Pies nie jest w kuchni, bo tam jest zimno.', 'pies kuchn zimn'],
    ['Pes není v kuchyni, protože je tam zima a on to nemá rád.', 'pes nen kuchyn protoz zim nem rad'],
    ['A kutya nincs a konyhában, mert ott hideg van.', 'kuty nincs konyh hideg'],
    ['Câinele nu este în bucătărie pentru că este frig.', 'cain bucatar frig'],
    ['De hond is niet in de keuken omdat het daar koud is.', 'hond keuk koud'],
  ])('leave out the stop words of their own language: %s', (text, stems) => {
    expect(termsOf(text)).toEqual(stems.split(' ').map((stem) => `~${stem}`));
  });

  it.each<[string, string, string]>([
    ['die', 'The soldiers die at dawn', 'soldiers die'],
    ['war', 'The war is over', 'the war'],
    ['no', 'He said no to the offer', 'offer'],
    ['hat', 'She wore a red hat', 'red hat'],
    ['come', 'They come here often', 'come often'],
    ['son', 'My son likes chess', 'son'],
    ['men', 'The men left early', 'men'],
    ['volt', 'A 9 volt battery', '9 volt'],
    ['mint', 'Fresh mint tea', 'mint'],
    ['ale', 'A pale ale', 'ale'],
    ['pod', 'One pod of whales', 'pod'],
    ['ai', 'AI and us', 'ai'],
  ])('take no word from an English text that is a stop word elsewhere: %s', (_word, text, question) => {
    expect(shared(text, question)).toBe(askedTerms(question).length);
    expect(termsOf(text).every((term) => !term.startsWith('~'))).toBe(true);
  });

  it('are found beside English ones in one question, and by names from an English one', () => {
    expect(shared('Müller hat die Rechnungen bezahlt, nicht wir.', 'What did Müller pay?')).toBe(1);
    expect(shared('Müller paid the invoices.', 'Was hat Müller bezahlt?')).toBe(1);
    expect(shared('Das Meeting ist am 12. Mai in Raum 42b', 'meeting 12 42b')).toBe(3);
  });

  it('of which too little is said to tell the language are found as they stand', () => {
    expect(shared('Katze gefüttert', 'Katze gefüttert?')).toBe(2);
    expect(termsOf('Que sera, sera')).not.toEqual([]);
    expect(shared('Que sera, sera', 'Que sera sera')).toBe(3);
  });

  it('are read as the caller says, who may know better than a few words tell', () => {
    expect(askedTerms('Gift', 'de')).toEqual([['gift', '~gift']]);
    expect(askedTerms('die Gifte', 'de')).toEqual([['gift', '~gift']]);
    expect(askedTerms('die Gifte', 'en')).toEqual([['die'], ['gift']]);
    expect(
      searchTerms([
        ['a', 'b', 'c'],
        ['d', 'e'],
      ]),
    ).toEqual(['a', 'd', 'b', 'c', 'e']);
  });

  it('are looked for in all languages where there are few, and in its own where a question is long', () => {
    const question = `Die ${'Katzen schlafen in den Gärten und '.repeat(40)} singen`;
    const words = askedTerms(question);
    expect(words.slice(0, 16).every((word) => word.length > 2)).toBe(true);
    expect(words.at(-1)).toEqual(['singen', '~sing']);
    expect(askedTerms(`What did ${'Müller order and '.repeat(40)} say`).at(-1)).toEqual(['say']);
  });

  it('have terms of at most 64 characters, none of them empty, whatever is asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        for (const term of [...termsOf(text), ...askedTerms(text).flat(), ...askedTerms(text, 'tr').flat()]) {
          expect(term.length).toBeGreaterThan(0);
          expect(term.length).toBeLessThanOrEqual(64);
          expect(term).not.toMatch(/\s/);
        }
      }),
    );
    expect(
      askedTerms(`über${'ß'.repeat(100)} und`)
        .flat()
        .every((term) => term.length <= 64),
    ).toBe(true);
  });
});

describe('a language', () => {
  it.each<[string, string | null]>([
    ['de', 'de'],
    ['de-AT', 'de'],
    ['DE_ch', 'de'],
    ['German', 'de'],
    ['Deutsch', 'de'],
    ['français', 'fr'],
    ['nb', 'no'],
    ['pt-BR', 'pt'],
    ['polski', 'pl'],
    ['cs-CZ', 'cs'],
    ['Magyar', 'hu'],
    ['ron', 'ro'],
    ['en', 'en'],
    ['en-GB', 'en'],
    ['english', 'en'],
    ['ts', null],
    ['python', null],
    ['go', null],
    ['ja', null],
    ['', null],
  ])('is known by the name %j as %s', (hint, language) => {
    expect(languageNamed(hint)).toBe(language);
  });
});
