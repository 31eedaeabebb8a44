import type { DescribedRequest } from './openapi.js';
import { Collection, Refusal, type Change, type StandInAbilities } from './collection.js';
import type { Filter, Point } from './filter.js';
import { runQuery, type Hit, type Query } from './query.js';

/** The collections behind the routes. */
export interface Shelf {
  readonly version: string;
  readonly abilities: StandInAbilities;
  readonly collections: Map<string, Collection>;
  /** Does a change and writes it down. */
  change(collection: string, change: Change): number;
  add(name: string, config: Record<string, unknown>): void;
  remove(name: string): boolean;
}

export interface Route {
  method: string;
  route: string;
  need: 'read' | 'write' | 'manage' | 'nothing';
  answer(shelf: Shelf, request: DescribedRequest): unknown;
}

type Body = Record<string, unknown>;

const COLLECTION = '/collections/{collection_name}';

/** The calls that Loci makes, each with Qdrant's effect; whatever is not here is answered with 404. */
export const ROUTES: Route[] = [
  {
    method: 'GET',
    route: '/',
    need: 'nothing',
    answer: ({ version }) => ({ title: 'qdrant - vector search engine', version, commit: null }),
  },
  /** 409 where it exists; vectors, sparse vectors and everything else as asked for. */
  {
    method: 'PUT',
    route: COLLECTION,
    need: 'manage',
    answer: (shelf, request) => {
      const name = nameOf(request);
      if (shelf.collections.has(name))
        throw new Refusal(409, `Wrong input: Collection \`${name}\` already exists!`);
      shelf.add(name, request.body as Body);
      return true;
    },
  },
  /** False, and no error, where there is none. */
  {
    method: 'DELETE',
    route: COLLECTION,
    need: 'manage',
    answer: (shelf, request) => shelf.remove(nameOf(request)),
  },
  {
    method: 'GET',
    route: `${COLLECTION}/exists`,
    need: 'read',
    answer: (shelf, request) => ({ exists: shelf.collections.has(nameOf(request)) }),
  },
  {
    method: 'GET',
    route: COLLECTION,
    need: 'read',
    answer: (shelf, request) => infoOf(collectionOf(shelf, request)),
  },
  {
    method: 'PUT',
    route: `${COLLECTION}/index`,
    need: 'manage',
    answer: (shelf, request) => {
      const { field_name, field_schema } = request.body as {
        field_name: string;
        field_schema: string | { type: string };
      };
      const schema = typeof field_schema === 'string' ? { type: field_schema } : field_schema;
      collectionOf(shelf, request);
      return completed(shelf.change(nameOf(request), { kind: 'index', field: field_name, schema }));
    },
  },
  {
    method: 'PUT',
    route: `${COLLECTION}/vectors/{vector_name}`,
    need: 'manage',
    answer: (shelf, request) => {
      if (!shelf.abilities.vectorNames) throw new Refusal(404, '');
      collectionOf(shelf, request);
      const name = request.path['vector_name'] ?? '';
      return completed(shelf.change(nameOf(request), { kind: 'vector', name, config: request.body as Body }));
    },
  },
  {
    method: 'DELETE',
    route: `${COLLECTION}/vectors/{vector_name}`,
    need: 'manage',
    answer: (shelf, request) => {
      if (!shelf.abilities.vectorNames) throw new Refusal(404, '');
      collectionOf(shelf, request);
      const name = request.path['vector_name'] ?? '';
      return completed(shelf.change(nameOf(request), { kind: 'no vector', name }));
    },
  },
  {
    method: 'PUT',
    route: `${COLLECTION}/points`,
    need: 'write',
    answer: (shelf, request) => update(shelf, request, { upsert: request.body }),
  },
  {
    method: 'POST',
    route: `${COLLECTION}/points/delete`,
    need: 'write',
    answer: (shelf, request) => update(shelf, request, { delete: request.body }),
  },
  {
    method: 'POST',
    route: `${COLLECTION}/points/payload`,
    need: 'write',
    answer: (shelf, request) => update(shelf, request, { set_payload: request.body }),
  },
  /** One operation after the other; the first that fails ends it, and what was done before stays done. */
  {
    method: 'POST',
    route: `${COLLECTION}/points/batch`,
    need: 'write',
    answer: (shelf, request) =>
      (request.body as { operations: Body[] }).operations.map((operation) =>
        update(shelf, request, operation),
      ),
  },
  /** How often each value of a keyword field occurs, the most frequent first; 400 where the field has no index. */
  {
    method: 'POST',
    route: `${COLLECTION}/facet`,
    need: 'read',
    answer: (shelf, request) => {
      const { key, filter, limit } = request.body as { key: string; filter?: Filter; limit?: number };
      const collection = collectionOf(shelf, request);
      if (collection.indexes.get(key)?.type !== 'keyword')
        throw new Refusal(400, `Bad request: Index required but not found for "${key}"`);
      const counts = new Map<string, number>();
      for (const { payload } of collection.matching(filter)) {
        const value = payload[key];
        if (typeof value === 'string') counts.set(value, (counts.get(value) ?? 0) + 1);
      }
      const hits = Array.from(counts, ([value, count]) => ({ value, count }));
      hits.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
      return { hits: hits.slice(0, limit ?? 10) };
    },
  },
  /** Those that are there, with payload unless told otherwise. */
  {
    method: 'POST',
    route: `${COLLECTION}/points`,
    need: 'read',
    answer: (shelf, request) => {
      const { ids, with_payload } = request.body as { ids: (string | number)[]; with_payload?: unknown };
      return collectionOf(shelf, request)
        .byIds(ids)
        .map((point) => record(point, with_payload ?? true));
    },
  },
  /** By id, from `offset` on; `next_page_offset` is the first that did not fit, or null. */
  {
    method: 'POST',
    route: `${COLLECTION}/points/scroll`,
    need: 'read',
    answer: (shelf, request) => {
      const body = request.body as {
        filter?: Query['filter'];
        limit?: number;
        offset?: string;
        with_payload?: unknown;
        with_vector?: string[] | boolean;
      };
      const { offset } = body;
      const all = collectionOf(shelf, request).matching(body.filter);
      const rest = offset === undefined ? all : all.filter(({ id }) => id >= offset);
      const limit = body.limit ?? 10;
      return {
        points: rest.slice(0, limit).map((point) => ({
          ...record(point, body.with_payload ?? true),
          ...(body.with_vector ? { vector: vectorsOf(point, body.with_vector) } : {}),
        })),
        next_page_offset: rest[limit]?.id ?? null,
      };
    },
  },
  {
    method: 'POST',
    route: `${COLLECTION}/points/count`,
    need: 'read',
    answer: (shelf, request) => ({
      count: collectionOf(shelf, request).matching((request.body as Query).filter).length,
    }),
  },
  {
    method: 'POST',
    route: `${COLLECTION}/points/query`,
    need: 'read',
    answer: (shelf, request) => answerOf(collectionOf(shelf, request), request.body as Query),
  },
  {
    method: 'POST',
    route: `${COLLECTION}/points/query/batch`,
    need: 'read',
    answer: (shelf, request) => {
      const collection = collectionOf(shelf, request);
      return (request.body as { searches: Query[] }).searches.map((query) => answerOf(collection, query));
    },
  },
];

