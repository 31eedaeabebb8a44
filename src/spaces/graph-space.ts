import type { WorkspaceId } from '../tenancy/tenant.js';
import { exactDigest, type Digest } from './digest.js';
import { Projection, type SpaceAddress } from './projection.js';
import type { Tombstone } from './vector-space.js';

/** A memory as a node, with edges to the entities that it names: they are nodes for as long as one names them. */
export interface MemoryNode {
  kind: 'memory';
  workspace: WorkspaceId;
  id: string;
  revision: number;
  gone: false;
  type: string;
  importance: number;
  timestamp: number;
  /** `<kind>:<HMAC>`, never a name in the clear: a projection holds no content. */
  entities: string[];
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

export interface SharersQuery {
  workspace: WorkspaceId;
  /** Whose; ids that the graph does not know share nothing. */
  of: string[];
  /** How many for each memory. */
  each: number;
  /** An entity that more memories name says too little: nobody is found by it. */
  most: number;
}

/** A memory that names what another one names. */
export interface Sharer {
  of: string;
  far: string;
  /** Of the entities that both name the one that the fewest do, and how many do; ties by the entity. */
  entity: string;
  mentions: number;
  /** How many they share, of those that not too many name. */
  shared: number;
}

export interface GraphCount {
  /** Memories. */
  nodes: number;
  /** Relations between them. */
  relationships: number;
  entities: number;
  mentions: number;
}

export const NOTHING_COUNTED: GraphCount = { nodes: 0, relationships: 0, entities: 0, mentions: 0 };

/** As far as a path is looked for. */
export const DEEPEST_PATH = 6;

/** A memory or a relation as a store holds it. */
export interface HeldNode {
  kind: 'memory' | 'relation';
  workspace: WorkspaceId;
  id: string;
  revision: number;
  /** Of a memory's entities; of a relation's type, ends and strength. */
  digest: Digest;
}

export const NOTHING_MORE: Digest = { exact: '', vectors: [] };

/** Of whom and what a memory names, in whatever order. */
export function mentionsDigest(entities: readonly string[]): Digest {
  if (entities.length === 0) return NOTHING_MORE;
  return { exact: exactDigest([...new Set(entities)].sort()), vectors: [] };
}

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
  /**
   * From memory to entity to memory. In the order in which they were asked for; of each those first with which it shares
   * what the fewest name, then those with which it shares more, ties by id; each memory once, and never itself.
   */
  abstract sharersOf(query: SharersQuery): Promise<Sharer[]>;
  /** A relation counts only where both its ends are there. */
  abstract count(): Promise<GraphCount>;
  /** Everything it holds, tombstones left out; for verifying against the ledger. Reads the whole store. */
  abstract list(): Promise<HeldNode[]>;

  /** The digest that `list` shows of an item which is held as it should be. */
  digestOf(item: MemoryNode | RelationEdge): Digest {
    return item.kind === 'memory' ? mentionsDigest(item.entities) : edgeDigest(item);
  }
}

export abstract class GraphEngine {
  abstract readonly kind: string;
  abstract open(address: SpaceAddress): GraphSpace;
  abstract drop(address: SpaceAddress): Promise<void>;
  abstract ping(): Promise<void>;
}
