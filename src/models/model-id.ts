import type { EmbeddingModel } from '../spaces/vector-space.js';

/** A model as the ledger names it: `<name>:<dimensions>`. */
export function modelId(model: EmbeddingModel): string {
  return `${model.name}:${model.dimensions}`;
}

export function parseModelId(id: string): EmbeddingModel {
  const colon = id.lastIndexOf(':');
  const dimensions = Number(id.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(dimensions) || dimensions < 1) {
    throw new Error(`The ledger names a model that is none: ${id}`);
  }
  return { name: id.slice(0, colon), dimensions };
}
