import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ChangeFeed } from '../ledger/change-feed.js';
import { UnindexableRecord } from '../ledger/unindexable-record.js';
import { Models } from '../models/models.js';
import { parseModelId } from '../models/model-id.js';
import type { Tenant } from '../tenancy/principal.js';
import { CatchUp } from './catch-up.js';
import { GraphEngine, type GraphItem } from './graph-space.js';
import type { SpaceAddress } from './projection.js';
import { Space } from './space.js';
import { isOutage } from './space-errors.js';
import { VectorEngine, type VectorItem, type VectorSpace } from './vector-space.js';

/** How many tenants' catch-ups are remembered; what is forgotten is made again at the next touch. */
const REMEMBERED = 20_000;

/** Opens tenants' spaces. What it hands out is bound to its tenant: there is no name left to get wrong. */
@Injectable()
export class Spaces {
  private readonly logger = new Logger(Spaces.name);
  private readonly opened = new LRUCache<string, Space>({ max: REMEMBERED });

  constructor(
    private readonly vectorEngine: VectorEngine,
    private readonly graphEngine: GraphEngine,
    private readonly feed: ChangeFeed,
    private readonly unindexable: UnindexableRecord,
    private readonly models: Models,
  ) {}

  open(tenant: Tenant): Space {
    // The key is part of it: a tenant that was purged and provisioned again under the same id is another.
    const name = `${tenant.id}/${tenant.key.name}/${tenant.embeddingModel}/${this.models.currentId}`;
    const known = this.opened.get(name);
    if (known !== undefined) return known;
    const space = this.make(tenant);
    this.opened.set(name, space);
    return space;
  }

  /** The vector space of one model, whether or not queries are answered from it. */
  vectorsOf(tenant: Tenant, model: string): VectorSpace {
    return this.vectorEngine.open(address(tenant), parseModelId(model));
  }

  /** Removes everything that the engines keep for this tenant. */
  async drop(tenant: Tenant): Promise<void> {
    await this.vectorEngine.drop(address(tenant));
    await this.graphEngine.drop(address(tenant));
  }

  /** Bytes on disk; null where the engine cannot tell. */
  size(tenant: Tenant): Promise<number | null> {
    return this.vectorEngine.size(address(tenant));
  }

  private make(tenant: Tenant): Space {
    const vectors = this.vectorsOf(tenant, tenant.embeddingModel);
    const graph = this.graphEngine.open(address(tenant));
    const next =
      tenant.embeddingModel === this.models.currentId
        ? null
        : this.vectorLine(tenant, this.models.currentId, this.vectorsOf(tenant, this.models.currentId));
    return new Space(
      vectors,
      graph,
      {
        vectors: this.vectorLine(tenant, tenant.embeddingModel, vectors),
        graph: new CatchUp<GraphItem>(
          graph,
          (after, limit) => this.feed.graphAfter(tenant, after, limit),
          (item, error) => this.unindexable.note(tenant, item.kind, 'graph', item, error),
          isOutage,
        ),
        next,
      },
      () => this.feed.head(tenant),
      (error) => this.logger.warn(`${tenant.space} could not catch up: ${String(error)}`),
    );
  }

  private vectorLine(tenant: Tenant, model: string, projection: VectorSpace): CatchUp<VectorItem> {
    return new CatchUp(
      projection,
      (after, limit) => this.feed.memoriesAfter(tenant, model, after, limit),
      (item, error) => this.unindexable.note(tenant, 'memory', `vectors:${model}`, item, error),
      isOutage,
    );
  }
}

function address(tenant: Tenant): SpaceAddress {
  return { tenant: tenant.id, name: tenant.space };
}
