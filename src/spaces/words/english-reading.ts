import { Remembered } from './remembered.js';
import { englishStem, MAX_TERM } from './stems.js';
import { stopWords } from './stop-words.js';
import { isEnglishStop, LanguageEvidence, markOf } from './text-language.js';
import { readWords, type WordReader } from './word-reader.js';

const WORDS_KEPT = 20_000;
const LATIN_ONLY = /^[a-z]+$/;
/** What follows an apostrophe in English and carries no meaning of its own. */
const ENDINGS: ReadonlySet<string> = new Set(['s', 't', 'd', 'm', 'll', 're', 've']);

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

export function readEnglish(plain: string): EnglishReading {
  const reading = new EnglishReading();
  readWords(plain, reading);
  return reading;
}

/** What a part of a word with apostrophes is worth reading for; all of a word without. */
export function headsOf(part: string, at: number, parts: readonly string[]): string[] {
  if (parts.length === 1) return [part];
  if (at > 0 && ENDINGS.has(part)) return [];
  // `doesn't`: the head still carries the n of the contraction.
  const head = at === 0 && parts[1] === 't' && part.endsWith('n') ? part.slice(0, -1) : part;
  return head.length > 1 ? [head] : [];
}

/** What English makes of a word: one look for all of it, as this is done for each word of each text. */
const known = new Remembered(WORDS_KEPT, (word) => ({ mark: markOf(word), term: englishTerm(word) }));

export function english(word: string): { mark: number; term: string } {
  return word.length > MAX_TERM ? { mark: 0, term: englishTerm(word) } : known.of(word);
}

function englishTerm(word: string): string {
  const short = word.slice(0, MAX_TERM);
  return LATIN_ONLY.test(word) ? englishStem(short) : short;
}
