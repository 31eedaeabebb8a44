import { Injectable, Logger } from '@nestjs/common';
import type { Tenant } from '../tenancy/principal.js';
import { SpaceEpochs } from '../ledger/space-epochs.js';
import { Placements } from './placements.js';

/**
 * Which tenants' spaces are in use, for placements that hold only so many. The longest idle one beyond that is
 * cooled: its epoch changes, so that nothing of it can be taken for current, and its stores are dropped. The next
 * touch wakes it by replay; the ledger keeps embeddings, so waking embeds nothing.
 */
@Injectable()
export class HotSpaces {
  private readonly logger = new Logger(HotSpaces.name);
  /** By placement, tenants in the order of their last touch. */
  private readonly touched = new Map<string, Map<string, Tenant>>();
  private readonly cooling = new Set<string>();

  constructor(
    private readonly placements: Placements,
    private readonly epochs: SpaceEpochs,
  ) {}

  touch(tenant: Tenant): void {
    const { maxHotSpaces } = this.placements.of(tenant.placement);
    if (maxHotSpaces === null) return;
    const tenants = this.touched.get(tenant.placement) ?? new Map<string, Tenant>();
    this.touched.set(tenant.placement, tenants);
    tenants.delete(tenant.id);
    tenants.set(tenant.id, tenant);
    for (const [id, idle] of tenants) {
      if (tenants.size <= maxHotSpaces) break;
      if (id === tenant.id || idle.settings['pinned'] === true) continue;
      tenants.delete(id);
      void this.cool(idle);
    }
  }

  /** Nothing of a tenant is kept hot: it was purged, or it moved. */
  forget(tenant: Tenant): void {
    this.touched.get(tenant.placement)?.delete(tenant.id);
  }

  private async cool(tenant: Tenant): Promise<void> {
    if (this.cooling.has(tenant.id)) return;
    this.cooling.add(tenant.id);
    try {
      if (!(await this.epochs.advance(tenant))) return;
      const { vectors, graphs } = this.placements.of(tenant.placement);
      const address = { tenant: tenant.id, name: tenant.space };
      await vectors.drop(address);
      await graphs.drop(address);
    } catch (error) {
      this.logger.warn(`${tenant.space} could not be cooled: ${String(error)}`);
    } finally {
      this.cooling.delete(tenant.id);
    }
  }
}
