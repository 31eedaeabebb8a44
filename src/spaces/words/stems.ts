import { newStemmer } from 'snowball-stemmers';
import { folded } from './folding.js';
import { LANGUAGE_CODES, LANGUAGES, type Language } from './languages.js';
import { Remembered } from './remembered.js';

/** Nobody searches for longer words; a run of letters without end would be one. In UTF-16 units, as terms are. */
export const MAX_TERM = 64;

const english = newStemmer('english');
const russian = newStemmer('russian');
const russianStems = new Remembered((word) => russian.stem(word));

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

function foreign(stem: string): string {
  return (FOREIGN + folded(stem)).slice(0, MAX_TERM);
}

const foreignStems = new Map(
  LANGUAGE_CODES.map((language) => {
    const stemmer = newStemmer(LANGUAGES[language].stemmer);
    return [language, new Remembered((word) => foreign(stemmer.stem(word)))] as const;
  }),
);
const allStems = new Remembered((word) => {
  return [...new Set(LANGUAGE_CODES.map((language) => stemIn(language, word)))];
});

/** Of a word in lower case, with its accents: the stemmers of most languages know by them. The stem has none. */
export function stemIn(language: Language, word: string): string {
  return foreignStems.get(language)?.of(word) ?? foreign(word);
}

/** The different stems that a word has, taken for a word of each language but English. */
export function stemsInAll(word: string): readonly string[] {
  return allStems.of(word);
}
