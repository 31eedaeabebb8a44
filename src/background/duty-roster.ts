import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { Placements } from '../spaces/placements.js';
import type { Tenant } from '../tenancy/principal.js';
import type { TenantId } from '../tenancy/tenant.js';

/** A replica that falls silent for so long has lost its turn. */
export const LEASE_S = 60;
const FIRST_WAIT_S = 60;

/** What is known of one tenant's duty. */
export interface DutyState {
  nextAt: Date | null;
  lastDoneAt: Date | null;
  running: boolean;
  lastError: string | null;
}

/** Who does what when, in the main database: `duties`. */
@Injectable()
export class DutyRoster {
  constructor(
    private readonly database: Database,
    private readonly placements: Placements,
  ) {}

  /** Tenants that are new to a duty get a first time, spread over its period. */
  async enrol(name: string, everyMs: number): Promise<void> {
    await this.database.asSystem((manager) =>
      manager.query(
        `INSERT INTO duties (tenant_id, name, next_at)
         SELECT t.id, $2, now() + random() * make_interval(secs => $3) FROM tenants t
         WHERE t.state = 'active' AND t.placement = ANY($1)
           AND NOT EXISTS (SELECT FROM duties d WHERE d.tenant_id = t.id AND d.name = $2)
         ON CONFLICT DO NOTHING`,
        [this.placements.names, name, everyMs / 1000],
      ),
    );
  }

  /** Takes the turn of the tenant that has been due the longest; null where nobody is. */
  async claim(name: string, lease: string): Promise<TenantId | null> {
    const [rows] = await this.database.asSystem<[{ tenant_id: TenantId }[], number]>((manager) =>
      manager.query(
        `UPDATE duties SET lease = $3, leased_until = now() + make_interval(secs => $4)
         WHERE name = $2 AND tenant_id = (
           SELECT d.tenant_id FROM duties d JOIN tenants t ON t.id = d.tenant_id
           WHERE d.name = $2 AND d.next_at <= now() AND (d.leased_until IS NULL OR d.leased_until < now())
             AND t.state = 'active' AND t.placement = ANY($1)
           ORDER BY d.next_at LIMIT 1 FOR NO KEY UPDATE OF d SKIP LOCKED)
         RETURNING tenant_id`,
        [this.placements.names, name, lease, LEASE_S],
      ),
    );
    return rows[0]?.tenant_id ?? null;
  }

  /** False where the turn was lost. */
  async renew(tenantId: TenantId, name: string, lease: string): Promise<boolean> {
    const [, held] = await this.database.asSystem<[unknown, number]>((manager) =>
      manager.query(
        `UPDATE duties SET leased_until = now() + make_interval(secs => $4)
         WHERE tenant_id = $1 AND name = $2 AND lease = $3`,
        [tenantId, name, lease, LEASE_S],
      ),
    );
    return held === 1;
  }

  /** The turn is over. What failed is due again sooner: after a minute, then two, then four, and never later than usual. */
  async settle(
    tenantId: TenantId,
    name: string,
    lease: string,
    everyMs: number,
    /** Why it failed; null: it is done. */
    reason: string | null,
  ): Promise<void> {
    await this.database.asSystem((manager) =>
      manager.query(
        `UPDATE duties SET lease = NULL, leased_until = NULL, last_error = $6,
           failures = CASE WHEN $6::text IS NULL THEN 0 ELSE failures + 1 END,
           last_done_at = CASE WHEN $6::text IS NULL AND $4 > 0 THEN now() ELSE last_done_at END,
           next_at = now() + make_interval(secs => CASE WHEN $6::text IS NULL THEN $4
             ELSE least($4, $5 * power(2, least(failures, 20))) END)
         WHERE tenant_id = $1 AND name = $2 AND lease = $3`,
        [tenantId, name, lease, everyMs / 1000, FIRST_WAIT_S, reason?.slice(0, 500) ?? null],
      ),
    );
  }

  /** Makes it due now. */
  async bringForward(tenant: Tenant, name: string): Promise<void> {
    await this.database.asSystem((manager) =>
      manager.query(
        `INSERT INTO duties (tenant_id, name, next_at) VALUES ($1, $2, now())
         ON CONFLICT (tenant_id, name) DO UPDATE SET next_at = least(duties.next_at, now())`,
        [tenant.id, name],
      ),
    );
  }

  async state(tenant: Tenant, name: string): Promise<DutyState> {
    const [row] = await this.database.readAsSystem<{
      next_at: Date;
      last_done_at: Date | null;
      running: boolean;
      last_error: string | null;
    }>(
      `SELECT next_at, last_done_at, COALESCE(leased_until > now(), false) AS running, last_error
       FROM duties WHERE tenant_id = $1 AND name = $2`,
      [tenant.id, name],
    );
    return {
      nextAt: row?.next_at ?? null,
      lastDoneAt: row?.last_done_at ?? null,
      running: row?.running ?? false,
      lastError: row?.last_error ?? null,
    };
  }
}
