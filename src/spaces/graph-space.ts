import type { WorkspaceId } from '../tenancy/tenant.js';
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

export abstract class GraphSpace extends Projection<GraphItem> {
  /** Either direction counts. Nearest first, then stronger, ties by id; each memory once. Nothing known: []. */
  abstract related(query: RelatedQuery): Promise<Related[]>;
  /** An edge counts only where both its ends are there. */
  abstract count(): Promise<{ nodes: number; relationships: number }>;
  abstract list(): Promise<
    { kind: 'memory' | 'relation'; workspace: WorkspaceId; id: string; revision: number }[]
  >;
}

export abstract class GraphEngine {
  abstract readonly kind: string;
  abstract open(address: SpaceAddress): GraphSpace;
  abstract drop(address: SpaceAddress): Promise<void>;
  abstract ping(): Promise<void>;
}
