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

/** One relation as a walk goes over it. */
export interface Link {
  id: string;
  type: string;
  from: string;
  to: string;
  strength: number;
}

/** A memory that was reached, by the last relation on its shortest way: never one of the starts. */
export interface Related {
  id: string;
  depth: number;
  /** The start from which it was reached first. */
  start: string;
  relation: Link;
}

export interface LinksQuery {
  workspace: WorkspaceId;
  /** Whose relations; ids that the graph does not know have none. */
  of: string[];
  /** Absent: every type. */
  types?: string[];
  minStrength?: number;
  /** How many of each memory. */
  each: number;
}

/** One of a memory's relations, and who is on its other side. */
export interface LinkOf {
  of: string;
  far: string;
  relation: Link;
}

export interface PathQuery {
  workspace: WorkspaceId;
  from: string;
  to: string;
  /** Absent: every type. */
  types?: string[];
  minStrength?: number;
  /** 1..6 */
  depth: number;
  /** So many relations may be looked at. A step for which there would have to be more is not taken. */
  most: number;
}

/** `links`: one after another from the first memory to the last; null: there is no way, or none was found. */
export interface Path {
  links: Link[] | null;
  /** Whether it looked at everything that it was to look at. */
  complete: boolean;
}

/** As far as a path is looked for. */
export const DEEPEST_PATH = 6;

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
  /**
   * Either direction counts. The memories in the order in which they were asked for; of each the strongest relations
   * first, ties by the other memory's id, then the relation's own. A relation of a memory with itself is left out.
   */
  abstract linksOf(query: LinksQuery): Promise<LinkOf[]>;
  /**
   * The shortest way between two memories, in either direction. Where several are as short, each memory on it is come to
   * by the strongest relation, ties by the relation's id.
   */
  async path(query: PathQuery): Promise<Path> {
    if (query.from === query.to) return { links: [], complete: true };
    const there = await this.pathFrom(query);
    if (there.complete) return there;
    // Who stands in a crowd is found from the outside.
    const back = await this.pathFrom({ ...query, from: query.to, to: query.from });
    return { links: back.links?.toReversed() ?? null, complete: back.complete };
  }
  /** The same as it is found from its first memory. */
  protected abstract pathFrom(query: PathQuery): Promise<Path>;
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
