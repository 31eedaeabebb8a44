import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { Placements } from '../../spaces/placements.js';
import { Spaces } from '../../spaces/spaces.js';
import { TenantNotFound } from '../../tenancy/tenancy-errors.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';
import type { TenantId } from '../../tenancy/tenant.js';

export interface TenantCounts {
  memories: number;
  relations: number;
  workspaces: number;
  agents: number;
  /** What memories take in the ledger. */
  bytes: number;
}

export interface TenantStats extends TenantCounts {
  graphNodes: number;
  graphRelationships: number;
  vectorPoints: number;
  /** Of the projections on disk. */
  spaceBytes: number;
  watermarks: { vectors: number; graph: number };
}

interface CountRow {
  id: TenantId;
  memories: string;
  relations: string;
  workspaces: string;
  agents: string;
  bytes: string;
}

export const NO_COUNTS: TenantCounts = { memories: 0, relations: 0, workspaces: 0, agents: 0, bytes: 0 };

const NO_SPACES = {
  graphNodes: 0,
  graphRelationships: 0,
  vectorPoints: 0,
  spaceBytes: 0,
  watermarks: { vectors: 0, graph: 0 },
};

@Injectable()
export class TenantStatsService {
  constructor(
    private readonly database: Database,
    private readonly directory: TenantDirectory,
    private readonly spaces: Spaces,
    private readonly placements: Placements,
  ) {}

  /**
   * Counted in the ledger; the projections tell what they hold just now, nothing where their placement is set up no
   * more. Builds nothing. Throws `TenantNotFound`, `PlacementElsewhere`.
   */
  async of(id: TenantId): Promise<TenantStats> {
    const tenant = await this.directory.tenantById(id);
    if (tenant === null) throw new TenantNotFound();
    if (!this.placements.knows(tenant.placement)) {
      return { ...((await this.counts([id])).get(id) ?? NO_COUNTS), ...NO_SPACES };
    }
    const space = this.spaces.peek(tenant);
    const [counts, vectorPoints, graph, vectorsAt, graphAt, size] = await Promise.all([
      this.counts([id]),
      space.vectors.count(),
      space.graph.count(),
      space.vectors.watermark(),
      space.graph.watermark(),
      this.spaces.size(tenant),
    ]);
    return {
      ...(counts.get(id) ?? NO_COUNTS),
      graphNodes: graph.nodes,
      graphRelationships: graph.relationships,
      vectorPoints,
      spaceBytes: size ?? 0,
      watermarks: { vectors: vectorsAt.revision, graph: graphAt.revision },
    };
  }

  async counts(ids: TenantId[]): Promise<Map<TenantId, TenantCounts>> {
    const rows = await this.database.asSystem<CountRow[]>((manager) => manager.query(COUNTS, [ids]));
    return new Map(
      rows.map((row) => [
        row.id,
        {
          memories: Number(row.memories),
          relations: Number(row.relations),
          workspaces: Number(row.workspaces),
          agents: Number(row.agents),
          bytes: Number(row.bytes),
        },
      ]),
    );
  }
}

const COUNTS = `
SELECT t.id, m.memories, m.bytes, r.relations, w.workspaces, a.agents
FROM unnest($1::uuid[]) AS t (id)
CROSS JOIN LATERAL (SELECT count(*) AS memories, coalesce(sum(bytes), 0) AS bytes FROM memories WHERE tenant_id = t.id) m
CROSS JOIN LATERAL (SELECT count(*) AS relations FROM relations WHERE tenant_id = t.id) r
CROSS JOIN LATERAL (SELECT count(*) AS workspaces FROM workspaces WHERE tenant_id = t.id) w
CROSS JOIN LATERAL (SELECT count(*) AS agents FROM agents WHERE tenant_id = t.id AND is_active) a`;
