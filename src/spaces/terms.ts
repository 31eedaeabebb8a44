import { newStemmer } from 'snowball-stemmers';
import { stopWords } from './stop-words.js';

/** More than this is not read: it bounds the work for one text. In UTF-16 units. */
const MAX_TEXT = 65_536;
/** Nobody searches for longer words; a run of letters without end would be one. */
const MAX_WORD = 64;
const STEMS_KEPT = 20_000;

const ASCII_WORD = /[a-z0-9]+(?:'[a-z]+)*/g;
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}\u0640]*(?:'[\p{L}\p{M}]+)*/gu;
const NOT_ASCII = /[^\x00-\x7f]/;
/** Runs of one way of writing inside a word: `iPhone手机` is two. */
const RUN =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}ー]+|[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]+|[^\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}ー\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]+/gu;
const PAIRED = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}ー]/u;
const UNSPACED = /^[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const ARABIC = /\p{sc=Arabic}/u;
const FOLDED_SCRIPT = /[\p{sc=Latin}\p{sc=Greek}]/u;
const LATIN_ONLY = /^[a-z]+$/;

/** What follows an apostrophe in English and carries no meaning of its own. */
const ENDINGS: ReadonlySet<string> = new Set(['s', 't', 'd', 'm', 'll', 're', 've']);

/**
 * The words of a text as the spaces index them: in text order, repeats included, lower case, English stop
 * words left out, English words stemmed (Snowball), accents of Latin and Greek words folded, other scripts
 * unstemmed. Scripts without spaces come as overlapping pairs (Han, Kana, Hangul) or dictionary words (Thai
 * and its neighbours). Texts and questions go through the same steps, so what was written finds itself.
 */
export function termsOf(text: string): string[] {
  const lower = text.slice(0, MAX_TEXT).toLowerCase();
  const terms: string[] = [];
  if (!NOT_ASCII.test(lower)) {
    for (const [word] of lower.matchAll(ASCII_WORD)) addLatin(word, terms);
    return terms;
  }
  // NFKC: full-width letters and digits, ligatures and the like become what they stand for.
  const plain = lower.normalize('NFKC').replace(/[’ʼ‘＇]/g, "'");
  for (const [word] of plain.matchAll(WORD)) {
    if (!NOT_ASCII.test(word)) addLatin(word, terms);
    else for (const [run] of word.matchAll(RUN)) addRun(run, terms);
  }
  return terms;
}

function addRun(run: string, terms: string[]): void {
  if (PAIRED.test(run)) addPairs(run, terms);
  else if (UNSPACED.test(run)) addSegments(run, terms);
  else if (ARABIC.test(run)) addPlain(foldArabic(run), terms);
  else if (FOLDED_SCRIPT.test(run)) addFolded(run, terms);
  else addPlain(foldDigits(run).replaceAll('ё', 'е').replaceAll("'", ''), terms);
}

function addFolded(run: string, terms: string[]): void {
  const folded = run
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .replaceAll('ß', 'ss')
    .replaceAll('ø', 'o')
    .replaceAll('ł', 'l')
    .replaceAll('æ', 'ae')
    .replaceAll('œ', 'oe');
  if (!NOT_ASCII.test(folded)) addLatin(folded, terms);
  else addPlain(folded.replaceAll("'", '').replaceAll('ς', 'σ'), terms);
}

/** `caroline's` is caroline, `don't` is nothing, `o'brien` is brien, `l'homme` is homme. */
function addLatin(word: string, terms: string[]): void {
  if (!word.includes("'")) {
    addEnglish(word, terms);
    return;
  }
  const parts = word.split("'");
  for (const [at, part] of parts.entries()) {
    if (at > 0 && ENDINGS.has(part)) continue;
    // `doesn't`: the head still carries the n of the contraction.
    const head = at === 0 && parts[1] === 't' && part.endsWith('n') ? part.slice(0, -1) : part;
    if (head.length > 1 && !stopWords.has(part)) addEnglish(head, terms);
  }
}

function addEnglish(word: string, terms: string[]): void {
  if (stopWords.has(word)) return;
  terms.push(LATIN_ONLY.test(word) ? stemOf(word.slice(0, MAX_WORD)) : word.slice(0, MAX_WORD));
}

function addPlain(word: string, terms: string[]): void {
  if (word.length > 0) terms.push(word.slice(0, MAX_WORD));
}

function addPairs(run: string, terms: string[]): void {
  const letters = Array.from(run);
  const [first] = letters;
  if (letters.length === 1 && first !== undefined) terms.push(first);
  for (let at = 0; at + 1 < letters.length; at++) terms.push(`${letters[at]}${letters[at + 1]}`);
}

const segmenter = new Intl.Segmenter('th', { granularity: 'word' });

function addSegments(run: string, terms: string[]): void {
  for (const { segment, isWordLike } of segmenter.segment(run)) {
    if (isWordLike === true) addPlain(segment, terms);
  }
}

/** Vowel signs and the stretching stroke are optional in writing, and so are the forms of alef, yeh and teh. */
function foldArabic(run: string): string {
  return foldDigits(
    run
      .replace(/[\u064b-\u065f\u0670\u0640']/g, '')
      .replace(/[أإآٱ]/g, 'ا')
      .replaceAll('ى', 'ي')
      .replaceAll('ة', 'ه'),
  );
}

/** Arabic-Indic, Persian and Devanagari digits count as the digits they are. */
function foldDigits(run: string): string {
  return run.replace(/[٠-٩۰-۹०-९]/g, (digit) => {
    const code = digit.charCodeAt(0);
    return String(code - (code >= 0x966 ? 0x966 : code >= 0x6f0 ? 0x6f0 : 0x660));
  });
}

const stemmer = newStemmer('english');
/** Two generations: what was used since the last turn survives the next one. */
let stems = new Map<string, string>();
let olderStems = new Map<string, string>();

function stemOf(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  const stem = olderStems.get(word) ?? stemmer.stem(word);
  if (stems.size >= STEMS_KEPT) {
    olderStems = stems;
    stems = new Map();
  }
  stems.set(word, stem);
  return stem;
}
