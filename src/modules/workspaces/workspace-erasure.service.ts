import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { systemCause, type Cause } from '../../ledger/cause.js';
import { ControlPlane } from '../../ledger/control-plane.js';
import { MAIN } from '../../ledger/homes.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import { eraseEmptyWorkspace, eraseMemories } from '../../ledger/workspace-erasure.js';
import { Settings } from '../../platform/config/settings.js';
import { Database } from '../../platform/database/database.js';
import { Placements } from '../../spaces/placements.js';
import { Spaces } from '../../spaces/spaces.js';
import { PRINCIPALS_CHANNEL, PrincipalCache } from '../../tenancy/principal-cache.js';
import type { Tenant } from '../../tenancy/principal.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';
import { WorkspaceNotFound } from '../../tenancy/tenancy-errors.js';
import type { TenantId, WorkspaceId } from '../../tenancy/tenant.js';
import type { ErasedWorkspace } from './workspace.js';
import { WorkspaceIsDefault } from './workspaces.errors.js';

/** Each batch holds the tenant's row: its other writers wait for one batch at most. */
const BATCH = 500;
const LOOK_EVERY_MS = 30_000;

/**
 * Deletes a workspace with all that lies in it. First nobody finds it any more and its keys end; then what was stored
 * goes in batches, through the ledger, so that the projections forget it too; last the workspace itself. Whatever is
 * interrupted is finished at the next look, on any replica.
 */
@Injectable()
export class WorkspaceErasure implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(WorkspaceErasure.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly ledger: Ledger,
    private readonly control: ControlPlane,
    private readonly spaces: Spaces,
    private readonly principals: PrincipalCache,
    private readonly directory: TenantDirectory,
    private readonly database: Database,
    private readonly placements: Placements,
    private readonly settings: Settings,
  ) {}

  /** An API process leaves it to the workers. */
  onApplicationBootstrap(): void {
    if (this.settings.role === 'api') return;
    this.timer = setInterval(() => void this.finishInterrupted(), LOOK_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    await this.running;
  }

  /** Throws `WorkspaceNotFound`, `WorkspaceIsDefault`. */
  async erase(tenant: Tenant, id: WorkspaceId, cause: Cause): Promise<ErasedWorkspace> {
    if (id === tenant.defaultWorkspace) throw new WorkspaceIsDefault();
    await this.spaces.open(tenant).meet();
    const { result: closed } = await this.control.write(tenant, WHOLE_TENANT, cause, (tx) => close(tx, id));
    this.principals.forget(tenant.id);
    const memories = await this.empty(tenant, id, cause);
    await this.spaces.open(tenant).indexed();
    return { id, ...closed, memories };
  }

  /** Resolves when all that another request or process left half-way is gone, or was tried. */
  finishInterrupted(): Promise<void> {
    this.running = this.running
      .then(() => this.look())
      .catch((error: unknown) =>
        this.logger.warn(`Looking for deleted workspaces did not work: ${String(error)}`),
      );
    return this.running;
  }

  private async look(): Promise<void> {
    // One that was marked just now is somebody's at work.
    const left = await this.database.readAsSystem<{ tenant_id: TenantId; id: WorkspaceId }>(
      `SELECT w.tenant_id, w.id FROM workspaces w JOIN tenants t ON t.id = w.tenant_id
       WHERE w.deleted_at < now() - interval '1 minute' AND t.state = 'active' AND t.placement = ANY($1)
       LIMIT 20`,
      [this.placements.names],
    );
    for (const { tenant_id: tenantId, id } of left) {
      const tenant = this.stopping ? null : await this.directory.tenantById(tenantId);
      if (tenant === null) continue;
      await this.empty(tenant, id, systemCause('workspace-erasure'));
      await this.spaces.open(tenant).indexed();
    }
  }

  private async empty(tenant: Tenant, id: WorkspaceId, cause: Cause): Promise<number> {
    const batchCause: Cause = { ...cause, claim: null };
    for (let memories = 0; ;) {
      const { result: gone } = await this.ledger.write(tenant, WHOLE_TENANT, batchCause, async (tx) => {
        const erased = await eraseMemories(tx, id, BATCH);
        // Under the same lock as the last look: nobody puts anything there between the two.
        if (erased < BATCH) await eraseEmptyWorkspace(tx, id);
        return erased;
      });
      memories += gone;
      if (gone === BATCH) continue;
      if (tenant.home === MAIN) return memories;
      // There it was what the ledger refers to; here it is the workspace itself.
      await this.control.write(tenant, WHOLE_TENANT, batchCause, (tx) => eraseEmptyWorkspace(tx, id));
      return memories;
    }
  }
}

async function close(tx: LedgerWrite, id: WorkspaceId): Promise<Omit<ErasedWorkspace, 'id' | 'memories'>> {
  const scope = [tx.tenant.id, id];
  const [marked] = await tx.rows<{ slug: string; name: string }>(
    `UPDATE workspaces SET deleted_at = now() WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL
     RETURNING slug, name`,
    scope,
  );
  if (marked === undefined) throw new WorkspaceNotFound(`${id} of ${tx.tenant.slug}`);
  const keys = await tx.rows<{ id: string }>(
    `UPDATE api_keys SET revoked_at = now() WHERE tenant_id = $1 AND workspace_id = $2
     AND (revoked_at IS NULL OR revoked_at > now()) RETURNING id`,
    scope,
  );
  const agents = await tx.rows<{ id: string }>(
    `UPDATE agents SET deleted_at = now(), is_active = false WHERE tenant_id = $1 AND workspace_id = $2
     AND deleted_at IS NULL RETURNING id`,
    scope,
  );
  await tx.rows('SELECT pg_notify($1, $2)', [PRINCIPALS_CHANNEL, tx.tenant.id]);
  tx.record(
    'key.revoke',
    id,
    keys.map((key) => key.id),
  );
  tx.record(
    'agent.delete',
    id,
    agents.map((agent) => agent.id),
  );
  tx.record('workspace.delete', id, id, { before: marked });
  return { slug: marked.slug, agents: agents.length, keys: keys.length };
}
