import { Injectable } from '@nestjs/common';
import type { Tenant } from '../tenancy/principal.js';
import { Homes } from './homes.js';

/** The epoch of a tenant's ledger: when it changes, no store that was built before counts any more. */
@Injectable()
export class SpaceEpochs {
  constructor(private readonly homes: Homes) {}

  /** False where the tenant is moving, or no longer where this says. */
  async advance(tenant: Tenant): Promise<boolean> {
    const home = await this.homes.of(tenant.home);
    const [, changed] = await home.asSystem<[unknown, number]>((manager) =>
      manager.query(
        `UPDATE tenants SET epoch = epoch + 1 WHERE id = $1 AND placement = $2 AND moving_to IS NULL`,
        [tenant.id, tenant.placement],
      ),
    );
    return changed === 1;
  }
}
