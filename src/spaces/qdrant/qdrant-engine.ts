import type { SpaceAddress } from '../projection.js';
import { VectorEngine, type EmbeddingModel, type VectorSpace } from '../vector-space.js';
import { CollectionSetup } from './collection-setup.js';
import { QdrantConnection, type QdrantOptions } from './qdrant-connection.js';
import { QdrantVectorSpace } from './qdrant-vector-space.js';
import { ServerAbilities } from './server-abilities.js';

/** Vectors and full text in a Qdrant server, 1.16 or newer: one collection for each tenant, named as its space. */
export class QdrantEngine extends VectorEngine {
  readonly kind = 'qdrant';
  private readonly connection: QdrantConnection;
  private readonly abilities: ServerAbilities;

  /** Connects at the first call. `now` in milliseconds since 1970. */
  constructor(options: QdrantOptions, now: () => number = Date.now) {
    super();
    this.connection = new QdrantConnection(options, now);
    this.abilities = new ServerAbilities(this.connection.operator);
  }

  open(address: SpaceAddress, model: EmbeddingModel): VectorSpace {
    return new QdrantVectorSpace(this.connection, this.setup(address), this.abilities, address.name, model);
  }

  async drop(address: SpaceAddress): Promise<void> {
    await this.setup(address).remove();
  }

  /** Null: Qdrant tells how many points a collection has, not how many bytes. */
  size(): Promise<null> {
    return Promise.resolve(null);
  }

  /** Asks what only the right key may ask: the routes for probes answer anybody. */
  async ping(): Promise<void> {
    await this.abilities.get();
    await this.connection.operator.call('answer', 'read', (api, init) =>
      api.collectionExists({ collection_name: 'loci' }, init),
    );
  }

  /** Once nothing is under way any more. */
  close(): Promise<void> {
    return this.connection.close();
  }

  private setup(address: SpaceAddress): CollectionSetup {
    return new CollectionSetup(this.connection.operator, address.name);
  }
}
