import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ChangeFeed } from '../ledger/change-feed.js';
import { UnindexableRecord } from '../ledger/unindexable-record.js';
import { parseModelId } from '../models/model-id.js';
import { Models } from '../models/models.js';
import type { Tenant } from '../tenancy/principal.js';
import { CatchUp } from './catch-up.js';
import type { GraphItem, GraphSpace } from './graph-space.js';
import { HotSpaces } from './hot-spaces.js';
import { LateRuns } from './late-runs.js';
import { Placements } from './placements.js';
import type { SpaceAddress } from './projection.js';
import { Space } from './space.js';
import { isOutage } from './space-errors.js';
import type { VectorItem, VectorSpace } from './vector-space.js';

/** How many tenants' catch-ups are remembered; what is forgotten is made again at the next touch. */
const REMEMBERED = 20_000;

/** Opens tenants' spaces. What it hands out is bound to its tenant: there is no name left to get wrong. */
@Injectable()
export class Spaces {
  private readonly logger = new Logger(Spaces.name);
  private readonly opened = new LRUCache<string, Space>({ max: REMEMBERED });

  constructor(
    private readonly placements: Placements,
    private readonly hot: HotSpaces,
    private readonly late: LateRuns,
    private readonly feed: ChangeFeed,
    private readonly unindexable: UnindexableRecord,
    private readonly models: Models,
  ) {}

  open(tenant: Tenant): Space {
    this.hot.touch(tenant);
    return this.peek(tenant);
  }

  /** The same without counting as use: for looking after spaces, not for serving from them. */
  peek(tenant: Tenant): Space {
    // The key is part of it: a tenant that was purged and provisioned again under the same id is another.
    const { id, key, placement, home, embeddingModel } = tenant;
    const name = `${id}/${key.name}/${placement}/${home}/${embeddingModel}/${this.models.currentId}`;
    const known = this.opened.get(name);
    if (known !== undefined) return known;
    const space = this.make(tenant);
    this.opened.set(name, space);
    return space;
  }

  /** The vector space of one model, whether or not queries are answered from it. */
  vectorsOf(tenant: Tenant, model: string): VectorSpace {
    return this.placements.of(tenant.placement).vectors.open(address(tenant), parseModelId(model));
  }

  /** What brings another placement's spaces to where these are: a line for each engine that is not the same there. */
  successors(tenant: Tenant, placement: string): (() => Promise<void>)[] {
    // From a placement that has left the configuration there is nothing to take over.
    const here = this.placements.knows(tenant.placement) ? this.placements.of(tenant.placement) : null;
    const there = this.placements.of(placement);
    const arriving = { ...tenant, placement };
    const run: (() => Promise<void>)[] = [];
    if (there.vectors !== here?.vectors) {
      const line = this.vectorLine(
        arriving,
        tenant.embeddingModel,
        this.vectorsOf(arriving, tenant.embeddingModel),
      );
      run.push(() => line.run());
    }
    if (there.graphs !== here?.graphs) {
      const line = this.graphLine(arriving, there.graphs.open(address(tenant)));
      run.push(() => line.run());
    }
    return run;
  }

  /** Removes what the engines of a placement keep for this tenant, except those that `keep` uses too. */
  async drop(tenant: Tenant, keep?: string): Promise<void> {
    const { vectors, graphs } = this.placements.of(tenant.placement);
    const kept = keep === undefined ? null : this.placements.of(keep);
    if (vectors !== kept?.vectors) await vectors.drop(address(tenant));
    if (graphs !== kept?.graphs) await graphs.drop(address(tenant));
  }

  /** Bytes on disk; null where the engine cannot tell. */
  size(tenant: Tenant): Promise<number | null> {
    return this.placements.of(tenant.placement).vectors.size(address(tenant));
  }

  private make(tenant: Tenant): Space {
    const { currentId } = this.models;
    const vectors = this.vectorsOf(tenant, tenant.embeddingModel);
    const graph = this.placements.of(tenant.placement).graphs.open(address(tenant));
    const next =
      tenant.embeddingModel === currentId
        ? null
        : this.vectorLine(tenant, currentId, this.vectorsOf(tenant, currentId));
    return new Space(
      tenant.space,
      vectors,
      graph,
      {
        vectors: this.vectorLine(tenant, tenant.embeddingModel, vectors),
        graph: this.graphLine(tenant, graph),
        next,
      },
      () => this.feed.head(tenant),
      (error) => this.logger.warn(`${tenant.space} could not catch up: ${String(error)}`),
      (line) => this.late.add(line),
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

  private graphLine(tenant: Tenant, projection: GraphSpace): CatchUp<GraphItem> {
    return new CatchUp(
      projection,
      (after, limit) => this.feed.graphAfter(tenant, after, limit),
      (item, error) => this.unindexable.note(tenant, item.kind, 'graph', item, error),
      isOutage,
    );
  }
}

function address(tenant: Tenant): SpaceAddress {
  return { tenant: tenant.id, name: tenant.space };
}
