import { newStemmer } from 'snowball-stemmers';
import { folded } from './folding.js';
import { LANGUAGE_CODES, LANGUAGES, type Language } from './languages.js';
import { polishStem } from './light-stems.js';
import { Remembered } from './remembered.js';

/** Nobody searches for longer words; a run of letters without end would be one. In UTF-16 units, as terms are. */
export const MAX_TERM = 64;

/** Of each language; of English more, as nearly every text is read as that (`terms.ts`). */
const KEPT = 5_000;

const english = newStemmer('english');
const russian = newStemmer('russian');
const russianStems = new Remembered(KEPT, (word) => russian.stem(word));

/** Of a word in lower case, without accents. Not remembered. */
export function englishStem(word: string): string {
  return english.stem(word);
}

/** Of a word in lower case, without `ё`. */
export function russianStem(word: string): string {
  return russianStems.of(word);
}

/**
 * Stands before the stems of other languages than English, and before nothing else: so whatever is in English is found as
 * if there were none of them, and by them it is never found.
 */
const FOREIGN = '~';

/** A stemmer that leaves a single letter of a word has left too little (Czech's does, of `pes`). */
function foreign(word: string, stem = word): string {
  return (FOREIGN + folded(stem.length > 1 ? stem : word)).slice(0, MAX_TERM);
}

const stemmers = LANGUAGE_CODES.map((language) => {
  const { stemmer } = LANGUAGES[language];
  return [language, stemmer === 'polish' ? { stem: polishStem } : newStemmer(stemmer)] as const;
});
const foreignStems = new Map(
  stemmers.map(([language, stemmer]) => {
    return [language, new Remembered(KEPT, (word) => foreign(word, stemmer.stem(word)))];
  }),
);
const allStems = new Remembered(KEPT, (word) => {
  return [...new Set(stemmers.map(([, stemmer]) => foreign(word, stemmer.stem(word))))];
});

/** Of a word in lower case, with its accents: the stemmers of most languages know by them. The stem has none. */
export function stemIn(language: Language, word: string): string {
  return foreignStems.get(language)?.of(word) ?? foreign(word);
}

/** The different stems that a word has, taken for a word of each language but English. */
export function stemsInAll(word: string): readonly string[] {
  return allStems.of(word);
}
