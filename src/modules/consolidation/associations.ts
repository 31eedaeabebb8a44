import { comparedTag } from '../../ledger/compared-tags.js';

/** A memory that was drawn by lot. */
export interface SampledMemory {
  id: string;
  type: string;
  tags: readonly string[];
  timestamp: Date;
  /** Unit length. */
  vector: Float32Array;
}

/** What two memories were found to have to do with each other, the older one first. */
export interface Association {
  from: string;
  to: string;
  kind: 'contrasts_with' | 'explains' | 'shares_theme' | 'parallel_context';
  /** 0..1 */
  confidence: number;
  /** The cosine of the two. */
  similarity: number;
}

/** From here on they say the same, and are related for that already. */
const THE_SAME = 0.8;
const WEEK_MS = 7 * 86_400_000;
/** Of what two memories can be at odds over. */
const OPPOSABLE = ['Decision', 'Preference'];

/**
 * Who among these has to do with whom though neither says what the other does, as AutoMem's creative association finds it: by
 * how much they resemble each other, by their types, and by their times. The surest first; each memory at most `each` times.
 */
export function associationsAmong(
  sample: readonly SampledMemory[],
  related: ReadonlySet<string>,
  { each, most }: { each: number; most: number },
): Association[] {
  const found: Association[] = [];
  for (const [at, one] of sample.entries()) {
    for (const other of sample.slice(at + 1)) {
      if (related.has(pairOf(one.id, other.id))) continue;
      const association = associationOf(one, other);
      if (association !== null) found.push(association);
    }
  }
  found.sort((a, b) => b.confidence - a.confidence || (pairOf(a.from, a.to) < pairOf(b.from, b.to) ? -1 : 1));
  const taken = new Map<string, number>();
  const chosen: Association[] = [];
  for (const association of found) {
    const ends = [association.from, association.to];
    if (chosen.length === most) break;
    if (ends.some((id) => (taken.get(id) ?? 0) >= each)) continue;
    for (const id of ends) taken.set(id, (taken.get(id) ?? 0) + 1);
    chosen.push(association);
  }
  return chosen;
}

export function pairOf(one: string, other: string): string {
  return one < other ? `${one}/${other}` : `${other}/${one}`;
}

export function cosineOf(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += (one[at] ?? 0) * (other[at] ?? 0);
  return sum;
}

function associationOf(one: SampledMemory, other: SampledMemory): Association | null {
  const similarity = cosineOf(one.vector, other.vector);
  if (!(similarity < THE_SAME)) return null;
  const [from, to] = one.timestamp <= other.timestamp ? [one, other] : [other, one];
  const as = (kind: Association['kind'], confidence: number): Association => ({
    from: from.id,
    to: to.id,
    kind,
    confidence: Math.round(confidence * 100) / 100,
    similarity: Math.round(similarity * 1e4) / 1e4,
  });
  const types = new Set([one.type, other.type]);
  const tags = new Set(other.tags.map(comparedTag));
  const shareTag = one.tags.some((tag) => tags.has(comparedTag(tag)));
  if (types.size === 1 && OPPOSABLE.includes(one.type) && shareTag && similarity < 0.3)
    return as('contrasts_with', 0.6);
  if (types.has('Insight') && types.has('Pattern') && similarity > 0.5) return as('explains', 0.7);
  if (types.size === 2 && similarity > 0.55) return as('shares_theme', similarity);
  const apart = Math.abs(one.timestamp.getTime() - other.timestamp.getTime());
  // Any two of a week would do for AutoMem; that they were filed together, and touch, makes it a context.
  if (apart < WEEK_MS && shareTag && similarity >= 0.2 && similarity < 0.4)
    return as('parallel_context', 0.5);
  return null;
}
