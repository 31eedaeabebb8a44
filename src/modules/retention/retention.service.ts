import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Schedule } from '../../background/schedule.service.js';
import { systemCause, type Cause } from '../../ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { MEMORY_CLASSES, typesOf, type MemoryClass, type TypesOfClass } from '../memory/memory-classes.js';
import { eraseAside, RESTORABLE_DAYS, setAsideMemories } from '../memory/memory-removal.js';
import { MemoryVectors } from '../memory/memory-vectors.js';
import { RetentionPoliciesService } from '../policies/retention-policies.service.js';

export const RETENTION = 'retention';

const DAY_MS = 86_400_000;
/** Under the tenant's lock at once; and what a recall that comes meanwhile waits for in the indexes. */
const BATCH = 50;
/** So many ids are told; the records have all of them. */
const SHOWN = 100;

/** What of a class went, or would. */
export interface ClassReport {
  class: MemoryClass;
  /** Null: kept for good. */
  days: number | null;
  before: Date | null;
  count: number;
  /** The first of them. */
  ids: string[];
}

export interface RetentionReport {
  dryRun: boolean;
  classes: ClassReport[];
  /** Of those deleted earlier, how many can be restored no longer and are gone for good. */
  erased: number;
  /** False: stopped half-way; the next run does the rest. */
  complete: boolean;
}

export interface RetentionOrder {
  dryRun: boolean;
  now: Date;
  cause: Cause;
  /** Stops between two batches. */
  signal: AbortSignal;
}

interface Due {
  class: MemoryClass;
  days: number;
  before: Date;
  types: TypesOfClass;
}

/**
 * Deletes what a tenant wants kept no longer, by class: softly, and for good when it can be restored no longer. A memory's
 * age is that of what it tells (`timestamp`), or of its restoring where that is later. Audit records are `AuditRetention`'s.
 */
