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
