import { LANGUAGE_CODES, LANGUAGES, type Language } from './languages.js';
import { AMBIGUOUS, STOP_WORDS, stopWords } from './stop-words.js';

/** What a word tells: a bit for each language whose stop word it is. */
const ENGLISH = 1;
const VAGUE = 2;
const BITS = LANGUAGE_CODES.map((language, at) => ({ language, bit: 4 << at, ...lettersOf(language) }));

function lettersOf(language: Language): { letters: RegExp } {
  return { letters: new RegExp(`^[\\0-\\x7f${LANGUAGES[language].letters}]+$`) };
}

/** Letters stand alone in initials and lists, too. */
function isVague(word: string): boolean {
  return word.length === 1 || AMBIGUOUS.has(word);
}

const marks = new Map<string, number>();
for (const word of stopWords) marks.set(word, ENGLISH);
for (const { language, bit } of BITS) {
  for (const word of STOP_WORDS[language]) {
    marks.set(word, (marks.get(word) ?? (isVague(word) ? VAGUE : 0)) | bit);
  }
}

/** Of which languages a word is a stop word: 0 where of none. */
export function markOf(word: string): number {
  return marks.get(word) ?? 0;
}

export function isEnglishStop(mark: number): boolean {
  return (mark & ENGLISH) !== 0;
}

/** Letters that come with English words and names less often than `é` or `ñ` do. */
const STRONG_LETTERS = /[äöüßåøæœãõğışąćęłńśźżčďěňřšťůžőűășțţ]/;
/** A word counts 1 by such letters, half by others; all of them together no more than this. */
const MOST_BY_LETTERS = 2;
/** What it takes where no word is one that only the other language has: three vague ones, or letters beside them. */
const ENOUGH = 1.5;

/**
 * In which language a text is, by its stop words, told while it is read as English: so an English text costs one look at
 * each word, which it costs anyway. Words that English has as well count for nobody. A text is in another language where
 * that one's words, each counted once, are more than all of the English ones; vague words and letters count for a part, and
 * without a clear word only where nothing is English. What is in doubt is English.
 */
export class LanguageEvidence {
  private english = 0;
  private foreign: Map<string, number> | null = null;
  private lettered: Set<string> | null = null;

  /** A word, in lower case and without accents, with its mark. */
  saw(word: string, mark: number): void {
    if (mark === ENGLISH) this.english++;
    else if (mark !== 0 && !isEnglishStop(mark)) (this.foreign ??= new Map<string, number>()).set(word, mark);
  }

  /** An ending that only English has, such as `don't`. */
  sawEnglish(): void {
    this.english++;
  }

  /** A word with its accents. */
  sawLetters(written: string): void {
    this.lettered ??= new Set<string>();
    if (this.lettered.size < 32) this.lettered.add(written);
  }

  /** Null: English, or there is no telling. */
  get language(): Language | null {
    if (this.foreign === null && this.lettered === null) return null;
    let best: Language | null = null;
    let most = this.english + 0.5;
    for (const { language, bit, letters } of BITS) {
      let clear = 0;
      let vague = 0;
      for (const mark of this.foreign?.values() ?? []) {
        if ((mark & bit) === 0) continue;
        if ((mark & VAGUE) === 0) clear++;
        else vague++;
      }
      const score = clear + vague / 2 + this.byLetters(letters);
      if (clear === 0 && (score < ENOUGH || this.english > 0)) continue;
      if (score > most) [best, most] = [language, score];
    }
    return best;
  }

  /** A word with another language's letters speaks against this one. */
  private byLetters(letters: RegExp): number {
    let worth = 0;
    let against = 0;
    for (const word of this.lettered ?? []) {
      if (!letters.test(word)) against++;
      else worth += STRONG_LETTERS.test(word) ? 1 : 0.5;
    }
    return Math.min(MOST_BY_LETTERS, worth) - against / 2;
  }

  /** Whether it is surely English: it has words of English, and more than of any other language. */
  get isEnglish(): boolean {
    return this.english > 0 && this.language === null;
  }
}
