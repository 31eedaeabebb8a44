import type { EmbeddingModel } from '../spaces/vector-space.js';

/** Queries go before bulk: somebody is waiting for them. */
export type EmbeddingUrgency = 'query' | 'bulk';

/**
 * Turns texts into vectors of unit length, in the order given.
 * Deterministic for each text alone: what else is in the call does not change its vector.
 * Rejects with `EmbedderUnavailable` where the model cannot answer in time.
 */
export abstract class Embedder {
  abstract readonly model: EmbeddingModel;
  abstract embed(texts: string[], urgency: EmbeddingUrgency): Promise<Float32Array[]>;
  /** Resolves where the model answers. */
  abstract ping(): Promise<void>;
  abstract close(): Promise<void>;
}
