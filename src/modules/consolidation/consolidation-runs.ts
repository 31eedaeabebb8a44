import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { systemCause } from '../../ledger/cause.js';
import { ControlPlane } from '../../ledger/control-plane.js';
import { WHOLE_TENANT } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { ConsolidationRunning } from './consolidation.errors.js';

/** A replica that falls silent for so long has lost its turn. */
const LEASE_S = 60;
/** So many runs of a tenant are remembered. */
const REMEMBERED = 50;
const CAUSE = systemCause('consolidation');

export interface RunOrder {
  mode: string;
  dryRun: boolean;
  actor: string;
}

export interface ConsolidationRun extends RunOrder {
  id: string;
  state: 'running' | 'succeeded' | 'failed';
  progress: Record<string, unknown> | null;
  result: Record<string, unknown> | null;
  error: string | null;
  startedAt: Date;
  finishedAt: Date | null;
}

interface RunRow extends QueryResultRow {
  id: string;
  mode: string;
  dry_run: boolean;
  actor: string;
  state: ConsolidationRun['state'];
  progress: Record<string, unknown> | null;
  result: Record<string, unknown> | null;
  error: string | null;
  started_at: Date;
  finished_at: Date | null;
}

/** Who consolidates for whom just now, and what it came to: in the main database, for all replicas to see. */
@Injectable()
export class ConsolidationRuns {
  constructor(private readonly control: ControlPlane) {}

  /** The id of a new run. Throws `ConsolidationRunning` where the tenant has one, in whatever workspace. */
  async begin(tenant: Tenant, workspace: WorkspaceId, { mode, dryRun, actor }: RunOrder): Promise<string> {
    const id = randomUUID();
    const { result: begun } = await this.control.write(tenant, WHOLE_TENANT, CAUSE, async (tx) => {
      await tx.rows(SILENT, [tenant.id]);
      const rows = await tx.rows(BEGIN, [tenant.id, workspace, id, mode, dryRun, actor, LEASE_S]);
      await tx.rows(FORGET, [tenant.id, REMEMBERED]);
      return rows.length > 0;
    });
    if (!begun) throw new ConsolidationRunning();
    return id;
  }

  /** False where the turn was lost. */
  async renew(tenant: Tenant, id: string, progress: object): Promise<boolean> {
    const { result } = await this.control.write(tenant, WHOLE_TENANT, CAUSE, (tx) =>
      tx.rows(RENEW, [tenant.id, id, LEASE_S, JSON.stringify(progress)]),
    );
    return result.length > 0;
  }

  /** `error`: null where it succeeded. */
  async finish(tenant: Tenant, id: string, result: object, error: string | null): Promise<void> {
    await this.control.write(tenant, WHOLE_TENANT, CAUSE, (tx) =>
      tx.rows(FINISH, [tenant.id, id, JSON.stringify(result), error?.slice(0, 500) ?? null]),
    );
  }

  /** Those of one workspace, the latest first. */
  async list(tenant: Tenant, workspace: WorkspaceId, limit: number): Promise<ConsolidationRun[]> {
    const rows = await this.control.readRows<RunRow>(tenant, workspace, LIST, [tenant.id, workspace, limit]);
    return rows.map(({ dry_run: dryRun, started_at: startedAt, finished_at: finishedAt, ...row }) => ({
      ...row,
      dryRun,
      startedAt,
      finishedAt,
    }));
  }
}

const SILENT = `
UPDATE consolidation_runs SET state = 'failed', error = 'Its server fell silent', leased_until = NULL, finished_at = now()
WHERE tenant_id = $1 AND state = 'running' AND leased_until < now()`;

const BEGIN = `
INSERT INTO consolidation_runs (tenant_id, workspace_id, id, mode, dry_run, actor, state, leased_until)
VALUES ($1, $2, $3, $4, $5, $6, 'running', now() + make_interval(secs => $7))
ON CONFLICT (tenant_id) WHERE state = 'running' DO NOTHING RETURNING id`;

const FORGET = `
DELETE FROM consolidation_runs WHERE tenant_id = $1 AND state <> 'running' AND id IN (
  SELECT id FROM consolidation_runs WHERE tenant_id = $1 ORDER BY started_at DESC OFFSET $2)`;

const RENEW = `
UPDATE consolidation_runs SET leased_until = now() + make_interval(secs => $3), progress = $4
WHERE tenant_id = $1 AND id = $2 AND state = 'running' RETURNING id`;

const FINISH = `
UPDATE consolidation_runs SET state = CASE WHEN $4::text IS NULL THEN 'succeeded' ELSE 'failed' END, leased_until = NULL,
  result = $3, error = $4, finished_at = now()
WHERE tenant_id = $1 AND id = $2 AND state = 'running'`;

const LIST = `
SELECT id, mode, dry_run, actor, state, progress, result, error, started_at, finished_at FROM consolidation_runs
WHERE tenant_id = $1 AND workspace_id = $2 ORDER BY started_at DESC LIMIT $3`;
