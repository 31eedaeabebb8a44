import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Erasure, type Erased } from '../../ledger/erasure.js';
import { HomeMirror } from '../../ledger/home-mirror.js';
import { Homes } from '../../ledger/homes.js';
import type { GraphCount } from '../../spaces/graph-space.js';
import { Placements } from '../../spaces/placements.js';
import { Spaces } from '../../spaces/spaces.js';
import { TenantNotFound } from '../../tenancy/tenancy-errors.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';
import { moveOf } from './tenant-move.service.js';
import type { TenantEntity } from './tenant.entity.js';
import { TenantIsMoving } from './tenants.errors.js';
import type { TenantId } from '../../tenancy/tenant.js';
import { TenantsService } from './tenants.service.js';

/** A copy that is under way stops at its next batch. */
const MOVE_ENDS_WITHIN_MS = 20_000;

/** What was removed from each store: counted, and counted again to be nothing. */
export interface PurgeReceipt {
  tenant: TenantEntity;
  purgedAt: Date;
  ledger: Erased;
  vectors: { removed: number; remaining: number };
  /** Memories and relations; what remains, with what was derived from them. */
  graph: { removed: number; remaining: number };
  /** Nothing remains anywhere. */
  verified: boolean;
}

/** Erases a tenant for good. Whatever step is interrupted, purging again goes on from there. */
@Injectable()
export class TenantPurge {
  constructor(
    private readonly tenants: TenantsService,
    private readonly directory: TenantDirectory,
    private readonly erasure: Erasure,
    private readonly spaces: Spaces,
    private readonly placements: Placements,
    private readonly homes: Homes,
    private readonly mirror: HomeMirror,
  ) {}

  /** Throws `TenantNotFound`; `TenantIsMoving` where a move could not be stopped soon enough: then purge it again. */
  async purge(ref: string, requestId: string): Promise<PurgeReceipt> {
    await this.checkReach(await this.tenants.get(ref));
    // Deleted first: from here on no key is admitted, no write begins, and no move.
    const entity = await this.tenants.move(ref, 'purge', requestId);
    for (const deadline = performance.now() + MOVE_ENDS_WITHIN_MS; ;) {
      const receipt = await this.homes.main.exclusively(moveOf(entity.id), () => this.erase(entity.id));
      if (receipt !== null) return receipt;
      if (performance.now() > deadline) throw new TenantIsMoving(entity.movingTo ?? entity.placement);
      await this.mirror.stopCopies(entity.id, this.homesOf(entity));
      await pause(100);
    }
  }

  private async erase(id: TenantId): Promise<PurgeReceipt> {
    // Read again: a move may have come to its end meanwhile.
    const entity = await this.tenants.get(id);
    const tenant = await this.directory.tenantById(entity.id);
    if (tenant === null) throw new TenantNotFound();
    const space = this.spaces.peek(tenant);
    const vectors = await space.vectors.count();
    const graph = await space.graph.count();
    // Where the ledger is elsewhere, that database refuses writes too before anything is erased from it.
    await this.mirror.push(tenant.id);
    const ledger = await this.erasure.erase(tenant.id, this.homesOf(entity));
    await this.spaces.drop(tenant);
    // One that was on its way may have left something there too.
    if (entity.movingTo !== null) await this.spaces.drop({ ...tenant, placement: entity.movingTo });
    const vectorsLeft = await space.vectors.count();
    const graphLeft = await space.graph.count();
    const stored = ({ nodes, relationships }: GraphCount) => nodes + relationships;
    const nodes = (count: GraphCount) => stored(count) + count.entities + count.mentions;
    const remaining = Object.values(ledger).reduce(
      (sum, table) => sum + table.remaining,
      vectorsLeft + nodes(graphLeft),
    );
    return {
      tenant: entity,
      purgedAt: new Date(),
      ledger,
      vectors: { removed: vectors, remaining: vectorsLeft },
      graph: { removed: stored(graph), remaining: nodes(graphLeft) },
      verified: remaining === 0,
    };
  }

  /** What cannot be reached from here cannot be erased: then nothing is begun. */
  private async checkReach(tenant: TenantEntity): Promise<void> {
    this.placements.of(tenant.placement);
    if (tenant.movingTo !== null) this.placements.of(tenant.movingTo);
    for (const home of this.homesOf(tenant)) await this.homes.of(home);
  }

  /** Every database in which something of the tenant is, or may have been left. */
  private homesOf({ home, leaving, movingTo }: TenantEntity): string[] {
    return [home, leaving, movingTo === null ? null : this.homes.nameFor(movingTo)].filter(
      (name) => name !== null,
    );
  }
}
