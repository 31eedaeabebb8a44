/** What is wrong with a value, and where inside it: `''` for the value itself, `[3]` for an item. */
export interface Fault {
  at: string;
  message: string;
}

/** Deeper than this nothing legitimate nests, and every recursive step after this one stays shallow. */
export const DEEPEST_JSON = 64;

/** NUL and lone surrogates: JSON can carry both, PostgreSQL's text and FalkorDB neither. */
export const UNSTORABLE = /\0|\p{Surrogate}/u;

/**
 * The first thing in parsed JSON that no store could keep: nesting beyond 64, a number that overflowed to
 * Infinity, NUL or half a surrogate pair in a text or a key. Null where there is none.
 *
 * `texts: false` skips the texts: JSON without a single `\u` escape cannot hold an unstorable one.
 */
export function jsonFault(value: unknown, texts = true, depth = 0): Fault | null {
  if (typeof value === 'string') {
    return texts && UNSTORABLE.test(value)
      ? { at: '', message: 'must not contain NUL or half a surrogate pair' }
      : null;
  }
  if (typeof value === 'number')
    return Number.isFinite(value) ? null : { at: '', message: 'must be a finite number' };
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= DEEPEST_JSON) return { at: '', message: `must not nest deeper than ${DEEPEST_JSON}` };
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === 'number' && Number.isFinite(item)) continue;
      const fault = jsonFault(item, texts, depth + 1);
      if (fault !== null) return { at: `[${i}]${fault.at}`, message: fault.message };
    }
    return null;
  }
  for (const [key, item] of Object.entries(value)) {
    if (texts && UNSTORABLE.test(key))
      return { at: '', message: 'must not have NUL or half a surrogate pair in a key' };
    const fault = jsonFault(item, texts, depth + 1);
    if (fault !== null) return { at: `.${key}${fault.at}`, message: fault.message };
  }
  return null;
}
