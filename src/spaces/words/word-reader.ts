import { folded, foldedArabic, foldedDigits } from './folding.js';
import { arabicStem, greekStem } from './light-stems.js';
import { MAX_TERM, russianStem } from './stems.js';
import { ARABIC_STOP_WORDS, RUSSIAN_STOP_WORDS } from './stop-words.js';

/** More than this is not read: it bounds the work for one text. In UTF-16 units. */
const MAX_TEXT = 65_536;

const ASCII_WORD = /[a-z0-9]+(?:'[a-z]+)*/g;
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}\u0640]*(?:'[\p{L}\p{M}]+)*/gu;
const NOT_ASCII = /[^\x00-\x7f]/;
/** Runs of one way of writing inside a word: `iPhone手机` is two. */
const RUN =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}ー]+|[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]+|[^\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}ー\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]+/gu;
const PAIRED = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}ー]/u;
const UNSPACED = /^[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const ARABIC = /\p{sc=Arabic}/u;
const CYRILLIC = /\p{sc=Cyrillic}/u;
const FOLDED_SCRIPT = /[\p{sc=Latin}\p{sc=Greek}]/u;

export interface WordReader {
  /** A word of the Latin script in lower case: without accents, and as it is written. May hold apostrophes. */
  latin(word: string, written: string): void;
  /** Of a word in another script: its terms, which its script alone tells. */
  other(term: string): void;
}

/** A text in lower case as its words are read from it; not more than what bounds the work. */
export function readable(text: string): string {
  const lower = text.slice(0, MAX_TEXT).toLowerCase();
  // NFKC: full-width letters and digits, ligatures and the like become what they stand for.
  return NOT_ASCII.test(lower) ? lower.normalize('NFKC').replace(/[’ʼ‘＇]/g, "'") : lower;
}

/** The words of a readable text, in order. */
export function readWords(plain: string, reader: WordReader): void {
  if (!NOT_ASCII.test(plain)) {
    for (const [word] of plain.matchAll(ASCII_WORD)) reader.latin(word, word);
    return;
  }
  for (const [word] of plain.matchAll(WORD)) {
    if (!NOT_ASCII.test(word)) reader.latin(word, word);
    else for (const [run] of word.matchAll(RUN)) readRun(run, reader);
  }
}

function readRun(run: string, reader: WordReader): void {
  if (PAIRED.test(run)) readPairs(run, reader);
  else if (UNSPACED.test(run)) readSegments(run, reader);
  else if (ARABIC.test(run)) readArabic(foldedArabic(run), reader);
  else if (FOLDED_SCRIPT.test(run)) readFolded(run, reader);
  else if (CYRILLIC.test(run))
    readCyrillic(foldedDigits(run).replaceAll('ё', 'е').replaceAll("'", ''), reader);
  else readPlain(foldedDigits(run).replaceAll("'", ''), reader);
}

function readFolded(run: string, reader: WordReader): void {
  const word = folded(run);
  if (!NOT_ASCII.test(word)) reader.latin(word, run);
  else readPlain(greekStem(word.replaceAll("'", '').replaceAll('ς', 'σ')), reader);
}

function readArabic(word: string, reader: WordReader): void {
  if (!ARABIC_STOP_WORDS.has(word)) readPlain(arabicStem(word), reader);
}

/** The script is Russian's, and its neighbours' besides: their words are stemmed alike wherever they stand. */
function readCyrillic(word: string, reader: WordReader): void {
  if (!RUSSIAN_STOP_WORDS.has(word)) readPlain(russianStem(word.slice(0, MAX_TERM)), reader);
}

function readPlain(word: string, reader: WordReader): void {
  if (word.length > 0) reader.other(word.slice(0, MAX_TERM));
}

function readPairs(run: string, reader: WordReader): void {
  const letters = Array.from(run);
  const [first] = letters;
  if (letters.length === 1 && first !== undefined) reader.other(first);
  for (let at = 0; at + 1 < letters.length; at++) reader.other(`${letters[at]}${letters[at + 1]}`);
}

const segmenter = new Intl.Segmenter('th', { granularity: 'word' });

function readSegments(run: string, reader: WordReader): void {
  for (const { segment, isWordLike } of segmenter.segment(run)) {
    if (isWordLike === true) readPlain(segment, reader);
  }
}
