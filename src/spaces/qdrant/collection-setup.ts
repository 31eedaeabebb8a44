import type { Schemas } from '@qdrant/js-client-rest';
import type { SpaceName } from '../../tenancy/tenant.js';
import type { EmbeddingModel } from '../vector-space.js';
import { isOf, type ModelNames } from './model-names.js';
import type { QdrantCaller } from './qdrant-connection.js';
import { isMissing, isThereAlready } from './qdrant-errors.js';
import type { Abilities } from './server-abilities.js';

/**
 * Makes and removes tenants' collections, with the operator's key: a tenant's own token could not.
 *
 * One collection for each tenant, whatever the models. It is small as most tenants are: one shard, one segment, a
 * write-ahead log of 1 MB, vectors and texts on disk (the page cache holds what is in use).
 */
export class CollectionSetup {
  constructor(
    private readonly operator: QdrantCaller,
    private readonly collection: SpaceName,
  ) {}

  /**
   * The collection with this model's vectors and all payload indexes. Several replicas may do so at once.
   *
   * A server before 1.18 or so cannot give a collection more vectors. There the collection is made anew with the
   * vectors of every model it had and of this one; all of them find their watermark gone, and fill it again by replay.
   */
  async ensure(model: EmbeddingModel, names: ModelNames, abilities: Abilities): Promise<void> {
    const wanted = vectorsOf(model, names);
    let info = await this.info();
    if (info === null) {
      await this.create(wanted);
      info = await this.info();
    } else if (!hasAll(info, wanted) && !(await this.addVectors(wanted))) {
      const had = {
        dense: info.config.params.vectors ?? {},
        sparse: info.config.params.sparse_vectors ?? {},
      };
      await this.remove();
      await this.create({
        dense: { ...(had.dense as Wanted['dense']), ...wanted.dense },
        sparse: { ...(had.sparse as Wanted['sparse']), ...wanted.sparse },
      });
      info = await this.info();
    }
    const indexed = new Set(Object.keys(info?.payload_schema ?? {}));
    const missing = Object.entries(payloadIndexes(abilities)).filter(([field]) => !indexed.has(field));
    await Promise.all(missing.map(([field, schema]) => this.index(field, schema)));
  }

  /** Everything in it, whatever the model. Removing what is not there is no error. */
  async remove(): Promise<void> {
    try {
      await this.operator.call('delete a collection', 'write', (api, init) =>
        api.deleteCollection({ collection_name: this.collection }, init),
      );
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** What one model holds, and the collection with it where no other model is left in it. */
  async removeModel(names: ModelNames): Promise<void> {
    const info = await this.info();
    if (info === null) return;
    const all = [
      ...Object.keys(info.config.params.vectors ?? {}),
      ...Object.keys(info.config.params.sparse_vectors ?? {}),
    ];
    if (all.every((name) => isOf(names, name))) return this.remove();
    const filter = { must: [{ key: 'model', match: { value: names.model } }] };
    try {
      // The watermark is among them, in the same step.
      await this.operator.call('remove a model', 'write', (api, init) =>
        api.deletePoints({ collection_name: this.collection, wait: true, filter }, init),
      );
      for (const vector_name of all.filter((name) => isOf(names, name))) {
        await this.operator.call('remove a vector', 'write', (api, init) =>
          api.deleteVectorName({ collection_name: this.collection, vector_name, wait: true }, init),
        );
      }
    } catch (error) {
      // Gone meanwhile, or a server that cannot take vectors away: empty ones cost nothing.
      if (!isMissing(error)) throw error;
    }
  }

  private async info(): Promise<Schemas['CollectionInfo'] | null> {
    try {
      return await this.operator.call('look at a collection', 'read', (api, init) =>
        api.getCollection({ collection_name: this.collection }, init),
      );
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  private async create({ dense, sparse }: Wanted): Promise<void> {
    try {
      await this.operator.call('make a collection', 'write', (api, init) =>
        api.createCollection(
          {
            collection_name: this.collection,
            vectors: dense,
            sparse_vectors: sparse,
            shard_number: 1,
            on_disk_payload: true,
            optimizers_config: { default_segment_number: 1 },
            wal_config: { wal_capacity_mb: 1, wal_segments_ahead: 0 },
          },
          init,
        ),
      );
    } catch (error) {
      if (!isThereAlready(error)) throw error;
    }
  }

  /** False where the server has no such route. */
  private async addVectors({ dense, sparse }: Wanted): Promise<boolean> {
    const configs: [string, Schemas['VectorNameConfig']][] = [
      ...Object.entries(dense).map(([name, { size, distance }]): [string, Schemas['VectorNameConfig']] => [
        name,
        { dense: { size, distance } },
      ]),
      ...Object.keys(sparse).map((name): [string, Schemas['VectorNameConfig']] => [
        name,
        { sparse: { modifier: 'idf' } },
      ]),
    ];
    for (const [vector_name, config] of configs) {
      try {
        await this.operator.call('add a vector', 'write', (api, init) =>
          api.createVectorName(
            { collection_name: this.collection, vector_name, wait: true, ...config },
            init,
          ),
        );
      } catch (error) {
        if (isMissing(error)) return false;
        if (!isThereAlready(error)) throw error;
      }
    }
    return true;
  }

  private async index(field_name: string, field_schema: Schemas['PayloadSchemaParams']): Promise<void> {
    await this.operator.call('index a field', 'write', (api, init) =>
      api.createFieldIndex({ collection_name: this.collection, wait: true, field_name, field_schema }, init),
    );
  }
}

interface Wanted {
  dense: Record<string, Schemas['VectorParams']>;
  sparse: Record<string, Schemas['SparseVectorParams']>;
}

function vectorsOf(model: EmbeddingModel, names: ModelNames): Wanted {
  const dense: Schemas['VectorParams'] = { size: model.dimensions, distance: 'Cosine', on_disk: true };
  const sparse: Schemas['SparseVectorParams'] = { modifier: 'idf', index: { on_disk: true } };
  return {
    dense: { [names.alone]: dense, [names.joined]: dense },
    sparse: { [names.textAlone]: sparse, [names.textJoined]: sparse },
  };
}

function hasAll(info: Schemas['CollectionInfo'], { dense, sparse }: Wanted): boolean {
  const { vectors, sparse_vectors } = info.config.params;
  const there = new Set([...Object.keys(vectors ?? {}), ...Object.keys(sparse_vectors ?? {})]);
  return [...Object.keys(dense), ...Object.keys(sparse)].every((name) => there.has(name));
}

/**
 * Whatever a filter names is indexed: a server in strict mode refuses filters that are not. `revision`, `stamp` and
 * `era` are only asked for by writes and counts, so theirs stay on disk.
 */
function payloadIndexes({ prefixes }: Abilities): Record<string, Schemas['PayloadSchemaParams']> {
  const word = { type: 'keyword' } as const;
  const time = { type: 'integer', lookup: false, range: true } as const;
  return {
    workspace: { ...word, is_tenant: true },
    model: word,
    gone: { type: 'bool' },
    type: word,
    tags: prefixes ? { ...word, prefix: true } : word,
    ...(prefixes ? {} : { tag_prefixes: word }),
    timestamp: time,
    valid_from: time,
    valid_until: time,
    session: word,
    user: word,
    agent: word,
    speaker: word,
    revision: { ...time, on_disk: true },
    era: { ...word, on_disk: true },
    stamp: { ...word, on_disk: true },
  };
}
