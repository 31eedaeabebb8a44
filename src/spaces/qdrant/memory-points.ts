import type { LedgerId } from '../projection.js';
import { ItemRefused } from '../space-errors.js';
import type { EmbeddingModel, MemoryPoint, VectorItem } from '../vector-space.js';
import { eraOf, pointId, type ModelNames } from './model-names.js';
import type { Abilities } from './server-abilities.js';
import { storedText, type SparseText } from './sparse-text.js';

/** A memory or a tombstone as Qdrant holds it. */
export interface QdrantPoint {
  id: string;
  vector: Record<string, number[] | SparseText>;
  payload: { revision: number } & Record<string, unknown>;
}

/** Where a batch goes: one model's part of one collection, for one ledger. */
export interface Destination {
  model: EmbeddingModel;
  names: ModelNames;
  ledger: LedgerId;
  abilities: Abilities;
}

/**
 * The points of a batch; of an item that comes twice, its newest. Throws `ItemRefused` where a vector has another
 * length than the model's or is not finite, before anything was sent.
 */
export function pointsOf(items: VectorItem[], to: Destination): QdrantPoint[] {
  const points = new Map<string, QdrantPoint>();
  for (const item of items) {
    const point = item.gone ? tombstone(item, to) : memory(item, to);
    const known = points.get(point.id);
    if (known === undefined || known.payload.revision < item.revision) points.set(point.id, point);
  }
  return [...points.values()];
}

function memory(item: MemoryPoint, to: Destination): QdrantPoint {
  return {
    id: pointId(to.names, to.ledger, item.workspace, item.id),
    vector: vectorsOf(item, to),
    payload: {
      ...identity(item, to),
      gone: false,
      ...(to.abilities.prefixes ? {} : { tag_prefixes: beginnings(item.tags) }),
      ...fieldsOf(item),
    },
  };
}

/** By the names of the model's vectors; absent where there is none. */
export function vectorsOf(
  item: MemoryPoint,
  { model, names }: Pick<Destination, 'model' | 'names'>,
): QdrantPoint['vector'] {
  const vector: QdrantPoint['vector'] = {};
  const add = (name: string, content: number[] | SparseText | null): void => {
    if (content !== null) vector[name] = content;
  };
  add(names.alone, storedVector(item, item.alone.vector, model));
  add(names.textAlone, storedText(item.alone.terms, 'alone'));
  if (item.joined !== null) {
    add(names.joined, storedVector(item, item.joined.vector, model));
    add(names.textJoined, storedText(item.joined.terms, 'joined'));
  }
  return vector;
}

/** What a memory can be filtered and ranked by, as its payload has it. */
export function fieldsOf(item: MemoryPoint): Record<string, unknown> {
  return {
    type: item.type,
    tags: item.tags,
    timestamp: item.timestamp,
    terms: item.alone.terms.length,
    follows: item.joined !== null,
    asked: hundredth(item.asked),
    importance: hundredth(item.importance),
    confidence: hundredth(item.confidence),
    ...known({
      valid_from: item.validFrom,
      valid_until: item.validUntil,
      session: item.session,
      user: item.user,
      agent: item.agent,
      speaker: item.speaker,
    }),
  };
}

function hundredth(value: number): number {
  return Math.round(value * 100) / 100;
}

/** No vectors, so that no search meets it; what is left keeps an older revision from coming back. */
function tombstone(item: VectorItem, to: Destination): QdrantPoint {
  return {
    id: pointId(to.names, to.ledger, item.workspace, item.id),
    vector: {},
    payload: { ...identity(item, to), gone: true },
  };
}

function identity({ workspace, id, revision }: VectorItem, { names, ledger }: Destination) {
  return { workspace, id, revision, model: names.model, era: eraOf(ledger) };
}

function known(fields: Record<string, string | number | null>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string | number] => field[1] !== null),
  );
}

/**
 * Every beginning of every tag, for servers that match keywords only as a whole. Tags come bounded (64 of 128
 * characters at the most, usually a few short ones), and so does this.
 */
export function beginnings(tags: string[]): string[] {
  const found = new Set<string>();
  for (const tag of tags) {
    let beginning = '';
    for (const character of tag) found.add((beginning += character));
  }
  return [...found];
}

/** Null where there is none, or one without a direction, which no cosine compares with. */
function storedVector(
  item: MemoryPoint,
  vector: Float32Array | null,
  model: EmbeddingModel,
): number[] | null {
  if (vector === null) return null;
  if (vector.length !== model.dimensions) {
    throw new ItemRefused(
      item,
      `a vector of ${vector.length} dimensions where ${model.dimensions} are wanted`,
    );
  }
  if (!vector.every(Number.isFinite)) throw new ItemRefused(item, 'a vector that is not finite');
  return vector.some((value) => value !== 0) ? sentVector(vector) : null;
}

/**
 * Eight decimals are finer than a 32-bit float near 1, and half as long to send as the nearest double. A vector that
 * is far from unit length is sent in full: rounding could take its direction away.
 */
export function sentVector(vector: Float32Array): number[] {
  let square = 0;
  for (const value of vector) square += value * value;
  const whole = Array.from(vector);
  return square > 0.25 && square < 4 ? whole.map((value) => Math.round(value * 1e8) / 1e8) : whole;
}
