import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Database } from '../platform/database/database.js';
import type { Tenant } from '../tenancy/principal.js';
import { PRINCIPALS_CHANNEL } from '../tenancy/principal-cache.js';
import type { TenantId } from '../tenancy/tenant.js';
import { AuditTrail } from './audit-trail.js';
import { Homes, MAIN } from './homes.js';

/** What a ledger elsewhere needs of its tenant's row in the main database. */
interface MirroredRow {
  id: TenantId;
  name: string;
  state: string;
  plan: string;
  placement: string;
  moving_to: string | null;
  home: string;
  epoch: string;
  embedding_model: string;
  default_workspace_id: string;
  default_agent_id: string;
  settings: object;
  workspaces: string[];
}

/**
 * Keeps, in a database of a placement's own, a row for each tenant whose ledger is there and one for each of its
 * workspaces, as the ledger's tables refer to them. Names and keys stay in the main database: here a slug is the id again,
 * and the key is empty.
 *
 * Who it is comes from the main database (`push`); how far its ledger is, which epoch it has and which model answers is
 * that database's own to say (`reflect`).
 */
@Injectable()
export class HomeMirror {
  constructor(
    private readonly homes: Homes,
    private readonly audit: AuditTrail,
  ) {}

  /** Brings the home's row and workspaces to what the main database says. Nothing to do where that is the home. */
  async push(tenantId: TenantId, { raiseEpoch = false } = {}): Promise<void> {
    const row = await this.homes.main.asSystem((manager) => mirroredRow(manager, tenantId));
    if (row === null || row.home === MAIN) return;
    const home = await this.homes.of(row.home);
    await home.asSystem(async (manager) => {
      await manager.query(REFRESH, [
        row.id,
        row.name,
        row.state,
        row.plan,
        row.placement,
        row.moving_to,
        JSON.stringify(row.settings),
        row.home,
        raiseEpoch ? 1 : 0,
      ]);
      await mirrorWorkspaces(manager, row);
    });
  }

  /**
   * Makes the tenant's row in the database that is to be its home, before it is: inside the transaction of the main
   * database that makes the tenant, so that there is neither without the other, or before its ledger is brought there.
   */
  async settle(reading: EntityManager, tenantId: TenantId, database: Database): Promise<void> {
    const row = await mirroredRow(reading, tenantId);
    if (row === null || row.state === 'deleted') throw new Error(`${tenantId} is there no more`);
    await database.asSystem(async (manager) => {
      await manager.query(SETTLE, [
        row.id,
        row.name,
        row.state,
        row.plan,
        row.placement,
        row.moving_to,
        JSON.stringify(row.settings),
        row.home,
        row.epoch,
        row.embedding_model,
        row.default_workspace_id,
        row.default_agent_id,
      ]);
      await this.audit.resume(manager, tenantId);
      await mirrorWorkspaces(manager, row);
    });
  }

  /** Copies of its ledger that are on their way to any of these come no further. */
  async stopCopies(tenantId: TenantId, homes: readonly string[]): Promise<void> {
    for (const name of homes.filter((home) => home !== MAIN)) {
      const home = await this.homes.of(name);
      await home.asSystem((manager) =>
        manager.query(`UPDATE tenants SET state = 'deleted' WHERE id = $1 AND copy_of IS NOT NULL`, [
          tenantId,
        ]),
      );
    }
  }

  /** Tells the main database, and all replicas, which model the tenant's ledger says it answers with. */
  async reflect(tenant: Tenant): Promise<void> {
    if (tenant.home === MAIN) return;
    const home = await this.homes.of(tenant.home);
    const [row] = await home.asSystem<
      { embedding_model: string; retired_model: string | null; retired_at: Date | null }[]
    >((manager) =>
      manager.query(`SELECT embedding_model, retired_model, retired_at FROM tenants WHERE id = $1`, [
        tenant.id,
      ]),
    );
    if (row === undefined) return;
    await this.homes.main.asSystem(async (manager) => {
      await manager.query(
        `UPDATE tenants SET embedding_model = $2, retired_model = $3, retired_at = $4 WHERE id = $1 AND home = $5`,
        [tenant.id, row.embedding_model, row.retired_model, row.retired_at, tenant.home],
      );
      await manager.query('SELECT pg_notify($1, $2)', [PRINCIPALS_CHANNEL, tenant.id]);
    });
  }

  /** Where the tenant and its ledger are by now. */
  async whereabouts({ id, placement, home }: Tenant): Promise<Pick<Tenant, 'placement' | 'home'>> {
    const [row] = await this.homes.main.readAsSystem<{ placement: string; home: string }>(
      'SELECT placement, home FROM tenants WHERE id = $1',
      [id],
    );
    return row ?? { placement, home };
  }
}

async function mirroredRow(manager: EntityManager, tenantId: TenantId): Promise<MirroredRow | null> {
  const [row] = await manager.query<MirroredRow[]>(
    `SELECT id, name, state, plan, placement, moving_to, home, epoch, embedding_model, default_workspace_id,
       default_agent_id, settings, ARRAY(SELECT w.id FROM workspaces w WHERE w.tenant_id = t.id AND w.deleted_at IS NULL) AS workspaces
     FROM tenants t WHERE id = $1`,
    [tenantId],
  );
  return row ?? null;
}

/** One that is gone from the main database, or on its way out, is removed once nothing is stored in it any more. */
async function mirrorWorkspaces(manager: EntityManager, { id, workspaces }: MirroredRow): Promise<void> {
  await manager.query(
    `INSERT INTO workspaces (tenant_id, id, slug, name) SELECT $1, w, w::text, w::text FROM unnest($2::uuid[]) AS w
     ON CONFLICT DO NOTHING`,
    [id, workspaces],
  );
  await manager.query(
    `DELETE FROM workspaces w WHERE w.tenant_id = $1 AND NOT w.id = ANY($2::uuid[])
       AND NOT EXISTS (SELECT FROM memories m WHERE m.tenant_id = $1 AND m.workspace_id = w.id)`,
    [id, workspaces],
  );
}

/** Only a row that lives there: one that has left, or is still on its way, is the mover's. */
const REFRESH = `
UPDATE tenants SET name = $2, state = $3, plan = $4, placement = $5, moving_to = $6, settings = $7, epoch = epoch + $9,
  updated_at = now()
WHERE id = $1 AND home = $8`;

const SETTLE = `
INSERT INTO tenants (id, slug, name, state, plan, placement, moving_to, settings, home, epoch, embedding_model,
  default_workspace_id, default_agent_id, wrapped_key, fingerprint)
VALUES ($1, $1::uuid::text, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '')
ON CONFLICT (id) DO UPDATE SET name = excluded.name, state = excluded.state, plan = excluded.plan,
  placement = excluded.placement, moving_to = excluded.moving_to, settings = excluded.settings, home = excluded.home`;
