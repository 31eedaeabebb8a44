import { readEnglish } from './words/english-reading.js';
import { folded } from './words/folding.js';
import type { Language } from './words/languages.js';
import { MAX_TERM, stemIn } from './words/stems.js';
import { STOP_WORDS } from './words/stop-words.js';
import { readable, readWords } from './words/word-reader.js';

const LATIN_ONLY = /^[a-z]+$/;

/**
 * The words of a text as the spaces index them: in text order, repeats included, lower case, stop words left out, words
 * stemmed, accents of Latin and Greek words folded. Its stop words tell the language of a text in the Latin script; what is
 * in doubt is English. Other scripts tell theirs: Cyrillic words are stemmed as Russian, Arabic and Greek ones lightly,
 * others not at all. Scripts without spaces come as overlapping pairs (Han, Kana, Hangul) or dictionary words (Thai and its
 * neighbours). Where texts get other terms than before, `TERMS_VERSION` has to be another.
 */
export function termsOf(text: string): string[] {
  const plain = readable(text);
  const { terms, evidence } = readEnglish(plain);
  const { language } = evidence;
  const foreign = language === null ? [] : foreignTerms(plain, language);
  // Of what is nothing but another language's stop words, something must be left to be found by.
  return foreign.length > 0 ? foreign : terms;
}

function foreignTerms(plain: string, language: Language): string[] {
  const terms: string[] = [];
  readWords(plain, {
    latin: (_word, written) => {
      const parts = written.split("'");
      for (const part of parts) {
        const word = folded(part);
        if ((parts.length > 1 && word.length === 1) || STOP_WORDS[language].has(word)) continue;
        terms.push(
          LATIN_ONLY.test(word) ? stemIn(language, part.slice(0, MAX_TERM)) : word.slice(0, MAX_TERM),
        );
      }
    },
    other: (term) => terms.push(term),
  });
  return terms;
}
