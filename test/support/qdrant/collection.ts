import { passes, sameId, Unreadable, type Filter, type Point } from './filter.js';
import { byId } from './query.js';

export interface StandInAbilities {
  /** 1.19: `match: {prefix}`. */
  prefixes: boolean;
  /** 1.19: `params.idf.corpus`. */
  idfCorpus: boolean;
  /** Named vectors can be added and taken away. */
  vectorNames: boolean;
}

/** A refusal with Qdrant's status and words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface DenseConfig {
  size: number;
  distance: string;
}

/** One change of a collection, as it came: what is written down to be done again after a restart. */
export type Change =
  | { kind: 'update'; operation: Record<string, unknown> }
  | { kind: 'index'; field: string; schema: { type: string; range?: boolean } }
  | { kind: 'vector'; name: string; config: { dense?: DenseConfig; sparse?: { modifier?: string } } }
  | { kind: 'no vector'; name: string };

type Id = string | number;
interface PointStruct {
  id: Id;
  vector: Record<string, number[] | { indices: number[]; values: number[] }>;
  payload?: Record<string, unknown> | null;
}
interface Selector {
  points?: Id[] | null;
  filter?: Filter | null;
}

/** One collection in memory: named dense and sparse vectors, payloads, one change after the other. */
export class Collection {
  readonly points = new Map<string, Point>();
  readonly dense = new Map<string, DenseConfig>();
  readonly sparse = new Map<string, { modifier: string }>();
  readonly indexes = new Map<string, { type: string; range?: boolean }>();
  readonly changes: Change[] = [];
  private version = 0;

  constructor(
    readonly config: Record<string, unknown>,
    readonly abilities: StandInAbilities,
  ) {
    const { vectors, sparse_vectors } = config as {
      vectors?: Record<string, DenseConfig>;
      sparse_vectors?: Record<string, { modifier?: string } | undefined>;
    };
    for (const [name, { size, distance }] of Object.entries(vectors ?? {}))
      this.dense.set(name, { size, distance });
    for (const [name, one] of Object.entries(sparse_vectors ?? {})) {
      this.sparse.set(name, { modifier: one?.modifier ?? 'none' });
    }
  }

  /** Applies one change, whole or not at all, and writes it down. Answers with its number. */
  change(change: Change): number {
    this.apply(change);
    this.changes.push(change);
    return this.version++;
  }

  lets(point: Point, filter: Filter | null | undefined): boolean {
    return passes(point, filter, this.abilities.prefixes);
  }

  matching(filter: Filter | null | undefined): Point[] {
    return [...this.points.values()].filter((point) => this.lets(point, filter)).sort(byId);
  }

  byIds(ids: Id[]): Point[] {
    return ids.flatMap((id) => this.points.get(String(id).toLowerCase()) ?? []);
  }

  noSuchVector(name: string): Refusal {
    return new Refusal(400, `Wrong input: Not existing vector name error: ${name}`);
  }

  /** A dense vector as it is compared: of unit length where the distance is Cosine. */
  prepared(name: string, values: number[]): Float32Array {
    const config = this.dense.get(name);
    if (config === undefined) throw this.noSuchVector(name);
    if (values.length !== config.size) {
      throw new Refusal(
        400,
        `Wrong input: Vector dimension error: expected dim: ${config.size}, got ${values.length}`,
      );
    }
    const vector = Float32Array.from(values);
    if (config.distance !== 'Cosine') return vector;
    const length = Math.hypot(...vector);
    return length < 1e-9 ? vector : vector.map((value) => value / length);
  }

  private apply(change: Change): void {
    switch (change.kind) {
      case 'index':
        this.indexes.set(change.field, change.schema);
        return;
      case 'vector': {
        const { dense, sparse } = change.config;
        if (this.dense.has(change.name) || this.sparse.has(change.name)) {
          throw new Refusal(409, `Wrong input: Vector \`${change.name}\` already exists`);
        }
        if (dense !== undefined) this.dense.set(change.name, dense);
        else this.sparse.set(change.name, { modifier: sparse?.modifier ?? 'none' });
        return;
      }
      case 'no vector':
        this.dense.delete(change.name);
        this.sparse.delete(change.name);
        for (const point of this.points.values()) {
          point.dense.delete(change.name);
          point.sparse.delete(change.name);
        }
        return;
      case 'update':
        this.update(change.operation);
    }
  }

  private update(operation: Record<string, unknown>): void {
    if ('upsert' in operation) return this.upsert(operation['upsert'] as Parameters<Collection['upsert']>[0]);
    if ('delete' in operation) {
      for (const { id } of this.selected(operation['delete'] as Selector | Id[]))
        this.points.delete(String(id));
      return;
    }
    if ('set_payload' in operation) {
      const { payload, ...selector } = operation['set_payload'] as Selector & {
        payload: Record<string, unknown>;
      };
      // Merged by key: what is not named stays.
      for (const point of this.selected(selector)) {
        point.payload = { ...point.payload, ...payload };
        point.version = this.version;
      }
      return;
    }
    throw new Refusal(400, `the stand-in does not know the operation ${Object.keys(operation).join()}`);
  }

  /**
   * A point that is there is replaced, vectors and payload both, unless it does not pass `update_filter`: then it stays
   * as it is. A point that is not there is inserted whatever the filter says.
   */
  private upsert(upsert: {
    points?: PointStruct[];
    update_filter?: Filter | null;
    update_mode?: string | null;
  }): void {
    if (upsert.points === undefined) throw new Refusal(400, 'the stand-in takes points one by one');
    const prepared = upsert.points.map((struct) => this.pointOf(struct));
    for (const point of prepared) {
      const there = this.points.get(String(point.id));
      if (
        there !== undefined &&
        (upsert.update_mode === 'insert_only' || !this.lets(there, upsert.update_filter))
      ) {
        continue;
      }
      if (there === undefined && upsert.update_mode === 'update_only') continue;
      this.points.set(String(point.id), point);
    }
  }

  private pointOf({ id, vector, payload }: PointStruct): Point {
    const point: Point = {
      id: typeof id === 'string' ? id.toLowerCase() : id,
      version: this.version,
      dense: new Map(),
      sparse: new Map(),
      payload: payload ?? {},
    };
    for (const [name, content] of Object.entries(vector)) {
      if (Array.isArray(content)) point.dense.set(name, this.prepared(name, content));
      else {
        if (!this.sparse.has(name)) throw this.noSuchVector(name);
        const { indices, values } = content;
        if (indices.length !== values.length || new Set(indices).size < indices.length) {
          throw new Refusal(
            422,
            'Validation error in JSON body: indices: must be unique and as many as values',
          );
        }
        point.sparse.set(name, new Map(indices.map((index, at) => [index, values[at] ?? 0])));
      }
    }
    return point;
  }

  private selected(selector: Selector | Id[]): Point[] {
    if (Array.isArray(selector)) return this.byIds(selector);
    if (selector.points) {
      const { points } = selector;
      return [...this.points.values()].filter(({ id }) => points.some((one) => sameId(one, id)));
    }
    if (!selector.filter) throw new Unreadable('Either list of point ids or filter must be provided');
    return this.matching(selector.filter);
  }
}
