import type { EmbeddingModel } from '../../spaces/vector-space.js';
import type { Precision } from './minilm-graph.js';

/** The name that vectors are kept under: one for each precision, as their vectors differ. */
export function minilmModel(precision: Precision): EmbeddingModel {
  return { name: precision === 'int8' ? 'minilm-l6-v2-int8' : 'minilm-l6-v2', dimensions: 384 };
}
