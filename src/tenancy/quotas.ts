import { Injectable } from '@nestjs/common';
import { DomainError } from '../platform/errors/domain-error.js';
import { Settings } from '../platform/config/settings.js';
import type { Tenant } from './principal.js';

export class QuotaExceeded extends DomainError<'quota.exceeded'> {
  readonly code = 'quota.exceeded';
  constructor(quota: string, limit: number, used: number) {
    super(`This would go beyond the quota \`${quota}\` of ${limit}. Nothing was stored.`, {
      extra: { quota, limit, used },
    });
  }
}

/** What a tenant may have: its own settings first, then its plan. */
@Injectable()
export class Quotas {
  constructor(private readonly settings: Settings) {}

  checkMemories(tenant: Tenant, used: number, adding: number): void {
    const limit = this.maxMemories(tenant);
    if (limit !== null && adding > 0 && used + adding > limit)
      throw new QuotaExceeded('max_memories', limit, used);
  }

  /** `used`: beside the default workspace, which does not count. */
  checkWorkspaces(tenant: Tenant, used: number): void {
    const limit = this.maxWorkspaces(tenant);
    if (limit !== null && used + 1 > limit) throw new QuotaExceeded('max_workspaces', limit, used);
  }

  maxWorkspaces(tenant: Tenant): number | null {
    return tenant.settings.quotas?.max_workspaces ?? this.settings.plans[tenant.plan].maxWorkspaces;
  }

  maxMemories(tenant: Tenant): number | null {
    return tenant.settings.quotas?.max_memories ?? this.settings.plans[tenant.plan].maxMemories;
  }

  requestsPerMinute(tenant: Tenant): number {
    const { quotas } = tenant.settings;
    return quotas?.max_api_calls_per_minute ?? this.settings.plans[tenant.plan].requestsPerMinute;
  }
}
