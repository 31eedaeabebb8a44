import type { WorkspaceId } from '../tenancy/tenant.js';
import { exactDigest, type Digest } from './digest.js';
import { Projection, type SpaceAddress } from './projection.js';
import type { Tombstone } from './vector-space.js';

/** A memory as a node. */
export interface MemoryNode {
  kind: 'memory';
  workspace: WorkspaceId;
  id: string;
  revision: number;
  gone: false;
  type: string;
  importance: number;
  timestamp: number;
}

/** A typed, weighted edge. Its id is its own; at most one relation has the same ends and type. */
export interface RelationEdge {
  kind: 'relation';
  workspace: WorkspaceId;
  id: string;
  revision: number;
  gone: false;
  type: string;
  from: string;
  to: string;
  /** 0..1 */
  strength: number;
}

export type GraphItem = MemoryNode | RelationEdge | (Tombstone & { kind: 'memory' | 'relation' });

export interface RelatedQuery {
  workspace: WorkspaceId;
  /** Where to start; ids that the graph does not know are passed over. */
  from: string[];
  /** Absent: every type. */
  types?: string[];
  minStrength?: number;
  /** 1..3 */
  depth: number;
  limit: number;
}

/** A memory that was reached, by the last relation on its shortest way: never one of the starts. */
export interface Related {
  id: string;
  depth: number;
  /** The start from which it was reached first. */
  start: string;
  relation: { id: string; type: string; from: string; to: string; strength: number };
}

/** A memory or a relation as a store holds it. */
export interface HeldNode {
  kind: 'memory' | 'relation';
  workspace: WorkspaceId;
  id: string;
  revision: number;
  /** Of a relation's type, ends and strength. */
  digest: Digest;
}

export const NOTHING_MORE: Digest = { exact: '', vectors: [] };

/** Of what a walk goes by. */
export function edgeDigest({
  type,
  from,
  to,
  strength,
}: Pick<RelationEdge, 'type' | 'from' | 'to' | 'strength'>): Digest {
  return { exact: exactDigest([type, from, to, strength]), vectors: [] };
}

export abstract class GraphSpace extends Projection<GraphItem> {
  /** Either direction counts. Nearest first, then stronger, ties by id; each memory once. Nothing known: []. */
  abstract related(query: RelatedQuery): Promise<Related[]>;
  /** An edge counts only where both its ends are there. */
  abstract count(): Promise<{ nodes: number; relationships: number }>;
  /** Everything it holds, tombstones left out; for verifying against the ledger. Reads the whole store. */
  abstract list(): Promise<HeldNode[]>;

  /** The digest that `list` shows of an item which is held as it should be. Of a memory only its name is held. */
  digestOf(item: MemoryNode | RelationEdge): Digest {
    return item.kind === 'memory' ? NOTHING_MORE : edgeDigest(item);
  }
}

export abstract class GraphEngine {
  abstract readonly kind: string;
  abstract open(address: SpaceAddress): GraphSpace;
  abstract drop(address: SpaceAddress): Promise<void>;
  abstract ping(): Promise<void>;
}
