/** A text as Qdrant's sparse vectors hold it: a number for each word, and what the word is worth there. */
export interface SparseText {
  indices: number[];
  values: number[];
}

/** BM25's usual two: how soon repeats stop counting, and how much a long text is held against it. */
const K1 = 1.2;
const B = 0.75;
/**
 * Terms in a usual text, alone and joined to the one before. Qdrant's `idf` modifier knows how rare a word is, but not
 * how long texts are on average, and a stored value cannot follow an average that moves: so it is fixed. 2,960 turns of
 * conversation have 11.8 terms on average after stop words. A wrong average changes how much length counts, not the order
 * of texts of one length.
 */
const USUAL_LENGTH = { alone: 12, joined: 24 };
/** A question's first so many different terms count: it bounds the work, and nobody asks that much. */
const MOST_TERMS = 256;

/**
 * A stored text: for each word `tf (k1 + 1) / (tf + k1 (1 - b + b length / usual length))`, the half of BM25
 * (Robertson and Zaragoza 2009) that a text brings; Qdrant multiplies by its `idf`, and the sum is the score.
 * Null where there are no terms: Qdrant then holds no vector, and the text does not count as one when rarity is.
 */
export function storedText(terms: string[], part: 'alone' | 'joined'): SparseText | null {
  if (terms.length === 0) return null;
  const counts = new Map<number, number>();
  for (const term of terms) {
    const index = termIndex(term);
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  const length = K1 * (1 - B + (B * terms.length) / USUAL_LENGTH[part]);
  const value = (count: number): number => round((count * (K1 + 1)) / (count + length));
  return { indices: [...counts.keys()], values: [...counts.values()].map(value) };
}

/** A question's text: every different word once. */
export function askedText(terms: string[]): SparseText {
  const indices = [...new Set(terms.map(termIndex))].slice(0, MOST_TERMS);
  return { indices, values: indices.map(() => 1) };
}

/**
 * The number that stands for a word, the same for ever as it is stored: FNV-1a over UTF-16 units, its bits mixed once
 * more (murmur3's finalizer), of 32 bits because Qdrant's sparse indices have no more. With 50,000 different words in
 * a collection, one in 86,000 words of questions meets a stranger's number; it then scores a memory that it should
 * not, and nothing worse.
 */
export function termIndex(term: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < term.length; at++) hash = Math.imul(hash ^ term.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function round(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}