@Injectable()
export class Retention implements OnModuleInit {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly vectors: MemoryVectors,
    private readonly policies: RetentionPoliciesService,
    private readonly schedule: Schedule,
  ) {}

  onModuleInit(): void {
    this.schedule.add({
      name: RETENTION,
      everyMs: DAY_MS,
      perform: async (tenant, signal) => {
        const cause = systemCause(RETENTION);
        await this.run(tenant, { dryRun: false, now: new Date(), cause, signal });
      },
    });
  }

  /** A dry run tells what would go, and writes nothing. */
  async run(tenant: Tenant, order: RetentionOrder): Promise<RetentionReport> {
    const policies = await this.policies.get(tenant);
    const workspaces = await this.workspacesOf(tenant);
    const classes: ClassReport[] = [];
    for (const each of MEMORY_CLASSES) {
      const days = policies[`${each}_memories_days`];
      const report: ClassReport = { class: each, days, before: null, count: 0, ids: [] };
      classes.push(report);
      if (days === null) continue;
      const before = new Date(order.now.getTime() - days * DAY_MS);
      report.before = before;
      const due = { class: each, days, before, types: typesOf(each, tenant.settings) };
      for (const workspace of workspaces) {
        const found = order.dryRun
          ? await this.wouldGo(tenant, workspace, due)
          : await this.setAside(tenant, workspace, due, order);
        report.count += found.count;
        report.ids = [...report.ids, ...found.ids].slice(0, SHOWN);
      }
    }
    let erased = 0;
    for (const workspace of workspaces) erased += await this.erase(tenant, workspace, order);
    return { dryRun: order.dryRun, classes, erased, complete: !order.signal.aborted };
  }

  private async workspacesOf(tenant: Tenant): Promise<WorkspaceId[]> {
    const rows = await this.ledger.readRows<QueryResultRow & { id: WorkspaceId }>(
      tenant,
      WHOLE_TENANT,
      `SELECT id FROM workspaces WHERE tenant_id = $1 ORDER BY id`,
      [tenant.id],
    );
    return rows.map(({ id }) => id);
  }

  private async wouldGo(tenant: Tenant, workspace: WorkspaceId, due: Due) {
    const rows = await this.ledger.readRows<QueryResultRow & { id: string; total: string }>(
      tenant,
      workspace,
      `SELECT d.id, count(*) OVER () AS total FROM (${DUE}) d LIMIT $6`,
      [...valuesOf(tenant, workspace, due), SHOWN],
    );
    return { count: Number(rows[0]?.total ?? 0), ids: rows.map(({ id }) => id) };
  }

  private async setAside(tenant: Tenant, workspace: WorkspaceId, due: Due, order: RetentionOrder) {
    const found = { count: 0, ids: [] as string[] };
    const { now: at, cause, signal } = order;
    // Nearly always nothing is due, and then nobody's lock is taken.
    let more = (await this.wouldGo(tenant, workspace, due)).count > 0;
    while (more && !signal.aborted) {
      const { result } = await this.ledger.write(tenant, workspace, cause, async (tx) => {
        const ids = await idsOf(tx, `${DUE} LIMIT $6`, [...valuesOf(tenant, workspace, due), BATCH]);
        const models = this.vectors.modelsFor(tenant);
        const gone = await setAsideMemories(tx, workspace, ids, { reason: 'retention', at, models });
        tx.record('retention.delete', workspace, gone, { class: due.class, days: due.days });
        return { gone, full: ids.length === BATCH };
      });
      found.count += result.gone.length;
      found.ids = [...found.ids, ...result.gone].slice(0, SHOWN);
      more = result.full && result.gone.length > 0;
      if (result.gone.length > 0) await this.spaces.open(tenant).indexed();
    }
    return found;
  }

  /** What was deleted so long ago that it cannot be restored any more, whatever for. */
  private async erase(
    tenant: Tenant,
    workspace: WorkspaceId,
    { dryRun, now, cause, signal }: RetentionOrder,
  ): Promise<number> {
    const values = [tenant.id, workspace, new Date(now.getTime() - RESTORABLE_DAYS * DAY_MS)];
    const [overdue] = await this.ledger.readRows<QueryResultRow & { n: number }>(
      tenant,
      workspace,
      `SELECT count(*)::int AS n FROM deleted_memories ${OVERDUE}`,
      values,
    );
    if (dryRun) return overdue?.n ?? 0;
    let erased = 0;
    while (erased < (overdue?.n ?? 0) && !signal.aborted) {
      const { result } = await this.ledger.write(tenant, workspace, cause, async (tx) => {
        const ids = await idsOf(tx, `SELECT id FROM deleted_memories ${OVERDUE} LIMIT $4`, [
          ...values,
          BATCH,
        ]);
        await eraseAside(tx, workspace, ids);
        tx.record('retention.erase', workspace, ids);
        return ids.length;
      });
      if (result === 0) break;
      erased += result;
    }
    return erased;
  }
}

async function idsOf(tx: LedgerWrite, sql: string, values: unknown[]): Promise<string[]> {
  return (await tx.rows<{ id: string }>(sql, values)).map(({ id }) => id);
}

function valuesOf(tenant: Tenant, workspace: WorkspaceId, { before, types }: Due): unknown[] {
  const [these, allBut] = 'types' in types ? [types.types, null] : [null, types.allBut];
  return [tenant.id, workspace, before, these, allBut];
}

const DUE = `
SELECT m.id FROM memories m
LEFT JOIN memory_stats s ON s.tenant_id = m.tenant_id AND s.workspace_id = m.workspace_id AND s.memory_id = m.id
WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.timestamp < $3::timestamptz
  AND COALESCE(s.restored_at < $3::timestamptz, true)
  AND ($4::text[] IS NULL OR m.type = ANY($4)) AND ($5::text[] IS NULL OR NOT m.type = ANY($5))
ORDER BY m.timestamp, m.id`;

const OVERDUE = `WHERE tenant_id = $1 AND workspace_id = $2 AND deleted_at < $3`;
