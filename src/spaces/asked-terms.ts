import { english, headsOf, readEnglish } from './words/english-reading.js';
import { folded } from './words/folding.js';
import type { Language } from './words/languages.js';
import { MAX_TERM, stemIn, stemsInAll } from './words/stems.js';
import { STOP_WORDS, stopWords } from './words/stop-words.js';
import { readable, readWords } from './words/word-reader.js';

/** Words of a question that are stemmed in all languages, which takes a quarter of a millisecond for each that is new. */
const IN_ALL = 16;
const LATIN_ONLY = /^[a-z]+$/;
const CAPITALIZED = /(?<![\p{L}\p{N}'])\p{Lu}[\p{L}\p{M}\p{N}]*/gu;

/**
 * What a question looks for: of each of its words the terms that a text may have for it, first the one of an English text.
 * A question is short and its language often not to be told, nor is it always that of the answer: so a word is looked for
 * under its stems in every language, unless the caller names one. Of a question that is surely English only the words that
 * may be names, or have accents, are; and of a long one, which tells its language, only the first.
 */
export function askedTerms(wording: string, named: Language | 'en' | null = null): string[][] {
  const plain = readable(wording);
  const { evidence } = readEnglish(plain);
  const language = named ?? evidence.language;
  const names = named === null && evidence.isEnglish ? namesIn(wording) : null;
  let inAll = named === null ? IN_ALL : 0;
  const termsFor = (word: string, written: string): string[] => {
    const { term } = english(word);
    const isForeign = names === null || word !== written || names.has(word);
    if (!isForeign || !LATIN_ONLY.test(word)) return [term];
    if (inAll > 0) {
      inAll--;
      return [term, ...othersOf(written, word, stemsInAll)];
    }
    if (language === null || language === 'en') return [term];
    return [term, ...othersOf(written, word, (form) => [stemIn(language, form)])];
  };
  const words =
    language === null || language === 'en' ? [] : wordsWithout(STOP_WORDS[language], plain, termsFor);
  return words.length > 0 ? words : wordsWithout(stopWords, plain, termsFor);
}

function wordsWithout(
  left: ReadonlySet<string>,
  plain: string,
  termsFor: (word: string, written: string) => string[],
): string[][] {
  const words: string[][] = [];
  readWords(plain, {
    latin: (_word, written) => {
      const parts = written.split("'");
      for (const [at, part] of parts.entries()) {
        for (const head of headsOf(part, at, parts)) {
          const word = folded(head);
          if (!left.has(folded(part)) && !left.has(word)) words.push(termsFor(word, head));
        }
      }
    },
    other: (term) => words.push([term]),
  });
  return words;
}

/** The terms of a question as a space is asked for them: those of English texts before all others. */
export function searchTerms(words: readonly (readonly string[])[]): string[] {
  return [...words.flatMap((word) => word.slice(0, 1)), ...words.flatMap((word) => word.slice(1))];
}

/** The terms that a text in another language than English may have for a word. */
function othersOf(
  written: string,
  word: string,
  stemsOf: (form: string) => readonly string[],
): readonly string[] {
  // Whoever asks may leave accents out that the text has, and the other way round.
  const forms = [...new Set([written, word])].map((form) => form.slice(0, MAX_TERM));
  return [...new Set(forms.flatMap(stemsOf))];
}

/** Words with a capital, which the question's language may not be the language of. */
function namesIn(wording: string): ReadonlySet<string> {
  return new Set(wording.match(CAPITALIZED)?.map((name) => folded(name.toLowerCase())));
}
