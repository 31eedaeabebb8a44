import type { SpaceName, WorkspaceId } from '../../tenancy/tenant.js';
import type {
  GraphCount,
  GraphItem,
  HeldNode,
  LinkOf,
  LinksQuery,
  Path,
  PathQuery,
  Related,
  RelatedQuery,
  Sharer,
  SharersQuery,
} from '../graph-space.js';
import type { Applied, Batch, Watermark } from '../projection.js';
import type {
  EmbeddingModel,
  FilterFields,
  HeldMemory,
  Near,
  NearQuery,
  RankingFacts,
  Tombstone,
  VectorQuery,
} from '../vector-space.js';

/** One text of a memory on its way to a thread: terms joined by spaces, the vector in `PackedBatch.vectors`. */
export interface PackedText {
  terms: string;
  hasVector: boolean;
}

export interface PackedPoint extends FilterFields, RankingFacts {
  workspace: WorkspaceId;
  id: string;
  revision: number;
  gone: false;
  alone: PackedText;
  joined: PackedText | null;
}

export type PackedItem = PackedPoint | Tombstone;

/** Vectors lie one after another, in the order in which `hasVector` is true: one buffer, handed over uncopied. */
export interface PackedBatch extends Batch<PackedItem> {
  vectors: Float32Array;
}

/**
 * For each id, in `columns`, side by side: vector alone and joined, text alone and joined (NaN: none), the timestamp, how
 * many terms, 1 where it follows another, which of `sessions` and of `speakers` (-1: none), how much it asks, importance,
 * confidence, and its marks as bits.
 */
export interface PackedCandidates {
  ids: string[];
  sessions: string[];
  speakers: string[];
  columns: Float64Array;
}

export const CANDIDATE_COLUMNS = 13;
export const NO_CANDIDATES: PackedCandidates = {
  ids: [],
  sessions: [],
  speakers: [],
  columns: new Float64Array(0),
};

/** Everything that a thread can be asked for, with what it takes and gives. */
export interface SpaceWork {
  ping: { args: null; result: null };
  drop: { args: null; result: null };
  size: { args: null; result: number };
  'vectors.watermark': { args: { model: EmbeddingModel }; result: Watermark };
  'vectors.apply': { args: { model: EmbeddingModel; batch: PackedBatch }; result: Applied };
  'vectors.search': { args: { model: EmbeddingModel; query: VectorQuery }; result: PackedCandidates };
  'vectors.near': { args: { model: EmbeddingModel; query: NearQuery }; result: Near[][] };
  'vectors.speakers': {
    args: { model: EmbeddingModel; workspace: WorkspaceId; limit: number };
    result: string[];
  };
  'vectors.count': { args: { model: EmbeddingModel }; result: number };
  'vectors.list': {
    args: { model: EmbeddingModel };
    result: HeldMemory[];
  };
  'vectors.drop': { args: { model: EmbeddingModel }; result: null };
  'graph.watermark': { args: null; result: Watermark };
  'graph.apply': { args: { batch: Batch<GraphItem> }; result: Applied };
  'graph.related': { args: { query: RelatedQuery }; result: Related[] };
  'graph.linksOf': { args: { query: LinksQuery }; result: LinkOf[] };
  'graph.path': { args: { query: PathQuery }; result: Path };
  'graph.sharersOf': { args: { query: SharersQuery }; result: Sharer[] };
  'graph.count': { args: null; result: GraphCount };
  'graph.list': {
    args: null;
    result: HeldNode[];
  };
  'graph.drop': { args: null; result: null };
  close: { args: null; result: null };
}

export type WorkKind = keyof SpaceWork;

export interface WorkRequest {
  call: number;
  space: SpaceName;
  kind: WorkKind;
  args: SpaceWork[WorkKind]['args'];
}

/** `outage`: the engine failed, not what it was asked. */
export type WorkReply =
  | { call: number; result: SpaceWork[WorkKind]['result'] }
  | { call: number; error: { message: string; outage: boolean } };

export interface ThreadOptions {
  folder: string;
  maxOpen: number;
  /** How much memory a thread may spend on vectors it has read. */
  vectorBytes: number;
}
