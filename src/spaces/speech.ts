import { askedTerms } from './asked-terms.js';
import { termsOf } from './terms.js';

/** More than this is not read for what it asks: a long text is no question. In UTF-16 units. */
const MAX_TEXT = 8_192;
/**
 * `ada:`, `Mary-Ann O'Neil:`, `Ana de la Cruz:`, `小明：` at the beginning: one word, or up to five that begin with a
 * capital or are short, then a colon and what is said.
 */
const LABEL =
  /^\s*(\p{L}[\p{L}\p{M}\p{N}'’.-]{0,39}|[\p{Lu}\p{Lo}][\p{L}\p{M}\p{N}'’.-]{0,39}(?: (?:[\p{Lu}\p{Lo}\p{N}][\p{L}\p{M}\p{N}'’.-]{0,39}|\p{Ll}{1,3})){1,4})(?::\s|：)/u;
const SENTENCE = /[^.!?。！？؟\n]+[.!?。！？؟]*/g;
const ASKS = /[?？؟]/;
const WORD = /\S+/g;

/** How a text is spoken: ranking's facts about it that its words alone do not tell. */
export interface Speech {
  /** The terms of the name that it begins with, as a transcript's lines do, joined by spaces. Null: none. */
  speaker: string | null;
  /** How much of it asks and does not tell, by words: 0..1, in hundredths. */
  asked: number;
}

/** Reads a memory's content as a line of a transcript; one that is none has no speaker. */
export function speechOf(content: string): Speech {
  const text = content.slice(0, MAX_TEXT);
  const label = LABEL.exec(text);
  const speaker = nameTerms(nameIn(label?.[1] ?? '')).join(' ');
  return { speaker: speaker === '' ? null : speaker, asked: askedIn(text.slice(label?.[0].length ?? 0)) };
}

/** A name is the same in every language: it is stemmed as if it were English, wherever it stands. */
export function nameTerms(name: string): string[] {
  return askedTerms(name, 'en').flat();
}

/** Without numbers and small words between names, which questions have for other reasons. */
function nameIn(label: string): string {
  const words = label.split(' ');
  return words.length === 1 ? label : words.filter((word) => /^[\p{Lu}\p{Lo}]/u.test(word)).join(' ');
}

function askedIn(text: string): number {
  if (!ASKS.test(text)) return 0;
  let asking = 0;
  let all = 0;
  for (const [sentence] of text.matchAll(SENTENCE)) {
    const words = sentence.match(WORD)?.length ?? 0;
    all += words;
    if (ASKS.test(sentence)) asking += words;
  }
  return all === 0 ? 0 : Math.round((100 * asking) / all) / 100;
}

/**
 * A question without the names of those who speak: whom it is about is a part of ranking of its own, and a vector that
 * carries the name is near to everything that person says or is told. Only words in capitals are taken for names, where
 * a script has them. What would leave nothing to ask stays as it is.
 */
export function withoutSpeakers(wording: string, speakers: ReadonlySet<string>): string {
  if (speakers.size === 0) return wording;
  const kept = wording.split(/\s+/).filter((word) => !names(word, speakers));
  const left = kept.join(' ');
  return termsOf(left).length === 0 ? wording : left;
}

function names(word: string, speakers: ReadonlySet<string>): boolean {
  if (/^\P{L}*\p{Ll}/u.test(word)) return false;
  const terms = nameTerms(word);
  return terms.length > 0 && terms.every((term) => speakers.has(term));
}
