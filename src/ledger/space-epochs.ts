import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { Tenant } from '../tenancy/principal.js';

/** The epoch of a tenant's ledger: when it changes, no store that was built before counts any more. */
@Injectable()
export class SpaceEpochs {
  constructor(private readonly database: Database) {}

  /** False where the tenant is moving, or no longer where this says. */
  async advance(tenant: Tenant): Promise<boolean> {
    const [, changed] = await this.database.asSystem<[unknown, number]>((manager) =>
      manager.query(
        `UPDATE tenants SET epoch = epoch + 1 WHERE id = $1 AND placement = $2 AND moving_to IS NULL`,
        [tenant.id, tenant.placement],
      ),
    );
    return changed === 1;
  }
}
