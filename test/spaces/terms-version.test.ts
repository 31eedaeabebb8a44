import { createHash } from 'node:crypto';
import { termsOf } from '../../src/spaces/terms.js';
import { TERMS_VERSION } from '../../src/spaces/words/terms-version.js';

/** In every script and language that is read in a way of its own. */
const TEXTS = [
  "Caroline's kids didn't go camping in the café on 7 May 2023, O'Brien did: room 42b.",
  'Meine Katze schläft am liebsten im Garten, nicht in der Küche der Häuser.',
  'L’amie de Paul travaillait dans une boulangerie avec ses enfants.',
  'Mi hermana está trabajando en dos canciones nuevas con los niños.',
  'Le mie amiche lavorano nella libreria perché è bella.',
  'Os meus irmãos estavam trabalhando na fábrica com as meninas.',
  'De kinderen hebben twee katten en veel boeken, niet wij.',
  'Flickorna läser böckerna i trädgården, inte på tåget.',
  'Hundene løber efter kattene på gaden, ikke i huset.',
  'Jentene kjøpte båtene ved fjorden, ikke noen bøker.',
  'Minun kissani nukkuvat talossa ja koirat ovat puutarhassa.',
  'Kediler evde uyuyor, çünkü bahçe çok soğuk.',
  'Moje koty śpią w ogrodach, a pies jest w domu.',
  'Moje kočky spí na zahradě, protože je tam teplo.',
  'A macskák a kertben alszanak, mert ott meleg van.',
  'Pisicile dorm în grădină și câinele este în casă.',
  'Мои кошки спят в садах, ёлка и самовар там же.',
  'اشترى المعلمون سيارات جديدة في ٢٠٢٣',
  'Οι γάτες κοιμούνται στους κήπους.',
  '東京都の猫と서울에서 iPhone手机 हिन्दी भाषा',
];

describe('the version of the terms', () => {
  it('is another where texts have other terms: what was built with the old ones is built again only then', () => {
    const terms = TEXTS.map((text) => termsOf(text).join(' ')).join('\n');
    const digest = createHash('sha256').update(terms).digest('hex').slice(0, 16);
    expect({ version: TERMS_VERSION, digest }).toEqual({ version: 4, digest: 'ccde2b2880bc760d' });
  });
});
