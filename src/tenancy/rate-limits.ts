import type { ThrottlerOptions } from '@nestjs/throttler';
import type { Principal } from './principal.js';
import type { Quotas } from './quotas.js';
import type { TenantContext } from './tenant-context.js';

export const WINDOW_MS = 60_000;

/**
 * Who is limited, as @nestjs/throttler is told: a key by its own limit, where it has one, and its tenant by its setting,
 * else its plan. The operator and public routes are not. A request that its key's limit refuses is none of the tenant's,
 * so one key cannot use up what the others share.
 */
export function rateLimits(context: TenantContext, quotas: Quotas): ThrottlerOptions[] {
  const caller = (): Principal | null => context.request.principal;
  return [
    {
      name: 'key',
      ttl: WINDOW_MS,
      limit: () => ownLimit(caller()) ?? Infinity,
      getTracker: () => keyOf(caller()),
      skipIf: () => ownLimit(caller()) === null,
    },
    {
      name: 'tenant',
      ttl: WINDOW_MS,
      limit: () => quotas.requestsPerMinute(context.tenant),
      getTracker: () => context.tenant.id,
      skipIf: () => (caller()?.kind ?? 'operator') === 'operator',
    },
  ];
}

function ownLimit(principal: Principal | null): number | null {
  return principal?.kind === 'key' ? principal.rateLimitPerMinute : null;
}

function keyOf(principal: Principal | null): string {
  return principal?.kind === 'key' ? principal.keyId : '';
}
