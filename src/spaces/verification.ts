import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { ChangeFeed } from '../ledger/change-feed.js';
import { Ledger, WHOLE_TENANT } from '../ledger/ledger.js';
import { SpaceEpochs } from '../ledger/space-epochs.js';
import type { Tenant } from '../tenancy/principal.js';
import type { WorkspaceId } from '../tenancy/tenant.js';
import type { GraphItem } from './graph-space.js';
import { nameAt, verdictOn, type ProjectionVerdict } from './projection-verdict.js';
import { Spaces } from './spaces.js';
import type { VectorItem } from './vector-space.js';

export interface Verdict {
  vectors: ProjectionVerdict;
  graph: ProjectionVerdict;
}

interface RefusedRow extends QueryResultRow {
  workspace: WorkspaceId;
  kind: 'memory' | 'relation';
  id: string;
  revision: string;
  projection: string;
}

/** Does every projection equal its ledger? And, where it does not, build it anew. */
@Injectable()
export class Verification {
  constructor(
    private readonly ledger: Ledger,
    private readonly feed: ChangeFeed,
    private readonly spaces: Spaces,
    private readonly epochs: SpaceEpochs,
  ) {}

  /**
   * Catches up first: what is merely on its way is no difference, nor is what changes meanwhile. Items that an engine
   * refused are not expected of it. Reads the tenant's ledger and its stores in full.
   */
  async verify(tenant: Tenant): Promise<Verdict> {
    const space = this.spaces.open(tenant);
    await space.catchUp();
    const refused = await this.ledger.read(tenant, WHOLE_TENANT, (tx) =>
      tx.rows<RefusedRow>(REFUSED, [tenant.id]),
    );
    const refusedBy = (projection: string) =>
      new Set(
        refused
          .filter((row) => row.projection.startsWith(projection))
          .map((row) => nameAt({ ...row, revision: Number(row.revision) })),
      );
    const vectors = await verdictOn<VectorItem>({
      changesAfter: (after, limit) => this.feed.memoriesAfter(tenant, tenant.embeddingModel, after, limit),
      digestOf: (item) => (item.gone ? null : space.vectors.digestOf(item)),
      refused: refusedBy('vectors'),
      list: () => space.catchUp().then(() => space.vectors.list()),
    });
    const graph = await verdictOn<GraphItem>({
      changesAfter: (after, limit) => this.feed.graphAfter(tenant, after, limit),
      digestOf: (item) => (item.gone ? null : space.graph.digestOf(item)),
      refused: refusedBy('graph'),
      list: () => space.catchUp().then(() => space.graph.list()),
    });
    return { vectors, graph };
  }

  /** Drops what there is and replays the ledger: under a new epoch, so that nothing of the old can come back. */
  async rebuild(tenant: Tenant): Promise<void> {
    await this.epochs.advance(tenant);
    await this.spaces.open(tenant).catchUp();
  }
}

const REFUSED = `
SELECT workspace_id AS workspace, kind, id, revision, projection FROM unindexable WHERE tenant_id = $1`;
