import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AuditTrail } from '../../ledger/audit-trail.js';
import { Settings } from '../../platform/config/settings.js';
import { Database } from '../../platform/database/database.js';
import { HotSpaces } from '../../spaces/hot-spaces.js';
import { Placements } from '../../spaces/placements.js';
import { Spaces } from '../../spaces/spaces.js';
import { PrincipalCache } from '../../tenancy/principal-cache.js';
import type { Tenant } from '../../tenancy/principal.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';
import type { TenantId } from '../../tenancy/tenant.js';
import { announce } from './operator-audit.js';
import { TenantEntity } from './tenant.entity.js';
import { TenantIsDeleted, TenantIsMoving } from './tenants.errors.js';
import { TenantsService } from './tenants.service.js';

const LOOK_EVERY_MS = 2_000;
/** Replicas look at the same time; one that finds a move taken by another comes back later. */
const MOVES_AT_ONCE = 20;

export interface PlacementProgress {
  placement: string;
  movingTo: string | null;
  /** The tenant's revision, and how far the new placement's projections are. Null: nothing moves. */
  progress: { revision: number; vectors: number; graph: number } | null;
}

interface MovingRow {
  id: TenantId;
  moving_to: string;
  epoch: string;
}

/**
 * Moves tenants between placements while they serve: the new projections are built beside the old ones, under the
 * epoch that the switch will bring; when they have caught up the tenant is switched in one step, and the old ones are
 * dropped. Whatever is interrupted goes on at the next look, on any replica.
 */
@Injectable()
export class TenantMove implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(TenantMove.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly database: Database,
    private readonly tenants: TenantsService,
    private readonly directory: TenantDirectory,
    private readonly placements: Placements,
    private readonly spaces: Spaces,
    private readonly hot: HotSpaces,
    private readonly principals: PrincipalCache,
    private readonly settings: Settings,
    private readonly audit: AuditTrail,
  ) {}

  /** An API process leaves it to the workers. */
  onApplicationBootstrap(): void {
    if (this.settings.role === 'api') return;
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    await this.running;
  }

  /** Throws `TenantNotFound`, `PlacementUnknown`, `TenantIsDeleted`, `TenantIsMoving`. */
  async begin(ref: string, placement: string, requestId: string): Promise<PlacementProgress> {
    this.placements.expect(placement);
    const tenant = await this.tenants.get(ref);
    if (tenant.state === 'deleted') throw new TenantIsDeleted(tenant.slug);
    if (tenant.movingTo !== null && tenant.movingTo !== placement) throw new TenantIsMoving(tenant.movingTo);
    if (tenant.placement !== placement && tenant.movingTo === null) {
      await this.database.asSystem(async (manager) => {
        await manager.update(TenantEntity, { id: tenant.id }, { movingTo: placement });
        await this.audit.record(manager, {
          action: 'tenant.move',
          tenantId: tenant.id,
          target: placement,
          requestId,
          detail: { before: { placement: tenant.placement }, after: { placement } },
        });
      });
      this.look();
    }
    return this.progress(ref);
  }

  async progress(ref: string): Promise<PlacementProgress> {
    const entity = await this.tenants.get(ref);
    const { placement, movingTo } = entity;
    const tenant = movingTo === null ? null : await this.directory.tenantById(entity.id);
    if (tenant === null || movingTo === null) return { placement, movingTo: null, progress: null };
    // How far it is can be told where its new placement is served.
    if (!this.placements.serves(movingTo)) return { placement, movingTo, progress: null };
    const there = this.placements.of(movingTo);
    const arriving = { ...tenant, placement: movingTo };
    const [vectors, graph] = await Promise.all([
      this.spaces.vectorsOf(arriving, tenant.embeddingModel).watermark(),
      there.graphs.open({ tenant: tenant.id, name: tenant.space }).watermark(),
    ]);
    return {
      placement,
      movingTo,
      progress: { revision: Number(entity.revision), vectors: vectors.revision, graph: graph.revision },
    };
  }

  /** One look at what is to be moved; looks never overlap. */
  look(): void {
    this.running = this.running
      .then(() => this.moveAll())
      .catch((error: unknown) => {
        this.logger.warn(`Moving tenants will go on later: ${String(error)}`);
      });
  }

  /** Those that go to a placement which is served here, from one that is too, or that is set up nowhere any more. */
  private async moveAll(): Promise<void> {
    if (this.stopping) return;
    const moving = await this.database.asSystem<MovingRow[]>((manager) =>
      manager.query(
        `SELECT id, moving_to, epoch FROM tenants
         WHERE moving_to = ANY($1) AND (placement = ANY($1) OR NOT placement = ANY($2)) ORDER BY id LIMIT $3`,
        [this.placements.names, this.placements.known, MOVES_AT_ONCE],
      ),
    );
    for (const row of moving) {
      const tenant = this.stopping ? null : await this.directory.tenantById(row.id);
      if (tenant === null) continue;
      await this.move(tenant, row).catch((error: unknown) => {
        this.logger.warn(`${tenant.space} stays in ${tenant.placement} for now: ${String(error)}`);
      });
    }
  }

  private async move(tenant: Tenant, { moving_to: target, epoch }: MovingRow): Promise<void> {
    await Promise.all(this.spaces.successors(tenant, target).map((catchUp) => catchUp()));
    const switched = await this.database.asSystem(async (manager) => {
      const [, changed] = await manager.query<[unknown, number]>(
        `UPDATE tenants SET placement = moving_to, moving_to = NULL, epoch = epoch + 1, updated_at = now()
         WHERE id = $1 AND moving_to = $2 AND epoch = $3`,
        [tenant.id, target, epoch],
      );
      if (changed === 1) await announce(manager, tenant.id);
      return changed === 1;
    });
    if (!switched) return;
    this.principals.forget(tenant.id);
    this.hot.forget(tenant);
    // Requests that began before the switch read the old stores to their end; those that come now find the new ones.
    if (this.placements.serves(tenant.placement)) await this.spaces.drop(tenant, target);
    this.logger.log(`${tenant.space} moved from ${tenant.placement} to ${target}`);
  }
}
