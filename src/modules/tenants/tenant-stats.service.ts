import { Injectable, Logger } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Homes } from '../../ledger/homes.js';
import { Placements } from '../../spaces/placements.js';
import { Spaces } from '../../spaces/spaces.js';
import { TenantNotFound } from '../../tenancy/tenancy-errors.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { TenantId } from '../../tenancy/tenant.js';

export interface TenantCounts {
  memories: number;
  relations: number;
  workspaces: number;
  agents: number;
  /** What memories take in the ledger. */
  bytes: number;
  revision: number;
  lastActiveAt: Date | null;
}

/** A tenant, as far as counting goes. */
type Counted = Pick<Tenant, 'id' | 'home'>;

export interface TenantStats extends TenantCounts {
  graphNodes: number;
  graphRelationships: number;
  graphEntities: number;
  vectorPoints: number;
  /** Of the projections on disk. */
  spaceBytes: number;
  watermarks: { vectors: number; graph: number };
}

interface LedgerRow extends QueryResultRow {
  id: TenantId;
  memories: string;
  relations: string;
  bytes: string;
  revision: string;
  last_active_at: Date | null;
}

interface ControlRow extends QueryResultRow {
  id: TenantId;
  workspaces: string;
  agents: string;
}

const NO_SPACES = {
  graphNodes: 0,
  graphRelationships: 0,
  graphEntities: 0,
  vectorPoints: 0,
  spaceBytes: 0,
  watermarks: { vectors: 0, graph: 0 },
};

@Injectable()
export class TenantStatsService {
  private readonly logger = new Logger(TenantStatsService.name);

  constructor(
    private readonly homes: Homes,
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
    if (!this.placements.knows(tenant.placement)) return { ...(await this.countsOf(tenant)), ...NO_SPACES };
    const space = this.spaces.peek(tenant);
    const [counts, vectorPoints, graph, vectorsAt, graphAt, size] = await Promise.all([
      this.countsOf(tenant),
      space.vectors.count(),
      space.graph.count(),
      space.vectors.watermark(),
      space.graph.watermark(),
      this.spaces.size(tenant),
    ]);
    return {
      ...counts,
      graphNodes: graph.nodes,
      graphRelationships: graph.relationships,
      graphEntities: graph.entities,
      vectorPoints,
      spaceBytes: size ?? 0,
      watermarks: { vectors: vectorsAt.revision, graph: graphAt.revision },
    };
  }

  /** A tenant whose database is away has none here: others are listed all the same. */
  async counts(tenants: Counted[]): Promise<Map<TenantId, TenantCounts>> {
    const homes = [...new Set(tenants.map(({ home }) => home))];
    const counted = await Promise.all(
      homes.map((home) =>
        this.countIn(
          home,
          tenants.filter((tenant) => tenant.home === home),
        ).catch((error: unknown) => {
          this.logger.warn(`What is in ${home} cannot be counted: ${String(error)}`);
          return [];
        }),
      ),
    );
    return new Map(counted.flat());
  }

  private async countsOf(tenant: Counted): Promise<TenantCounts> {
    const [counted] = await this.countIn(tenant.home, [tenant]);
    if (counted === undefined) throw new TenantNotFound();
    return counted[1];
  }

  private async countIn(home: string, tenants: Counted[]): Promise<[TenantId, TenantCounts][]> {
    const ids = tenants.map(({ id }) => id);
    const database = await this.homes.of(home);
    const [control, ledgers] = await Promise.all([
      this.homes.main.readAsSystem<ControlRow>(CONTROL_COUNTS, [ids]),
      database.readAsSystem<LedgerRow>(LEDGER_COUNTS, [ids]),
    ]);
    const provisioned = new Map(control.map((row) => [row.id, row]));
    return ledgers.map((row) => [
      row.id,
      {
        memories: Number(row.memories),
        relations: Number(row.relations),
        workspaces: Number(provisioned.get(row.id)?.workspaces ?? 0),
        agents: Number(provisioned.get(row.id)?.agents ?? 0),
        bytes: Number(row.bytes),
        revision: Number(row.revision),
        lastActiveAt: row.last_active_at,
      },
    ]);
  }
}

const LEDGER_COUNTS = `
SELECT t.id, t.revision, t.last_active_at, m.memories, m.bytes, r.relations
FROM tenants t
CROSS JOIN LATERAL (SELECT count(*) AS memories, coalesce(sum(bytes), 0) AS bytes FROM memories WHERE tenant_id = t.id) m
CROSS JOIN LATERAL (SELECT count(*) AS relations FROM relations WHERE tenant_id = t.id) r
WHERE t.id = ANY($1::uuid[])`;

const CONTROL_COUNTS = `
SELECT t.id, w.workspaces, a.agents
FROM unnest($1::uuid[]) AS t (id)
CROSS JOIN LATERAL (SELECT count(*) AS workspaces FROM workspaces WHERE tenant_id = t.id AND deleted_at IS NULL) w
CROSS JOIN LATERAL (SELECT count(*) AS agents FROM agents WHERE tenant_id = t.id AND deleted_at IS NULL) a`;
