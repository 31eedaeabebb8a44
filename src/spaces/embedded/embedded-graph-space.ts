import {
  GraphEngine,
  GraphSpace,
  type GraphCount,
  type GraphItem,
  type HeldNode,
  type LinkOf,
  type LinksQuery,
  type Path,
  type PathQuery,
  type Related,
  type RelatedQuery,
  type Sharer,
  type SharersQuery,
} from '../graph-space.js';
import type { Applied, Batch, SpaceAddress, Watermark } from '../projection.js';
import type { SpaceThreads } from './space-threads.js';

export class EmbeddedGraphEngine extends GraphEngine {
  readonly kind = 'embedded';

  constructor(private readonly threads: SpaceThreads) {
    super();
  }

  open(address: SpaceAddress): GraphSpace {
    return new EmbeddedGraphSpace(this.threads, address);
  }

  /** Deletes the tenant's file, and with it its vectors: they come back by replay where they are still wanted. */
  async drop(address: SpaceAddress): Promise<void> {
    await this.threads.call(address.name, 'drop', null);
  }

  async ping(): Promise<void> {
    await this.threads.ping();
  }
}

class EmbeddedGraphSpace extends GraphSpace {
  constructor(
    private readonly threads: SpaceThreads,
    private readonly address: SpaceAddress,
  ) {
    super();
  }

  watermark(): Promise<Watermark> {
    return this.threads.call(this.address.name, 'graph.watermark', null);
  }

  apply(batch: Batch<GraphItem>): Promise<Applied> {
    return this.threads.call(this.address.name, 'graph.apply', { batch });
  }

  related(query: RelatedQuery): Promise<Related[]> {
    return this.threads.call(this.address.name, 'graph.related', { query });
  }

  linksOf(query: LinksQuery): Promise<LinkOf[]> {
    return this.threads.call(this.address.name, 'graph.linksOf', { query });
  }

  protected pathFrom(query: PathQuery): Promise<Path> {
    return this.threads.call(this.address.name, 'graph.path', { query });
  }

  sharersOf(query: SharersQuery): Promise<Sharer[]> {
    return this.threads.call(this.address.name, 'graph.sharersOf', { query });
  }

  count(): Promise<GraphCount> {
    return this.threads.call(this.address.name, 'graph.count', null);
  }

  list(): Promise<HeldNode[]> {
    return this.threads.call(this.address.name, 'graph.list', null);
  }

  async drop(): Promise<void> {
    await this.threads.call(this.address.name, 'graph.drop', null);
  }
}
