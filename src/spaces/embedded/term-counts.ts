/**
 * The terms of one memory as two numbers each: a hash of the term, and how often it occurs alone (high byte of the
 * low 16 bits) and joined (low byte), 255 at the most. A hash and not the word: it is short, and it is looked up as
 * an integer. With 50,000 different words in a workspace, one in 80,000 questions' words meets a stranger's hash;
 * it then scores a memory that it should not, and nothing worse.
 */
export type TermCounts = Uint32Array;

const MOST = 255;
const hashes = new Map<string, number>();
const HASHES_KEPT = 50_000;
const counts = new Map<number, number>();

/** Terms joined by spaces. `joined`: null where the memory has no joined text. */
export function countTerms(alone: string, joined: string | null): TermCounts {
  counts.clear();
  for (const term of split(alone)) add(hashTerm(term), 0x100, MOST << 8);
  if (joined !== null) for (const term of split(joined)) add(hashTerm(term), 1, MOST);
  const packed = new Uint32Array(counts.size * 2);
  let at = 0;
  for (const [hash, count] of counts) {
    packed[at++] = hash;
    packed[at++] = count;
  }
  return packed;
}

function add(hash: number, one: number, most: number): void {
  const known = counts.get(hash) ?? 0;
  if ((known & most) !== most) counts.set(hash, known + one);
}

export function split(terms: string): string[] {
  return terms === '' ? [] : terms.split(' ').filter((term) => term !== '');
}

/** FNV-1a with its bits mixed once more at the end. */
export function hashTerm(term: string): number {
  const known = hashes.get(term);
  if (known !== undefined) return known;
  let hash = 0x811c9dc5;
  for (let at = 0; at < term.length; at++) hash = Math.imul(hash ^ term.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = (hash ^ (hash >>> 13)) >>> 0;
  if (hashes.size >= HASHES_KEPT) hashes.clear();
  hashes.set(term, hash);
  return hash;
}
