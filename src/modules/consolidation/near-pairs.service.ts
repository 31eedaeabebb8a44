import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Ledger } from '../../ledger/ledger.js';
import { openVector } from '../../ledger/sealed-memory.js';
import { Spaces } from '../../spaces/spaces.js';
import { NEAR_AT_ONCE } from '../../spaces/vector-space.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { Clusters } from './clusters.js';

/** Cosine from which on two memories are about the same: that of SIMILAR_TO. */
const NEAR = 0.8;
const LOOKED_AT = 12;
const PAIRS = 1_000;
const SEARCHES = 12 * NEAR_AT_ONCE;
/** What enrichment has not compared is searched for as long as this; the next run begins elsewhere. */
const SEARCHING_MS = 150_000;
const FIRST = '00000000-0000-0000-0000-000000000000';

/** What was looked at for near pairs. */
export interface Gathered {
  clusters: Clusters;
  /** Pairs that enrichment had found. */
  linked: number;
  searched: number;
  /** What there was no time to search for. */
  left: number;
}

interface Unlooked extends QueryResultRow {
  id: string;
  vector: Buffer;
}

/**
 * Who is near whom in a workspace: by the relations that enrichment has made between near memories, and for what it has not
 * compared, by asking the tenant's vector space, a few at once, so that a recall waits for those at the most.
 */
@Injectable()
export class NearPairs {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
  ) {}

  async gather(
    tenant: Tenant,
    workspace: WorkspaceId,
    signal: AbortSignal,
    progress: (done: number, total: number) => void,
  ): Promise<Gathered> {
    const clusters = new Clusters();
    // What was made of others is near all of them, and would join what they do not.
    const outside = await this.outside(tenant, workspace);
    const add = (one: string, other: string, cosine: number): void => {
      if (!outside.has(one) && !outside.has(other)) clusters.add(one, other, (cosine - NEAR) / (1 - NEAR));
    };
    const linked = await this.linked(tenant, workspace, add);
    const total = await this.unlooked(tenant, workspace);
    const searched = total === 0 ? 0 : await this.search(tenant, workspace, { add, signal, progress, total });
    return { clusters, linked, searched, left: Math.max(0, total - searched) };
  }

  private async outside(tenant: Tenant, workspace: WorkspaceId): Promise<Set<string>> {
    const rows = await this.ledger.readRows<QueryResultRow & { id: string }>(
      tenant,
      workspace,
      `SELECT DISTINCT memory_id AS id FROM derived_memories WHERE tenant_id = $1 AND workspace_id = $2`,
      [tenant.id, workspace],
    );
    return new Set(rows.map(({ id }) => id));
  }

  private async linked(
    tenant: Tenant,
    workspace: WorkspaceId,
    add: (one: string, other: string, cosine: number) => void,
  ): Promise<number> {
    let linked = 0;
    for (let after = FIRST; ;) {
      const rows = await this.ledger.readRows<
        QueryResultRow & { id: string; from_id: string; to_id: string; strength: number; current: boolean }
      >(tenant, workspace, LINKED, [tenant.id, workspace, after, PAIRS]);
      for (const { from_id: from, to_id: to, strength, current } of rows)
        if (current) add(from, to, strength);
      linked += rows.length;
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAIRS) return linked;
      after = last.id;
    }
  }

  private async unlooked(tenant: Tenant, workspace: WorkspaceId): Promise<number> {
    const [row] = await this.ledger.readRows<QueryResultRow & { n: number }>(
      tenant,
      workspace,
      `SELECT count(*)::int AS n ${UNCOMPARED}`,
      [tenant.id, workspace, tenant.embeddingModel],
    );
    return row?.n ?? 0;
  }

  private async search(
    tenant: Tenant,
    workspace: WorkspaceId,
    order: {
      add: (one: string, other: string, cosine: number) => void;
      signal: AbortSignal;
      progress: (done: number, total: number) => void;
      total: number;
    },
  ): Promise<number> {
    const space = this.spaces.open(tenant);
    await space.ready('vectors');
    const until = performance.now() + SEARCHING_MS;
    const start = randomUUID();
    let searched = 0;
    // From somewhere in the middle to the end, then from the beginning to there.
    for (const [from, to] of [
      [start, null],
      [FIRST, start],
    ] as const) {
      for (let after: string = from; ;) {
        const rows = await this.ledger.readRows<Unlooked>(tenant, workspace, UNLOOKED, [
          tenant.id,
          workspace,
          tenant.embeddingModel,
          after,
          to,
          SEARCHES,
        ]);
        for (let first = 0; first < rows.length; first += NEAR_AT_ONCE) {
          if (order.signal.aborted || performance.now() > until) return searched;
          const asked = rows.slice(first, first + NEAR_AT_ONCE);
          searched += asked.length;
          const vectors = asked.map(({ id, vector }) =>
            openVector(tenant.key, workspace, id, 'alone', vector),
          );
          const filter = { validAt: Date.now() };
          const query = { workspace, vectors, atLeast: NEAR, filter, limit: LOOKED_AT };
          const near = await space.vectors.near(query);
          asked.forEach(({ id }, at) => {
            for (const { id: other, cosine } of near[at] ?? [])
              if (other !== id) order.add(id, other, cosine);
          });
        }
        order.progress(searched, order.total);
        const last = rows.at(-1);
        if (last === undefined || rows.length < SEARCHES) break;
        after = last.id;
      }
    }
    return searched;
  }
}

const LINKED = `
SELECT r.id, r.from_id, r.to_id, r.strength, a.archived_at IS NULL AND b.archived_at IS NULL AS current FROM relations r
JOIN memories a ON a.tenant_id = $1 AND a.workspace_id = $2 AND a.id = r.from_id
JOIN memories b ON b.tenant_id = $1 AND b.workspace_id = $2 AND b.id = r.to_id
WHERE r.tenant_id = $1 AND r.workspace_id = $2 AND r.type = 'SIMILAR_TO' AND r.id > $3 ORDER BY r.id LIMIT $4`;

const UNCOMPARED = `
FROM memories m
JOIN embeddings v ON v.tenant_id = $1 AND v.workspace_id = $2 AND v.memory_id = m.id AND v.part = 'alone' AND v.model = $3
  AND v.hash = m.alone_hash
WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.archived_at IS NULL AND NOT EXISTS (
  SELECT FROM enrichments e WHERE e.tenant_id = $1 AND e.workspace_id = $2 AND e.memory_id = m.id AND e.hash = m.alone_hash
    AND e.compared)`;

const UNLOOKED = `
SELECT m.id, v.vector ${UNCOMPARED} AND m.id > $4 AND ($5::uuid IS NULL OR m.id <= $5) ORDER BY m.id LIMIT $6`;
