import { Injectable, Logger } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Homes, MAIN } from '../../ledger/homes.js';
import { Placements } from '../../spaces/placements.js';
import type { Tenant } from '../../tenancy/principal.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';
import type { TenantId } from '../../tenancy/tenant.js';

const TENANTS_AT_ONCE = 100;

/** Whose webhooks have something to be told, over all databases in which ledgers are. */
@Injectable()
export class DueWebhooks {
  private readonly logger = new Logger(DueWebhooks.name);

  constructor(
    private readonly homes: Homes,
    private readonly directory: TenantDirectory,
    private readonly placements: Placements,
  ) {}

  /** Active tenants that this process serves, the longest due first. */
  async tenants(): Promise<Tenant[]> {
    const ids = await Promise.all([MAIN, ...this.homes.others].map((home) => this.idsIn(home)));
    const found = await Promise.all(ids.flat().map((id) => this.directory.tenantById(id)));
    return found.filter(
      (tenant): tenant is Tenant => tenant?.state === 'active' && this.placements.serves(tenant.placement),
    );
  }

  private async idsIn(home: string): Promise<TenantId[]> {
    try {
      const database = await this.homes.of(home);
      const rows = await database.readAsSystem<QueryResultRow & { tenant_id: TenantId }>(DUE, [
        TENANTS_AT_ONCE,
      ]);
      return rows.map((row) => row.tenant_id);
    } catch (error) {
      this.logger.debug(`The ledgers in ${home} cannot be asked: ${String(error)}`);
      return [];
    }
  }
}

const DUE = `
SELECT tenant_id FROM trigger_deliveries WHERE state = 'waiting' AND next_try_at <= now()
GROUP BY tenant_id ORDER BY min(next_try_at) LIMIT $1`;
