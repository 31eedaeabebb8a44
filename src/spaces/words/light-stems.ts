import { folded } from './folding.js';

/** What an Arabic word may begin with that is a word of its own: 'and', 'the', 'by the' and so on. */
const ARABIC_BEGINNINGS = ['وال', 'بال', 'كال', 'فال', 'لل', 'ال'];
const ARABIC_ENDINGS = ['ها', 'ان', 'ات', 'ون', 'ين', 'يه', 'ه', 'ي'];

/**
 * An Arabic word without what is written together with it, and without the endings of number and gender; folded before.
 * Light stemming as in Light10 (Larkey, Ballesteros and Connell 2007), which serves search better than roots do.
 */
export function arabicStem(word: string): string {
  let stem = word.length > 3 && word.startsWith('و') ? word.slice(1) : word;
  // Without `ال` after it, the first letter may be the word's own.
  if (stem !== word && !stem.startsWith('ال')) stem = word;
  const beginning = ARABIC_BEGINNINGS.find((one) => stem.startsWith(one) && stem.length >= one.length + 2);
  if (beginning !== undefined) stem = stem.slice(beginning.length);
  for (const ending of ARABIC_ENDINGS) {
    if (stem.endsWith(ending) && stem.length >= ending.length + 2) stem = stem.slice(0, -ending.length);
  }
  return stem;
}

/** Endings of Greek nouns, adjectives and verbs, the longest first; without accents, and every sigma alike. */
const GREEK_ENDINGS =
  'ουμε ουσα ησουν ονται εται ουσ ουν εισ ετε αμε ατε ιου ιων ιεσ ιασ ια ιο ει οι οσ ου ον ων ασ εσ ησ αι α ο η ι υ ω ε'
    .split(' ')
    .sort((a, b) => b.length - a.length);

/** A Greek word without its ending, where three letters are left of it. */
export function greekStem(word: string): string {
  const ending = GREEK_ENDINGS.find((one) => word.endsWith(one) && word.length >= one.length + 3);
  return ending === undefined ? word : word.slice(0, -ending.length);
}

/** Endings of Polish nouns, adjectives and verbs, the longest first; without accents. */
const POLISH_ENDINGS =
  `iami ami iach ach owie owi ow iom om iem em iego ego iemu emu iej ej iymi ymi imi iych ych ich ym im ie ia iu a e i o u y
   ujemy ujesz uja uje owac owala owali owaly owal aja asz amy acie ac alam alem ala ali alo aly al
   ilismy ilysmy alismy alysmy elismy elysmy ylismy ylysmy isz imy icie ic ilam ilem ila ili ilo ily il ysz ymy ycie yc ylam ylem yla yli ylo yly yl iec ial iala ieli`
    .split(/\s+/)
    .sort((a, b) => b.length - a.length);

/** A Polish word without its accents and its ending, where three letters are left of it. */
export function polishStem(word: string): string {
  const plain = folded(word);
  const ending = POLISH_ENDINGS.find((one) => plain.endsWith(one) && plain.length >= one.length + 3);
  return ending === undefined ? plain : plain.slice(0, -ending.length);
}
