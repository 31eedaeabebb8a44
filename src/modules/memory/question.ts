import { comparedTag } from '../../ledger/compared-tags.js';
import type { ScoreFloor } from './score-floor.js';
import type { Filter } from '../../spaces/vector-space.js';
import type { Language } from '../../spaces/words/languages.js';

/** What a recall asks for. */
export interface Question {
  /** One or more wordings; a memory counts by the one it fits best. None: the filter alone, newest first. */
  queries: string[];
  /** Of the first wording, or in place of one: the caller has embedded it already. Unit length. */
  vector: Float32Array | null;
  /** The language that its words are in, where the caller says so. */
  language: Language | 'en' | null;
  /** In which days begin: a time zone's name. */
  zone: string;
  filter: Filter;
  /** What the caller says it is about: what fits ranks higher, nothing is left out. */
  context: CallerContext;
  /** Memories that the caller named: those that pass the filter come first, in this order. */
  pinned: string[];
  limit: number;
  /** How many each wording may bring. Infinity: as many as there are. */
  eachLimit: number;
  /** How many of the best are passed over. */
  offset: number;
  /** Below it nothing is returned. 0..1 */
  minScore: number;
  /** What is far below the best is left out. Null: nothing is. */
  floor: ScoreFloor | null;
  /** Whether what has none of the tags fills up where these leave fewer than asked for. */
  beyondTags: boolean;
  sort: RecallOrder;
  /** Whether what is new counts for more: always, never, or where the words ask for it. */
  recency: 'auto' | 'on' | 'off';
}

/** What a caller says it is about: what fits ranks higher, and nothing is left out because of it. */
export interface CallerContext {
  /** Tags as the indexes hold them. */
  tags: string[];
  /** Types of memories, in lower case. */
  types: string[];
  /** Words that a content may have, each as the terms that it may have for it. */
  words: string[][];
}

export type RecallOrder = 'score' | 'newest' | 'oldest' | 'updated last' | 'updated first';

/** Whether there is anything to rank by; without, the filter alone is asked for. */
export function isRanked({ queries, vector }: Pick<Question, 'queries' | 'vector'>): boolean {
  return queries.length > 0 || vector !== null;
}

const ASKS_FOR_NEW =
  /\b(?:latest|newest|(?:most )?recent(?:ly)?|lately|current(?:ly)?|now(?:adays)?|today|tonight|these days|this week|last time|up to date|as of|so far|still|any ?more)\b/i;

/** Whether what is new is to count for more. */
export function prefersNew({ recency, queries }: Pick<Question, 'recency' | 'queries'>): boolean {
  return recency === 'on' || (recency === 'auto' && queries.some((query) => ASKS_FOR_NEW.test(query)));
}

/** Years, days, hours, ordinals, and counts of two digits: what many memories have in common. */
const COMMON_NUMBER =
  /^(?:(?:19|20)\d\ds?|(?:19|20)\d\d-\d\d(?:-\d\d)?|\d{1,2}(?::\d\d)?(?:st|nd|rd|th|s|am|pm)?)$/i;
const LONG_NUMBER = /\d{3}|\d[./-]\d/;
const DIGIT = /\d/;
const LETTER = /\p{L}/u;

/** Whether it names something by a number or a code of its own: ticket 4821, MOB-712, 8c41f2e, release 5.3.1. */
export function namesByCode({ queries }: Pick<Question, 'queries'>): boolean {
  const words = queries.flatMap((query) => query.split(/[\s,;!?¿¡"'“”«»()[\]]+/));
  return words.some((word) => {
    const bare = word.replace(/^#|(?<![.:])[.:]+$/g, '');
    return isCode(bare) && !COMMON_NUMBER.test(bare);
  });
}

/** Each look is at the word once: a single pattern of them looks again from every letter on. */
function isCode(word: string): boolean {
  return LONG_NUMBER.test(word) || (DIGIT.test(word) && LETTER.test(word));
}

/** The words of a question as tags may have them, as they are compared. */
export function tagsIn(wording: string): string[] {
  const words = wording.split(/[\s,;.!?"()]+/).filter((word) => word !== '');
  return [...new Set(words.map(comparedTag))];
}

const ASKS = /[?？؟]/;
/** None begins within another: else what is never closed is looked through from each of its beginnings. */
const QUOTED = /"([^"]+)"|“([^“”]+)”|«([^«»]+)»|„([^„“”]+)[“”]/g;
/** Each is looked for in every memory that may be an answer. */
const MOST_PHRASES = 16;

/**
 * What may be wanted word for word: what is in quotes; without any, all of the wording, where that is more than a word
 * and asks nothing. In lower case, with a blank for whatever is no letter or digit; the first 16.
 */
export function phrasesIn(wording: string): string[] {
  const quoted = Array.from(wording.matchAll(QUOTED), (match) =>
    match.slice(1).find((one) => one !== undefined),
  );
  if (quoted.length > 0) {
    const phrases = quoted.map((phrase) => plain(phrase ?? '')).filter((phrase) => phrase !== '');
    return [...new Set(phrases)].slice(0, MOST_PHRASES);
  }
  const whole = ASKS.test(wording) ? '' : plain(wording);
  return whole.includes(' ') ? [whole] : [];
}

/** Whether a text holds one of the phrases, not in the middle of a word. */
export function holdsOneOf(phrases: readonly string[], text: string): boolean {
  if (phrases.length === 0) return false;
  const words = ` ${plain(text)} `;
  return phrases.some((phrase) => words.includes(` ${phrase} `));
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
}
