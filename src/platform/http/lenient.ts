import { checkText } from './field-rules.js';

const TRUE: ReadonlySet<unknown> = new Set([true, 1, 'true', '1', 'yes', 'y', 'on']);
const FALSE: ReadonlySet<unknown> = new Set([false, 0, 'false', '0', 'no', 'n', 'off']);

/** A yes or no, however it is written. */
export function lenientFlag(given: unknown): boolean | undefined {
  const word = typeof given === 'string' ? given.trim().toLowerCase() : given;
  return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
}

/** A number, or digits that are one. */
export function lenientNumber(given: unknown): number | undefined {
  const number = typeof given === 'string' && /\d/.test(given) ? Number(given) : given;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** A text, cut where it is longer than `max` UTF-16 units; one that is blank or cannot be stored is none. */
export function lenientText(given: unknown, max: number): string | undefined {
  if (typeof given !== 'string') return undefined;
  // A cut must not leave half of a pair.
  const text = given
    .trim()
    .slice(0, max)
    .replace(/[\ud800-\udbff]$/, '');
  return checkText(text, {}) === null ? text : undefined;
}

/** How many times as much is looked at as `most` texts could be: a megabyte of commas is work, too. */
const LOOKED_AT = 4;

/** Texts, as a list or with commas between them, or both; no more than `most`, from the beginning of a long list. */
export function lenientTexts(given: unknown, most: number, max: number): string[] | undefined {
  const few = LOOKED_AT * most;
  const items = [given].flat().slice(0, few);
  const parts = items.flatMap((one) => (typeof one === 'string' ? one.split(',', few) : []));
  const texts = parts
    .slice(0, few)
    .map((part) => lenientText(part, max))
    .filter((text) => text !== undefined);
  return texts.length === 0 ? undefined : texts.slice(0, most);
}
