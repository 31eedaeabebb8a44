import { speechOf } from '../../src/spaces/speech.js';
import { askedTerms, searchTerms } from '../../src/spaces/asked-terms.js';
import { termsOf } from '../../src/spaces/terms.js';
import type { MemoryPoint, VectorQuery } from '../../src/spaces/vector-space.js';
import type { WorkspaceId } from '../../src/tenancy/tenant.js';

export interface PointWords {
  id?: string;
  revision: number;
  text?: string;
  vector?: Float32Array | null;
  /** The text that came before it in its session. */
  before?: { text: string; vector: Float32Array | null };
  type?: string;
  tags?: string[];
  timestamp?: number;
  validFrom?: number;
  validUntil?: number;
  session?: string;
  user?: string;
  agent?: string;
  importance?: number;
  confidence?: number;
}

/** A memory's point, with what a test does not name left plain. */
export function point(workspace: WorkspaceId, words: PointWords): MemoryPoint {
  const alone = termsOf(words.text ?? '');
  const { before } = words;
  return {
    workspace,
    id: words.id ?? `m${words.revision}`,
    revision: words.revision,
    gone: false,
    type: words.type ?? 'Context',
    tags: words.tags ?? [],
    timestamp: words.timestamp ?? 1_000 + words.revision,
    validFrom: words.validFrom ?? null,
    validUntil: words.validUntil ?? null,
    session: words.session ?? null,
    user: words.user ?? null,
    agent: words.agent ?? null,
    ...speechOf(words.text ?? ''),
    importance: words.importance ?? 0.5,
    confidence: words.confidence ?? 0.8,
    alone: { terms: alone, vector: words.vector ?? null },
    joined:
      before === undefined ? null : { terms: [...termsOf(before.text), ...alone], vector: before.vector },
  };
}

export function question(
  workspace: WorkspaceId,
  words: Partial<VectorQuery> & { text?: string } = {},
): VectorQuery {
  const { text, ...rest } = words;
  const terms = searchTerms(askedTerms(text ?? ''));
  return { workspace, vector: null, terms, filter: {}, marks: [], limit: 20, ...rest };
}

/** A vector of unit length that points so far along each of its first dimensions. */
export function towards(dimensions: number, ...along: number[]): Float32Array {
  const vector = new Float32Array(dimensions);
  vector.set(along);
  return unit(vector);
}

export function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Unit vectors in clusters, as embeddings of texts about a number of subjects are. */
export function clusteredVectors(
  count: number,
  dimensions: number,
  clusters: number,
  random: () => number,
): Float32Array[] {
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const centres = Array.from({ length: clusters }, () => unit(new Float32Array(dimensions).map(gauss)));
  return Array.from({ length: count }, () => {
    const centre = centres[Math.floor(random() * clusters)] ?? new Float32Array(dimensions);
    const spread = 1.2 / Math.sqrt(dimensions);
    return unit(centre.map((value) => value + spread * gauss()));
  });
}
