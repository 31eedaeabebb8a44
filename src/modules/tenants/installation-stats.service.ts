import { Injectable, Logger } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Homes, MAIN } from '../../ledger/homes.js';
import type { TenantState } from '../../tenancy/principal.js';

export interface InstallationStats {
  tenants: Record<TenantState, number>;
  /** Of tenants that are not deleted. */
  workspaces: number;
  agents: number;
  memories: number;
  /** Tenants on their way to another placement. */
  moving: number;
  /** Databases that do not answer: what is in them is not counted. */
  away: string[];
}

interface ControlRow extends QueryResultRow {
  active: number;
  suspended: number;
  deleted: number;
  moving: number;
  workspaces: number;
  agents: number;
}

/** What an installation holds, counted over all tenants. */
@Injectable()
export class InstallationStatsService {
  private readonly logger = new Logger(InstallationStatsService.name);

  constructor(private readonly homes: Homes) {}

  async read(): Promise<InstallationStats> {
    const [control] = await this.homes.main.readAsSystem<ControlRow>(CONTROL, []);
    if (control === undefined) throw new Error('Counting gave no row');
    const { active, suspended, deleted, ...counts } = control;
    const away: string[] = [];
    let memories = 0;
    for (const name of [MAIN, ...this.homes.others]) {
      try {
        memories += await this.memoriesIn(name);
      } catch (error) {
        this.logger.warn(`What is in ${name} cannot be counted: ${String(error)}`);
        away.push(name);
      }
    }
    return { tenants: { active, suspended, deleted }, ...counts, memories, away };
  }

  private async memoriesIn(name: string): Promise<number> {
    const home = await this.homes.of(name);
    // In each database a tenant's row counts what lies there; elsewhere its home is another.
    const [row] = await home.readAsSystem<{ n: string }>(
      `SELECT coalesce(sum(memory_count), 0) AS n FROM tenants WHERE state <> 'deleted' AND (home = '${MAIN}') = $1`,
      [name === MAIN],
    );
    return Number(row?.n ?? 0);
  }
}

const CONTROL = `
SELECT count(*) FILTER (WHERE t.state = 'active')::int AS active,
  count(*) FILTER (WHERE t.state = 'suspended')::int AS suspended,
  count(*) FILTER (WHERE t.state = 'deleted')::int AS deleted,
  count(*) FILTER (WHERE t.moving_to IS NOT NULL)::int AS moving,
  (SELECT count(*)::int FROM workspaces w JOIN tenants o ON o.id = w.tenant_id
   WHERE w.deleted_at IS NULL AND o.state <> 'deleted') AS workspaces,
  (SELECT count(*)::int FROM agents a JOIN tenants o ON o.id = a.tenant_id
   WHERE a.deleted_at IS NULL AND o.state <> 'deleted') AS agents
FROM tenants t`;
