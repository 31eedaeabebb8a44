import type { Language } from './words/languages.js';
import { Remembered } from './words/remembered.js';
import { englishStem, MAX_TERM, stemIn, stemsInAll } from './words/stems.js';
import { STOP_WORDS, stopWords } from './words/stop-words.js';
import { isEnglishStop, LanguageEvidence, markOf } from './words/text-language.js';
import { readable, readWords, type WordReader } from './words/word-reader.js';
import { folded } from './words/folding.js';

const LATIN_ONLY = /^[a-z]+$/;
const CAPITALIZED = /(?<![\p{L}\p{N}'])\p{Lu}[\p{L}\p{M}\p{N}]*/gu;
/** What follows an apostrophe in English and carries no meaning of its own. */
const ENDINGS: ReadonlySet<string> = new Set(['s', 't', 'd', 'm', 'll', 're', 've']);

/**
 * The words of a text as the spaces index them (a change here is a new `TERMS_VERSION`): in text order, repeats included, lower case, stop words left out, words
 * stemmed, accents of Latin and Greek words folded. Its stop words tell the language of a text in the Latin script; what is
 * in doubt is English. Other scripts tell theirs: Cyrillic words are stemmed as Russian, Arabic and Greek ones lightly,
 * others not at all. Scripts without spaces come as overlapping pairs (Han, Kana, Hangul) or dictionary words (Thai and its
 * neighbours).
 */
export function termsOf(text: string): string[] {
  const plain = readable(text);
  const { terms, evidence } = readEnglish(plain);
  const { language } = evidence;
  const foreign = language === null ? [] : foreignTerms(plain, language);
  // Of what is nothing but another language's stop words, something must be left to be found by.
  return foreign.length > 0 ? foreign : terms;
}

/**
 * What a question looks for: of each of its words the terms that a text may have for it, first the one of an English text.
 * A question is short and its language often not to be told, nor is it always that of the answer: so a word is looked for
 * under its stems in every language, unless the caller names one. Of a question that is surely English only the words that
 * may be names, or have accents, are.
 */
export function askedTerms(wording: string, named: Language | 'en' | null = null): string[][] {
  const plain = readable(wording);
  const { evidence } = readEnglish(plain);
  const language = named ?? evidence.language;
  const names = named === null && evidence.isEnglish ? namesIn(wording) : null;
  const termsFor = (word: string, written: string): string[] => {
    const { term } = english(word);
    const isEnglish = named === 'en' || (names !== null && word === written && !names.has(word));
    return isEnglish ? [term] : [term, ...othersOf(written, word, named)];
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

/** A text read as English, and what it tells of its language meanwhile. */
class EnglishReading implements WordReader {
  readonly terms: string[] = [];
  readonly evidence = new LanguageEvidence();

  latin(word: string, written: string): void {
    if (word !== written) this.evidence.sawLetters(written);
    if (word.includes("'")) {
      this.apostrophed(word);
      return;
    }
    const { mark, term } = english(word);
    if (mark !== 0) {
      this.evidence.saw(word, mark);
      if (isEnglishStop(mark)) return;
    }
    this.terms.push(term);
  }

  other(term: string): void {
    this.terms.push(term);
  }

  /** `caroline's` is caroline, `don't` is nothing, `o'brien` is brien, `l'homme` is homme. */
  private apostrophed(word: string): void {
    const parts = word.split("'");
    for (const [at, part] of parts.entries()) {
      if (at > 0 && ENDINGS.has(part)) this.evidence.sawEnglish();
      else if (at === 0) this.evidence.saw(part, markOf(part));
      for (const head of headsOf(part, at, parts)) {
        if (!stopWords.has(part) && !stopWords.has(head)) this.terms.push(english(head).term);
      }
    }
  }
}

function readEnglish(plain: string): EnglishReading {
  const reading = new EnglishReading();
  readWords(plain, reading);
  return reading;
}

/** What a part of a word with apostrophes is worth reading for; all of a word without. */
function headsOf(part: string, at: number, parts: readonly string[]): string[] {
  if (parts.length === 1) return [part];
  if (at > 0 && ENDINGS.has(part)) return [];
  // `doesn't`: the head still carries the n of the contraction.
  const head = at === 0 && parts[1] === 't' && part.endsWith('n') ? part.slice(0, -1) : part;
  return head.length > 1 ? [head] : [];
}

/** What English makes of a word: one look for all of it, as this is done for each word of each text. */
const known = new Remembered((word) => ({ mark: markOf(word), term: englishTerm(word) }));

function english(word: string): { mark: number; term: string } {
  return word.length > MAX_TERM ? { mark: 0, term: englishTerm(word) } : known.of(word);
}

function englishTerm(word: string): string {
  const short = word.slice(0, MAX_TERM);
  return LATIN_ONLY.test(word) ? englishStem(short) : short;
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

/** The terms that a text in another language than English may have for a word; numbers are the same in all. */
function othersOf(written: string, word: string, named: Language | 'en' | null): readonly string[] {
  if (!LATIN_ONLY.test(word)) return [];
  // Whoever asks may leave accents out that the text has, and the other way round.
  const forms = [...new Set([written, word])].map((form) => form.slice(0, MAX_TERM));
  const stems = forms.flatMap((form) =>
    named === null || named === 'en' ? stemsInAll(form) : [stemIn(named, form)],
  );
  return forms.length === 1 ? stems : [...new Set(stems)];
}

/** Words with a capital, which the question's language may not be the language of. */
function namesIn(wording: string): ReadonlySet<string> {
  return new Set(wording.match(CAPITALIZED)?.map((name) => folded(name.toLowerCase())));
}
