import { askedTerms } from '../../../spaces/asked-terms.js';
import { termsOf } from '../../../spaces/terms.js';
import { MEMORY_TYPES, type MemoryType } from '../../memory/memory-types.js';
import { slugOf, type FoundEntity } from '../entity-kinds.js';
import { LONG, LONGEST_SUMMARY, NAMED_KINDS, READ, type ReadingQuestion } from './reading-question.js';

/** What a model says of a text, as far as the text bears it out. */
export interface ModelReading {
  entities: FoundEntity[];
  /** Null: it gave none, or one of something else. */
  summary: string | null;
  /** Null: it gave none that there is. */
  type: MemoryType | null;
}

const MOST_ENTITIES = 32;
const LONGEST_NAME = 80;
const LONGEST_LIST = 64;
/** Letters and digits of scripts that put spaces between words. */
const SPACED = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{N}]$/u;

/**
 * What an answer says of each text, by its key. Nothing of it is believed: a key that was not given, or is answered twice,
 * counts for nothing; neither does a name that the text does not use, a type that there is not, nor a summary most of whose
 * words are not the text's. Keys without an answer are left out. Null: it gets a note of ours wrong, and none of it counts.
 */
export function readingsIn(
  value: unknown,
  { texts, proofs }: Pick<ReadingQuestion, 'texts' | 'proofs'>,
): Map<string, ModelReading> | null {
  const given = new Map<unknown, unknown[]>();
  for (const one of listIn(value, 'readings')) {
    const key = memberOf(one, 'key');
    given.set(key, [...(given.get(key) ?? []), one]);
  }
  for (const [key, type] of proofs) {
    const [proof, ...more] = given.get(key) ?? [];
    if (more.length > 0 || memberOf(proof, 'type') !== type) return null;
  }
  const readings = new Map<string, ModelReading>();
  for (const [key, { text }] of texts) {
    const [one, ...more] = given.get(key) ?? [];
    if (one !== undefined && more.length === 0) readings.set(key, readingOf(one, text.slice(0, READ)));
  }
  return readings;
}

function readingOf(given: unknown, text: string): ModelReading {
  const entities = new Map<string, FoundEntity>();
  const within = inOneLine(text).toLowerCase();
  for (const kind of NAMED_KINDS) {
    for (const name of listIn(given, kind)) {
      if (typeof name !== 'string' || name.length > LONGEST_NAME || !names(within, name)) continue;
      const slug = slugOf(name);
      // A name is of one kind: the first that claims it.
      if (slug.length > 1 && !entities.has(slug) && entities.size < MOST_ENTITIES)
        entities.set(slug, { kind, name: inOneLine(name) });
    }
  }
  const type = memberOf(given, 'type');
  return {
    entities: [...entities.values()],
    summary: summaryIn(memberOf(given, 'summary'), text),
    type: MEMORY_TYPES.find((known) => known === type) ?? null,
  };
}

/** Whether a text, in one line of small letters, uses this name: as whole words, where words have spaces between them. */
function names(within: string, name: string): boolean {
  const wanted = inOneLine(name).toLowerCase();
  if (wanted === '') return false;
  for (let at = within.indexOf(wanted); at >= 0; at = within.indexOf(wanted, at + 1)) {
    const end = at + wanted.length;
    if (!isWithinWord(within, at) && !isWithinWord(within, end)) return true;
  }
  return false;
}

/** Whether the letters before and after this place belong to one word. */
function isWithinWord(text: string, at: number): boolean {
  return SPACED.test(text.charAt(at - 1)) && SPACED.test(text.charAt(at));
}

/** A summary of this very text: at least half of its words are the text's. */
function summaryIn(given: unknown, text: string): string | null {
  if (typeof given !== 'string' || text.length < LONG) return null;
  const summary = inOneLine(given.slice(0, LONGEST_SUMMARY));
  const own = new Set(termsOf(text));
  // A short summary does not always tell the language of its text.
  const words = askedTerms(summary);
  const borneOut = words.filter((word) => word.some((term) => own.has(term))).length;
  return words.length > 0 && borneOut * 2 >= words.length ? summary : null;
}

/** Without what no text may hold: control characters and halves of others. */
function inOneLine(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ')
    .trim();
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** The beginning of it: an answer may be as long as an attacker likes. */
function listIn(value: unknown, name: string): unknown[] {
  const list = memberOf(value, name);
  return Array.isArray(list) ? list.slice(0, LONGEST_LIST) : [];
}
