import type { WorkspaceId } from '../tenancy/tenant.js';
import type { Digest } from './digest.js';
import { Projection, type SpaceAddress } from './projection.js';
import type { Speech } from './speech.js';

/** A model's name and the length of its vectors. Two vectors compare only under the same name. */
export interface EmbeddingModel {
  name: string;
  dimensions: number;
}

/** What a memory can be filtered by without its content. Times are milliseconds since 1970. */
export interface FilterFields {
  type: string;
  tags: string[];
  timestamp: number;
  /** When the memory began and ceased to hold, where that is known. */
  validFrom: number | null;
  validUntil: number | null;
  session: string | null;
  user: string | null;
  agent: string | null;
}

/** What ranking wants to know of a memory besides: numbers 0..1, kept to the hundredth. */
export interface RankingFacts extends Speech {
  importance: number;
  confidence: number;
}

/**
 * A memory as the vector space holds it: alone, and joined to the memory before it in its session.
 * Terms are stemmed words in text order, repeats included (`terms.ts`). A missing vector is applied with text alone.
 */
export interface MemoryPoint extends FilterFields, RankingFacts {
  workspace: WorkspaceId;
  id: string;
  revision: number;
  gone: false;
  alone: { terms: string[]; vector: Float32Array | null };
  /** `terms` are those of both texts. Null where no memory comes before it. */
  joined: { terms: string[]; vector: Float32Array | null } | null;
}

/** What is left of a memory that was deleted. */
export interface Tombstone {
  workspace: WorkspaceId;
  id: string;
  revision: number;
  gone: true;
}

export type VectorItem = MemoryPoint | Tombstone;

/** Absent: anything. All that are present must hold. */
export interface Filter {
  tags?: { values: string[]; mode: 'any' | 'all'; match: 'exact' | 'prefix' };
  excludeTags?: string[];
  types?: string[];
  /** Inclusive, milliseconds since 1970. */
  from?: number;
  until?: number;
  session?: string;
  user?: string;
  agent?: string;
  /** Only what holds at this moment: validFrom <= at < validUntil, open ends hold. */
  validAt?: number;
}

export interface VectorQuery {
  workspace: WorkspaceId;
  /** Unit length. Null: text only. */
  vector: Float32Array | null;
  /** Stemmed words of the question. Empty: vector only. Both empty: the filter alone, newest first. */
  terms: string[];
  filter: Filter;
  /** Tags that ranking looks for, at most 32: each candidate tells which of them it bears. */
  marks: string[];
  /** How many candidates at the most, at least 1. */
  limit: number;
}

/**
 * A candidate: an id, what its parts scored, and what ranking wants to know of it; never content.
 * Vector scores are cosines, text scores BM25 (higher is better, unbounded). Null: the part is missing,
 * or was not among those looked at.
 */
export interface Candidate extends RankingFacts {
  id: string;
  session: string | null;
  /** Milliseconds since 1970. */
  timestamp: number;
  /** How many terms its own text has. */
  terms: number;
  /** Whether a memory comes before it in its session: without one, alone and joined are the same text. */
  follows: boolean;
  /** Which of the query's marks it bears, in their order. */
  marks: string[];
  vector: { alone: number | null; joined: number | null };
  text: { alone: number | null; joined: number | null };
}

/** As many vectors at once as keep no other question waiting for longer than a search does. */
export const NEAR_AT_ONCE = 8;

export interface NearQuery {
  workspace: WorkspaceId;
  /** Each of unit length; at most `NEAR_AT_ONCE`. */
  vectors: readonly Float32Array[];
  /** A cosine: nothing further away is wanted. */
  atLeast: number;
  filter: Filter;
  /** For each vector. */
  limit: number;
}

/** A memory whose own vector is near. */
export interface Near {
  id: string;
  cosine: number;
}

/** A memory as a store holds it. */
export interface HeldMemory {
  workspace: WorkspaceId;
  id: string;
  revision: number;
  /** Of its vectors, terms and filter fields. */
  digest: Digest;
}

/** Throws a RangeError where a question's vector is of another model. */
export function checkLength({ name, dimensions }: EmbeddingModel, { length }: Float32Array): void {
  if (length !== dimensions) throw new RangeError(`${name} has ${dimensions} dimensions, not ${length}`);
}

export abstract class VectorSpace extends Projection<VectorItem> {
  /**
   * The union of the best by each part, at most `limit`, the most promising first, ties by id.
   * Every candidate that made the list by one part carries its vector scores too, where it has vectors.
   * Empty space, or nothing that passes the filter: [].
   */
  abstract search(query: VectorQuery): Promise<Candidate[]>;
  /**
   * For each vector, in their order, those whose own are near: nearest first, ties by id. By far cheaper than a search where
   * little is. Empty space, or nothing so near that passes the filter: [] for each.
   */
  abstract near(query: NearQuery): Promise<Near[][]>;
  /** Who speaks in a workspace: each memory's `speaker` once, in any order, at most so many. */
  abstract speakers(workspace: WorkspaceId, limit: number): Promise<string[]>;
  /** How many memories the space holds. */
  abstract count(): Promise<number>;
  /** Everything it holds, tombstones left out; for verifying against the ledger. Reads the whole store. */
  abstract list(): Promise<HeldMemory[]>;
  /** The digest that `list` shows of a memory which is held as it should be. */
  abstract digestOf(memory: MemoryPoint): Digest;
}

/** Opens tenants' vector spaces in one engine. One model, one projection: a second model is a second space beside it. */
export abstract class VectorEngine {
  /** `embedded`, `qdrant`: for health, metrics and logs. */
  abstract readonly kind: string;
  abstract open(address: SpaceAddress, model: EmbeddingModel): VectorSpace;
  /** Removes all that the engine keeps for this tenant, whatever the model. */
  abstract drop(address: SpaceAddress): Promise<void>;
  /** Bytes on disk for this tenant, 0 where there is nothing; null where the engine cannot tell. */
  abstract size(address: SpaceAddress): Promise<number | null>;
  /** Resolves where the engine answers, rejects where it does not. */
  abstract ping(): Promise<void>;
}
