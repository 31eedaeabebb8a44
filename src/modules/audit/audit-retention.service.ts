import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { checkpointSignature, type ChainEnd } from '../../ledger/audit-chain.js';
import { AuditTrail } from '../../ledger/audit-trail.js';
import { Settings } from '../../platform/config/settings.js';
import { Database } from '../../platform/database/database.js';
import { MasterKey } from '../../tenancy/tenant-key.js';
import type { TenantId } from '../../tenancy/tenant.js';

const DAY_MS = 86_400_000;
const LOOK_EVERY_MS = 3_600_000;

/**
 * Deletes audit records that a tenant wants kept no longer (`audit_days`), once a day. What goes is always the beginning
 * of a chain, and a signed checkpoint in the same transaction stands for it, so that the rest still verifies.
 */
@Injectable()
export class AuditRetention implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(AuditRetention.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly database: Database,
    private readonly audit: AuditTrail,
    private readonly master: MasterKey,
    private readonly settings: Settings,
  ) {}

  /** An API process leaves it to the workers. */
  onApplicationBootstrap(): void {
    if (this.settings.role === 'api') return;
    this.look();
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    await this.running;
  }

  /** Reckoned from midnight, so that whoever looks, and however often, a chain is cut once a day. */
  private look(): void {
    const midnight = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS);
    this.running = this.running.then(() => this.forget(midnight));
  }

  /** Deletes what was due at `now`, for every tenant that has said how long it keeps its records. */
  async forget(now: Date): Promise<void> {
    try {
      const tenants = await this.database.readAsSystem<{ tenant_id: TenantId; audit_days: number }>(
        'SELECT tenant_id, audit_days FROM retention_policies WHERE audit_days IS NOT NULL ORDER BY tenant_id',
        [],
      );
      for (const { tenant_id: tenantId, audit_days: days } of tenants) {
        if (this.stopping) return;
        await this.forgetOf(tenantId, new Date(now.getTime() - days * DAY_MS));
      }
    } catch (error) {
      this.logger.warn(`Old audit records will be deleted later: ${String(error)}`);
    }
  }

  private async forgetOf(tenantId: TenantId, before: Date): Promise<void> {
    await this.database.asSystem(async (manager) => {
      await this.audit.lock(manager, tenantId);
      const last = await lastBefore(manager, tenantId, before);
      if (last === null) return;
      await manager.query(
        `INSERT INTO audit_checkpoints (tenant_id, reason, position, hash, signature) VALUES ($1, 'retention', $2, $3, $4)`,
        [tenantId, last.position, last.hash, checkpointSignature(this.master, tenantId, 'retention', last)],
      );
      await this.audit.record(manager, {
        tenantId,
        action: 'audit.forget',
        actor: 'system:retention',
        target: null,
        requestId: null,
        detail: { up_to: last.position, older_than: before },
      });
      await this.database.become(manager, 'loci_retention');
      await manager.query('DELETE FROM audit_records WHERE tenant_id = $1 AND COALESCE(position, 0) <= $2', [
        tenantId,
        last.position,
      ]);
    });
  }
}

/** The end of the beginning of a chain in which every record is older; null where that is empty. */
async function lastBefore(
  manager: EntityManager,
  tenantId: TenantId,
  before: Date,
): Promise<ChainEnd | null> {
  const [row] = await manager.query<{ position: string; hash: Buffer }[]>(
    `SELECT position, hash FROM audit_records
     WHERE tenant_id = $1 AND at < $2 AND position IS NOT NULL AND id < COALESCE(
       (SELECT min(id) FROM audit_records WHERE tenant_id = $1 AND at >= $2 AND position IS NOT NULL), 9223372036854775807)
     ORDER BY id DESC LIMIT 1`,
    [tenantId, before],
  );
  return row === undefined ? null : { position: Number(row.position), hash: row.hash };
}
