import { askedTerms } from '../../src/spaces/asked-terms.js';
import { termsOf } from '../../src/spaces/terms.js';

/**
 * English sentences, many with words that are others' stop words, and their terms as they were while every text was read as
 * English. What is in English must not be found worse for the sake of what is not.
 */
const SENTENCES: [string, string][] = [
  ['When did Melanie go camping with the kids?', 'melani go camp kid'],
  [
    "Caroline's counselling course starts in May; she's nervous about it.",
    'carolin counsel cours start may nervous',
  ],
  ['I was in a war, and the war was long.', 'war war long'],
  ['The soldiers die in the war. War is hell!', 'soldier die war war hell'],
  ['Die Hard is on tonight', 'die hard tonight'],
  ['Soldiers die. War ends.', 'soldier die war end'],
  ['No me, no you: so no.', ''],
  ['My son met two men at the door.', 'son met two men door'],
  ['Dove soap, hay bales and a comet over the sea', 'dove soap hay bale comet sea'],
  ['He wants the AI to pass the CI checks on Monday', 'want ai pass ci check monday'],
  ['The IT team in LA use vi, not nano', 'team la use vi nano'],
  ['La La Land won; we saw it at the Roxy', 'la la land saw roxi'],
  ['Los Angeles, San Diego and Las Vegas', 'los angel san diego las vega'],
  ['Visited Rio de Janeiro last spring', 'visit rio de janeiro last spring'],
  ['Ludwig van Beethoven and Vincent van Gogh', 'ludwig van beethoven vincent van gogh'],
  ['Leonardo da Vinci painted it', 'leonardo da vinci paint'],
  ['Van der Berg moved to Den Haag', 'van der berg move den haag'],
  ['Crème brûlée at the café with Zoë', 'creme brule cafe zoe'],
  ['A photo of a group of men sitting around a campfire', 'photo group men sit around campfir'],
  ['J.K. Rowling wrote about it', 'j k rowl wrote'],
  ['Example.com is down: the DNS of docs.example.com expired', 'exampl com dns doc exampl com expir'],
  ['TODO: fix the bug in main.ts before the release', 'todo fix bug main ts releas'],
  ["He can't, won't and shouldn't; they're what we've got.", 'got'],
  ['Ben, Kim and Dan are at the gym', 'ben kim dan gym'],
  ['Her ham sandwich, her mod car, her bare hands', 'ham sandwich mod car bare hand'],
  ['Mine are red, yours are blue', 'mine red blue'],
  ['There was a man in a hat', 'man hat'],
  ['Mere words do not mend a broken gate', 'mere word mend broken gate'],
  ['She has art class on Tue, and Sam has it on Wed', 'art class tue sam wed'],
  ['Do as I do, or as he does, on time', 'time'],
  ['A sin is a sin, and a tan is a tan', 'sin sin tan tan'],
  ['The sedan was sold for 900 dollars in 2019', 'sedan sold 900 dollar 2019'],
  ['Garden gate hinge', 'garden gate hing'],
  ['billing schedule', 'bill schedul'],
  ['Notre Dame, Paris', 'notr dame pari'],
  ['Oslo, Bergen, Malmö', 'oslo bergen malmo'],
  ['Dinner at eight: pasta, salad and a bottle of red', 'dinner eight pasta salad bottl red'],
  ['est. 1999, Inc.', 'est 1999 inc'],
  ['At 7pm the ship leaves port 42b', '7pm ship leav port 42b'],
  ['Their favourite colour is grey; its organisation suits them', 'favourit colour grey organis suit'],
  ['He said "je ne sais quoi" about the new flat', 'said je ne sai quoi new flat'],
  ['Hola! Gracias! she said to the driver', 'hola gracia said driver'],
  ["It's Ada's, isn't it?", 'ada'],
  ["O'Brien and D'Angelo didn't come", 'brien angelo come'],
  ['Running, runs, ran, runner', 'run run ran runner'],
  ['The United Nations met in New York on 24 October', 'unit nation met new york 24 octob'],
  ['Un and UN are not the same; the UN met', 'un un un met'],
  ['Per my last email, the fee is 5 per cent', 'per last email fee 5 per cent'],
  ['Fat cats sat on mats in flats', 'fat cat sat mat flat'],
];

describe('English', () => {
  it.each(SENTENCES)('is read as ever: %s', (sentence, terms) => {
    expect(termsOf(sentence).join(' ')).toBe(terms);
    expect(
      askedTerms(sentence)
        .map(([first]) => first)
        .join(' '),
    ).toBe(terms);
    expect(askedTerms(sentence, 'en').map((word) => word.join('|'))).toEqual(
      terms.split(' ').filter((term) => term !== ''),
    );
  });

  it('in a long text stays English, whatever it quotes', () => {
    const text = SENTENCES.map(([sentence]) => sentence).join('\n');
    expect(termsOf(text).join(' ')).toBe(
      SENTENCES.flatMap(([, terms]) => (terms === '' ? [] : [terms])).join(' '),
    );
  });

  it('asks no more of a question that is surely English than of its names', () => {
    const words = askedTerms('When did Ada visit the galleries in Zürich, the old café too?');
    expect(words.map((word) => word.length > 1)).toEqual([true, false, false, true, false, true]);
    expect(words.map(([first]) => first)).toEqual(['ada', 'visit', 'galleri', 'zurich', 'old', 'cafe']);
  });
});