export function nameOf({ path }: DescribedRequest): string {
  return path['collection_name'] ?? '';
}

function collectionOf(shelf: Shelf, request: DescribedRequest): Collection {
  const found = shelf.collections.get(nameOf(request));
  if (found === undefined)
    throw new Refusal(404, `Not found: Collection \`${nameOf(request)}\` doesn't exist!`);
  return found;
}

function update(shelf: Shelf, request: DescribedRequest, operation: Body): unknown {
  collectionOf(shelf, request);
  const done = shelf.change(nameOf(request), { kind: 'update', operation });
  return request.query.get('wait') === 'true'
    ? completed(done)
    : { operation_id: done, status: 'acknowledged' };
}

function completed(operation_id: number): unknown {
  return { operation_id, status: 'completed' };
}

/** Without payload unless told otherwise. */
function answerOf(collection: Collection, query: Query): unknown {
  return {
    points: runQuery(collection, query).map(({ point, score, orderValue }: Hit) => ({
      ...record(point, query.with_payload ?? false),
      version: point.version,
      score,
      ...(orderValue === undefined ? {} : { order_value: orderValue }),
    })),
  };
}

function record({ id, payload }: Point, withPayload: unknown): Body {
  if (withPayload === false) return { id };
  if (!Array.isArray(withPayload)) return { id, payload };
  const wanted = withPayload as string[];
  return { id, payload: Object.fromEntries(Object.entries(payload).filter(([key]) => wanted.includes(key))) };
}

/** Those of the named ones that it has; true: all. */
function vectorsOf({ dense, sparse }: Point, names: string[] | true): Body {
  const found: Body = {};
  for (const name of names === true ? [...dense.keys(), ...sparse.keys()] : names) {
    const [numbers, words] = [dense.get(name), sparse.get(name)];
    if (numbers !== undefined) found[name] = [...numbers];
    if (words !== undefined) found[name] = { indices: [...words.keys()], values: [...words.values()] };
  }
  return found;
}

function infoOf({ config, dense, sparse, indexes, points }: Collection): unknown {
  return {
    status: 'green',
    optimizer_status: 'ok',
    points_count: points.size,
    segments_count: 1,
    config: {
      params: {
        vectors: Object.fromEntries(dense),
        sparse_vectors: Object.fromEntries(sparse),
        shard_number: config['shard_number'] ?? 1,
        on_disk_payload: config['on_disk_payload'] ?? true,
      },
      hnsw_config: { m: 16, ef_construct: 100, full_scan_threshold: 10_000 },
      optimizer_config: {
        deleted_threshold: 0.2,
        vacuum_min_vector_number: 1_000,
        default_segment_number: 1,
        flush_interval_sec: 5,
      },
    },
    payload_schema: Object.fromEntries(
      [...indexes].map(([field, params]) => [field, { data_type: params.type, params, points: points.size }]),
    ),
  };
}
