import { createHash } from 'node:crypto';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { LedgerId } from '../projection.js';
import type { EmbeddingModel } from '../vector-space.js';
import { TERMS_VERSION } from '../words/terms-version.js';

/** What one model's vectors are called in a collection that several models share, and which point is its watermark. */
export interface ModelNames {
  /** Stands for the model in payloads and after the names of its vectors. */
  model: string;
  /** Dense, of the model's length: cosines. */
  alone: string;
  joined: string;
  /** Sparse: words. Each model has its own, so that none counts a memory twice while two are filled side by side. */
  textAlone: string;
  textJoined: string;
  watermark: string;
}

export function modelNames(model: EmbeddingModel): ModelNames {
  const slug = digest(`${model.name}:${model.dimensions}`).slice(0, 12);
  return {
    model: slug,
    alone: `alone_${slug}`,
    joined: `joined_${slug}`,
    textAlone: `text_alone_${slug}`,
    textJoined: `text_joined_${slug}`,
    watermark: uuid(`watermark\0${slug}`),
  };
}

/** Whether a vector's name is one of this model's. */
export function isOf({ model }: ModelNames, vectorName: string): boolean {
  return vectorName.endsWith(`_${model}`);
}

/**
 * A memory's point, the same in every replica. The ledger is part of it: what a writer that was left behind by a
 * restore or a move still sends lands beside the points of the ledger that counts, and never over them.
 */
export function pointId(names: ModelNames, ledger: LedgerId, workspace: WorkspaceId, id: string): string {
  return uuid(`${names.model}\0${eraOf(ledger)}\0${workspace}\0${id}`);
}

/**
 * A ledger, and the terms that its texts have, in short, as every point carries it. A tenant has few of them one after the
 * other; 48 bits keep them apart.
 */
export function eraOf(ledger: LedgerId): string {
  return digest(`${ledger}\0${TERMS_VERSION}`).slice(0, 12);
}

/** 122 bits of a SHA-256, as a UUID (RFC 9562, version 8): two memories never meet in one. */
function uuid(text: string): string {
  const hex = digest(text);
  const variant = '89ab'[Number.parseInt(hex[16] ?? '0', 16) & 3] ?? '8';
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
