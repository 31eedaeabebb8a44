import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { AuditTrail } from '../../ledger/audit-trail.js';
import { HomeMirror } from '../../ledger/home-mirror.js';
import { Homes } from '../../ledger/homes.js';
import { LedgerMove, type Destination } from '../../ledger/ledger-move.js';
import { Settings } from '../../platform/config/settings.js';
import { Database } from '../../platform/database/database.js';
import { HotSpaces } from '../../spaces/hot-spaces.js';
import { PlacementMissing, Placements } from '../../spaces/placements.js';
import { Spaces } from '../../spaces/spaces.js';
import { PrincipalCache } from '../../tenancy/principal-cache.js';
import type { Tenant } from '../../tenancy/principal.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';
import type { TenantId } from '../../tenancy/tenant.js';
import { TenantEntity } from './tenant.entity.js';
import { TenantIsDeleted, TenantIsMoving } from './tenants.errors.js';
import { TenantsService } from './tenants.service.js';

const LOOK_EVERY_MS = 2_000;
/** Replicas look at the same time; one that finds a move taken by another comes back later. */
const MOVES_AT_ONCE = 20;

export interface PlacementProgress {
  placement: string;
  movingTo: string | null;
  /**
   * The tenant's revision, and how far the new placement's projections are, and the copy of its ledger where that goes
   * to another database. Null: nothing moves.
   */
  progress: { revision: number; vectors: number; graph: number; ledger: number | null } | null;
}

/** The name under which one process at a time moves a tenant, or purges it. */
export function moveOf(id: TenantId): string {
  return `move ${id}`;
}

interface MovingRow extends QueryResultRow {
  id: TenantId;
  slug: string;
  moving_to: string;
  leaving: string | null;
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
    private readonly homes: Homes,
    private readonly mirror: HomeMirror,
    private readonly ledgers: LedgerMove,
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
    const there = tenant.placement === placement && tenant.home === this.homes.nameFor(placement);
    if (!there && tenant.movingTo === null) {
      // What it has left behind is still being erased.
      if (tenant.leaving !== null) throw new TenantIsMoving(tenant.placement);
      if (!this.homes.knows(tenant.home)) throw new PlacementMissing(tenant.home);
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
    const [vectors, graph, { ledger, copy }] = await Promise.all([
      this.spaces.vectorsOf(arriving, tenant.embeddingModel).watermark(),
      there.graphs.open({ tenant: tenant.id, name: tenant.space }).watermark(),
      this.ledgers.progress({ ...tenant, home: entity.leaving ?? tenant.home }, movingTo),
    ]);
    return {
      placement,
      movingTo,
      progress: { revision: ledger, vectors: vectors.revision, graph: graph.revision, ledger: copy },
    };
  }

  /** One look at what is to be moved; looks never overlap. */
  look(): void {
    this.running = this.running
      .then(() => this.moveAll())
      .then(() => this.ledgers.eraseLeft())
      .catch((error: unknown) => {
        this.logger.warn(`Moving tenants will go on later: ${String(error)}`);
      });
  }

  /** Those that go to a placement which is served here, from one that is too, or that is set up nowhere any more. */
  private async moveAll(): Promise<void> {
    if (this.stopping) return;
    const moving = await this.database.readAsSystem<MovingRow>(
      `SELECT id, slug, moving_to, leaving FROM tenants
       WHERE moving_to = ANY($1) AND (placement = ANY($1) OR NOT placement = ANY($2)) AND state <> 'deleted'
       ORDER BY id LIMIT $3`,
      [this.placements.names, this.placements.known, MOVES_AT_ONCE],
    );
    for (const { id, slug } of moving) {
      if (this.stopping) return;
      await this.database
        .exclusively(moveOf(id), () => this.moveAlone(id))
        .catch((error: unknown) => {
          this.logger.warn(`${slug} stays where it is for now: ${String(error)}`);
        });
    }
  }

  /** Nobody else moves or purges this tenant meanwhile. */
  private async moveAlone(id: TenantId): Promise<void> {
    const [row] = await this.database.readAsSystem<MovingRow>(
      `SELECT id, slug, moving_to, leaving FROM tenants WHERE id = $1 AND moving_to IS NOT NULL AND state <> 'deleted'`,
      [id],
    );
    const tenant = await this.directory.tenantById(id);
    if (row === undefined || tenant === null) return;
    const target = row.moving_to;
    // Where its ledger comes from: the main database may have been told already that it left.
    const here = { ...tenant, home: row.leaving ?? tenant.home };
    const lines = this.spaces.successors(here, target);
    const to: Destination = {
      placement: target,
      home: this.homes.nameFor(target),
      raise: lines.length > 0 ? 1 : 0,
    };
    // A home elsewhere hears of it first: until it has arrived, nothing else may raise the epoch.
    await this.mirror.push(tenant.id);
    const stays = this.homes.same(here.home, to.home);
    const moved = await (stays ? this.moveSpaces(here, lines, to) : this.moveLedger(here, lines, to));
    if (!moved) return;
    this.principals.forget(tenant.id);
    await this.hot.forget(tenant);
    // Requests that began before the switch read the old stores to their end; those that come now find the new ones.
    if (this.placements.serves(tenant.placement) && tenant.placement !== target) {
      await this.spaces.drop(tenant, target);
    }
    this.logger.log(`${tenant.space} moved from ${tenant.placement} to ${target}`);
  }

  private async moveSpaces(here: Tenant, lines: (() => Promise<void>)[], to: Destination): Promise<boolean> {
    await Promise.all(lines.map((catchUp) => catchUp()));
    return this.ledgers.rename(here, to);
  }

  private async moveLedger(here: Tenant, lines: (() => Promise<void>)[], to: Destination): Promise<boolean> {
    if (await this.ledgers.follow(here, to)) await Promise.all(lines.map((catchUp) => catchUp()));
    return this.ledgers.change(here, to);
  }
}
