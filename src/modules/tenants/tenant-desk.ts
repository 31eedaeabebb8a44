import { Injectable } from '@nestjs/common';
import { Settings } from '../../platform/config/settings.js';
import { readCursor, writeCursor } from '../../platform/http/cursor.js';
import type { Tenant } from '../../tenancy/principal.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';
import { TenantNotFound } from '../../tenancy/tenancy-errors.js';
import { orderOf } from './tenant-orders.js';
import { TenantProvisioning, type Provisioned } from './tenant-provisioning.service.js';
import { countsDto, statsDto, tenantDto } from './tenant-replies.js';
import { TenantStatsService } from './tenant-stats.service.js';
import type { TenantEntity } from './tenant.entity.js';
import type {
  ListTenantsDto,
  ProvisionTenantDto,
  TenantDto,
  TenantListDto,
  TenantStatsDto,
} from './tenants.dto.js';
import { TenantsService, type TenantPlace } from './tenants.service.js';

/** What an operator's routes have in common, by whichever name they know tenants. */
@Injectable()
export class TenantDesk {
  constructor(
    private readonly context: TenantContext,
    private readonly settings: Settings,
    private readonly tenants: TenantsService,
    private readonly provisioning: TenantProvisioning,
    private readonly counting: TenantStatsService,
    private readonly directory: TenantDirectory,
  ) {}

  provision(dto: ProvisionTenantDto): Promise<Provisioned> {
    return this.provisioning.provision(orderOf(dto, this.settings), this.context.request.requestId);
  }

  async list(query: ListTenantsDto): Promise<TenantListDto> {
    const { tenants, next } = await this.page(query);
    const counts = query.include_stats ? await this.counting.counts(tenants) : null;
    return {
      data: tenants.map((tenant) => {
        const counted = counts?.get(tenant.id);
        return {
          ...this.show(tenant),
          ...(counted === undefined ? {} : { stats: countsDto(tenant, counted) }),
        };
      }),
      next_cursor: next,
    };
  }

  /** Tenants, newest first, and the cursor of the next page. */
  async page(
    query: Pick<ListTenantsDto, 'limit' | 'cursor' | 'state'>,
  ): Promise<{ tenants: TenantEntity[]; next: string | null }> {
    const place = query.cursor === undefined ? null : readCursor(query.cursor);
    const after: TenantPlace | null = place === null ? null : { createdAt: place.time, id: place.id };
    const filter = query.state === undefined ? {} : { state: query.state };
    const { tenants, next } = await this.tenants.list(filter, query.limit, after);
    return { tenants, next: next === null ? null : writeCursor({ time: next.createdAt, id: next.id }) };
  }

  async stats(ref: string): Promise<TenantStatsDto> {
    const tenant = await this.tenants.get(ref);
    return statsDto(tenant, await this.counting.of(tenant.id));
  }

  show(tenant: TenantEntity): TenantDto {
    return tenantDto(tenant, this.settings.plans[tenant.plan]);
  }

  /** For reading what of a tenant is no content. Throws `TenantNotFound`. */
  async capability(ref: string): Promise<Tenant> {
    const tenant = await this.directory.tenantById((await this.tenants.get(ref)).id);
    if (tenant === null) throw new TenantNotFound();
    return tenant;
  }
}
