import { FINDERS, SCRUB_KINDS, type ScrubKind, type Span } from './secret-finders.js';

/** What was glued to something that is masked now stands by itself, and is looked at again. */
const MOST_ROUNDS = 4;
/** As most names are: nothing that is masked has so few letters and no digit. */
const PLAIN_NAME = /^[A-Za-z_]{1,32}$/;
/** How much of a value is looked at to tell that it is one that a name makes a secret. */
const LONGEST_SEEN = 64;

/** What was masked, and where; never what it was. */
export interface Masked {
  kind: ScrubKind;
  count: number;
  /** As requests name it: `content`, `tags[2]`, `metadata.contact.phone`. */
  field: string;
}

/** What stands where something was masked. It is found by nothing, so that masking twice changes nothing. */
export function maskOf(kind: ScrubKind): string {
  return `[masked:${kind}]`;
}

/** The text without what is of these kinds. What was masked is added to `masked`. */
export function scrubText(
  text: string,
  kinds: readonly ScrubKind[],
  field: string,
  masked: Masked[],
): string {
  const counts = new Map<ScrubKind, number>();
  let clean = text;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = clean;
    for (const kind of SCRUB_KINDS) {
      if (!kinds.includes(kind)) continue;
      const spans = FINDERS[kind](clean);
      if (spans.length === 0) continue;
      counts.set(kind, (counts.get(kind) ?? 0) + spans.length);
      clean = without(clean, spans, maskOf(kind));
    }
    if (clean === before) break;
  }
  for (const [kind, count] of counts) masked.push({ kind, count, field });
  return clean;
}

function without(text: string, spans: readonly Span[], mask: string): string {
  const parts: string[] = [];
  let end = 0;
  for (const [from, to] of spans) {
    parts.push(text.slice(end, from), mask);
    end = to;
  }
  return parts.join('') + text.slice(end);
}

/**
 * The same of every text in a JSON value, of the names of its members, and of numbers so long that they may be a card's.
 * A text whose member is called as secrets are, `{"password": "…"}`, is one whole.
 */
export function scrubJson(
  value: unknown,
  kinds: readonly ScrubKind[],
  field: string,
  masked: Masked[],
): unknown {
  if (kinds.length === 0) return value;
  if (typeof value === 'string') return scrubText(value, kinds, field, masked);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Math.abs(value) < 1e12) return value;
    const clean = scrubText(String(value), kinds, field, masked);
    return clean === String(value) ? value : clean;
  }
  if (Array.isArray(value)) return value.map((item, i) => scrubJson(item, kinds, `${field}[${i}]`, masked));
  if (typeof value !== 'object' || value === null) return value;
  const clean: [string, unknown][] = [];
  const taken = new Set<string>();
  for (const [name, member] of Object.entries(value)) {
    const found: Masked[] = [];
    const shown = unlike(PLAIN_NAME.test(name) ? name : scrubText(name, kinds, '', found), taken);
    const place = field === '' ? shown : `${field}.${shown}`;
    for (const { kind, count } of found) masked.push({ kind, count, field: place });
    clean.push([shown, scrubMember(name, member, kinds, place, masked)]);
  }
  return Object.fromEntries(clean);
}

function scrubMember(
  name: string,
  value: unknown,
  kinds: readonly ScrubKind[],
  place: string,
  masked: Masked[],
): unknown {
  const clean = scrubJson(value, kinds, place, masked);
  if (typeof clean !== 'string' || !kinds.includes('password')) return clean;
  // A pass phrase has spaces.
  const set = `${name}=${clean.slice(0, LONGEST_SEEN).replace(/[\s"',;]/g, '_')}`;
  if (!FINDERS.password(set).some(([from]) => from === name.length + 1)) return clean;
  masked.push({ kind: 'password', count: 1, field: place });
  return maskOf('password');
}

/** Two names that are masked alike stay two. */
function unlike(name: string, taken: Set<string>): string {
  let other = name;
  for (let nth = 2; taken.has(other); nth++) other = `${name} ${nth}`;
  taken.add(other);
  return other;
}
