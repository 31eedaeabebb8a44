import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { EntityManager } from 'typeorm';
import { checkpointSignature, type ChainEnd } from '../../ledger/audit-chain.js';
import { AuditTrail } from '../../ledger/audit-trail.js';
import { Homes, MAIN } from '../../ledger/homes.js';
import { Settings } from '../../platform/config/settings.js';
import type { Database } from '../../platform/database/database.js';
import { MasterKey, type TenantKey } from '../../tenancy/tenant-key.js';
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
    private readonly homes: Homes,
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
      const tenants = await this.homes.main.readAsSystem<DueRow>(DUE, []);
      for (const { tenant_id: tenantId, audit_days: days, wrapped_key: wrapped } of tenants) {
        const key = this.master.unwrap(tenantId, wrapped);
        const before = new Date(now.getTime() - days * DAY_MS);
        for (const home of [MAIN, ...this.homes.others]) {
          if (this.stopping) return;
          await this.forgetIn(await this.homes.of(home), tenantId, key, before);
        }
      }
    } catch (error) {
      this.logger.warn(`Old audit records will be deleted later: ${String(error)}`);
    }
  }

  private async forgetIn(
    database: Database,
    tenantId: TenantId,
    key: TenantKey,
    before: Date,
  ): Promise<void> {
    await database.asSystem(async (manager) => {
      await this.audit.lock(manager, tenantId);
      const last = await lastBefore(manager, tenantId, before);
      if (last === null) return;
      await manager.query(
        `INSERT INTO audit_checkpoints (tenant_id, reason, position, hash, signature) VALUES ($1, 'retention', $2, $3, $4)`,
        [tenantId, last.position, last.hash, checkpointSignature(this.master, tenantId, 'retention', last)],
      );
      const detail = { up_to: last.position, older_than: before };
      const entry = { action: 'audit.forget', actor: 'system:retention', target: null, requestId: null };
      await this.audit.record(manager, { tenantId, ...entry, detail }, key);
      await database.become(manager, 'loci_retention');
      await manager.query('DELETE FROM audit_records WHERE tenant_id = $1 AND COALESCE(position, 0) <= $2', [
        tenantId,
        last.position,
      ]);
    });
  }
}

interface DueRow extends QueryResultRow {
  tenant_id: TenantId;
  audit_days: number;
  wrapped_key: Buffer;
}

const DUE = `
SELECT p.tenant_id, p.audit_days, t.wrapped_key FROM retention_policies p JOIN tenants t ON t.id = p.tenant_id
WHERE p.audit_days IS NOT NULL ORDER BY p.tenant_id`;

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
