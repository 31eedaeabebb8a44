import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { Digest } from '../digest.js';
import type { Applied, Batch, SpaceAddress, Watermark } from '../projection.js';
import { ItemRefused } from '../space-errors.js';
import {
  checkLength,
  VectorEngine,
  VectorSpace,
  type Candidate,
  type EmbeddingModel,
  type HeldMemory,
  type MemoryPoint,
  type Near,
  type NearQuery,
  type VectorItem,
  type VectorQuery,
} from '../vector-space.js';
import { digestOfMemory } from './memory-digest.js';
import type { SpaceThreads } from './space-threads.js';
import {
  CANDIDATE_COLUMNS,
  type PackedBatch,
  type PackedCandidates,
  type PackedItem,
  type PackedText,
} from './space-work.js';

export class EmbeddedVectorEngine extends VectorEngine {
  readonly kind = 'embedded';

  constructor(private readonly threads: SpaceThreads) {
    super();
  }

  open(address: SpaceAddress, model: EmbeddingModel): VectorSpace {
    return new EmbeddedVectorSpace(this.threads, address, model);
  }

  /** Deletes the tenant's file, and with it its graph: it comes back by replay where it is still wanted. */
  async drop(address: SpaceAddress): Promise<void> {
    await this.threads.call(address.name, 'drop', null);
  }

  size(address: SpaceAddress): Promise<number> {
    return this.threads.call(address.name, 'size', null);
  }

  async ping(): Promise<void> {
    await this.threads.ping();
  }
}

class EmbeddedVectorSpace extends VectorSpace {
  constructor(
    private readonly threads: SpaceThreads,
    private readonly address: SpaceAddress,
    private readonly model: EmbeddingModel,
  ) {
    super();
  }

  watermark(): Promise<Watermark> {
    return this.threads.call(this.address.name, 'vectors.watermark', { model: this.model });
  }

  /** Rejects with `ItemRefused` where a vector has another length than the model's or is not finite. */
  async apply(batch: Batch<VectorItem>): Promise<Applied> {
    const packed = pack(batch, this.model.dimensions);
    const args = { model: this.model, batch: packed };
    return this.threads.call(this.address.name, 'vectors.apply', args, [packed.vectors.buffer]);
  }

  /** Rejects with a RangeError where the query's vector has another length than the model's. */
  async search(query: VectorQuery): Promise<Candidate[]> {
    if (query.vector !== null) checkLength(this.model, query.vector);
    // A copy, because cloning a view would clone all of the buffer that it looks at.
    const vector = query.vector === null ? null : query.vector.slice();
    const args = { model: this.model, query: { ...query, vector } };
    const transfer = vector === null ? [] : [vector.buffer];
    return unpack(await this.threads.call(this.address.name, 'vectors.search', args, transfer), query.marks);
  }

  /** Rejects with a RangeError where a vector has another length than the model's. */
  async near(query: NearQuery): Promise<Near[][]> {
    for (const vector of query.vectors) checkLength(this.model, vector);
    const vectors = query.vectors.map((vector) => vector.slice());
    const args = { model: this.model, query: { ...query, vectors } };
    const transfer = vectors.map(({ buffer }) => buffer);
    return this.threads.call(this.address.name, 'vectors.near', args, transfer);
  }

  speakers(workspace: WorkspaceId, limit: number): Promise<string[]> {
    const args = { model: this.model, workspace, limit };
    return this.threads.call(this.address.name, 'vectors.speakers', args);
  }

  count(): Promise<number> {
    return this.threads.call(this.address.name, 'vectors.count', { model: this.model });
  }

  list(): Promise<HeldMemory[]> {
    return this.threads.call(this.address.name, 'vectors.list', { model: this.model });
  }

  digestOf(memory: MemoryPoint): Digest {
    return digestOfMemory(memory);
  }

  async drop(): Promise<void> {
    await this.threads.call(this.address.name, 'vectors.drop', { model: this.model });
  }
}

function pack(
  batch: Batch<VectorItem>,
  dimensions: number,
): PackedBatch & { vectors: Float32Array<ArrayBuffer> } {
  const found: Float32Array[] = [];
  const items = batch.items.map((item): PackedItem => {
    if (item.gone) return item;
    const text = (part: MemoryPoint['alone']): PackedText => {
      if (part.vector !== null) found.push(checked(part.vector, item, dimensions));
      return { terms: part.terms.join(' '), hasVector: part.vector !== null };
    };
    return { ...item, alone: text(item.alone), joined: item.joined === null ? null : text(item.joined) };
  });
  const vectors = new Float32Array(found.length * dimensions);
  for (const [at, vector] of found.entries()) vectors.set(vector, at * dimensions);
  return { ...batch, items, vectors };
}

function checked(vector: Float32Array, item: MemoryPoint, dimensions: number): Float32Array {
  if (vector.length !== dimensions) {
    throw new ItemRefused(item, `a vector of ${vector.length} dimensions where ${dimensions} are wanted`);
  }
  if (!isFiniteVector(vector)) throw new ItemRefused(item, 'a vector that is not finite');
  return vector;
}

/** Calling `every` with a function costs twenty times as much, and a batch brings a hundred thousand numbers. */
function isFiniteVector(vector: Float32Array): boolean {
  for (const value of vector) if (!Number.isFinite(value)) return false;
  return true;
}

function unpack(
  { ids, sessions, speakers, columns }: PackedCandidates,
  marks: readonly string[],
): Candidate[] {
  const score = (value: number | undefined): number | null =>
    value === undefined || Number.isNaN(value) ? null : value;
  return ids.map((id, at) => {
    const first = at * CANDIDATE_COLUMNS;
    return {
      id,
      vector: { alone: score(columns[first]), joined: score(columns[first + 1]) },
      text: { alone: score(columns[first + 2]), joined: score(columns[first + 3]) },
      timestamp: columns[first + 4] ?? 0,
      terms: columns[first + 5] ?? 0,
      follows: columns[first + 6] === 1,
      session: sessions[columns[first + 7] ?? -1] ?? null,
      speaker: speakers[columns[first + 8] ?? -1] ?? null,
      asked: columns[first + 9] ?? 0,
      importance: columns[first + 10] ?? 0,
      confidence: columns[first + 11] ?? 0,
      marks: marksIn(marks, columns[first + 12] ?? 0),
    };
  });
}

const NO_MARKS: string[] = [];

function marksIn(marks: readonly string[], bits: number): string[] {
  return bits === 0 ? NO_MARKS : marks.filter((_, at) => ((bits >>> at) & 1) === 1);
}
