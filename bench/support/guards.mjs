import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { APP_GUARD } from '@nestjs/core';
import { ThrottlerModule } from '@nestjs/throttler';
import { ROOT } from './server.mjs';

const of = (path) => import(pathToFileURL(join(ROOT, 'dist', path)).href);

/**
 * The real guards with their real cache, whose entry never comes from a database. `limited`: with the rate limit's;
 * `keyLimit`: the key's own, beside its tenant's.
 */
export async function guards(settings, { limited = true, keyLimit = null } = {}) {
  const { TenantContext } = await of('tenancy/tenant-context.js');
  const { RouteAccess } = await of('tenancy/route-access.js');
  const { KeyGuard } = await of('tenancy/key.guard.js');
  const { AccessGuard } = await of('tenancy/access.guard.js');
  const { RateLimitGuard } = await of('tenancy/rate-limit.guard.js');
  const { rateLimits } = await of('tenancy/rate-limits.js');
  const { RateWindows } = await of('tenancy/rate-windows.js');
  const { FailedLogins } = await of('tenancy/failed-logins.js');
  const { KeyUse } = await of('tenancy/key-use.js');
  const { OperatorToken } = await of('tenancy/operator-token.js');
  const { PrincipalCache } = await of('tenancy/principal-cache.js');
  const { Quotas } = await of('tenancy/quotas.js');
  const { RequestMeter } = await of('tenancy/request-meter.js');
  const { Placements } = await of('spaces/placements.js');
  const tenant = {
    id: '00000000-0000-4000-8000-000000000001',
    slug: 'bench',
    state: 'active',
    plan: 'enterprise',
    placement: 'shared',
    settings: {},
  };
  const principal = {
    kind: 'key',
    keyId: 'key',
    tenant,
    workspace: null,
    scopes: new Set(),
    rateLimitPerMinute: keyLimit,
    expiresAt: null,
  };
  const cache = new PrincipalCache({ principalOf: async () => principal }, null);
  const context = new TenantContext();
  const written = { asSystem: async () => undefined };
  const throttling = {
    throttlers: rateLimits(context, new Quotas(settings)),
    storage: new RateWindows(),
  };
  return {
    imports: [ThrottlerModule.forRoot(throttling)],
    providers: [
      RouteAccess,
      { provide: TenantContext, useValue: context },
      { provide: OperatorToken, useValue: new OperatorToken('not this one') },
      { provide: PrincipalCache, useValue: { principalOf: (given, hash) => cache.principalOf(given, hash) } },
      { provide: FailedLogins, useValue: null },
      { provide: KeyUse, useValue: new KeyUse(written) },
      { provide: RequestMeter, useValue: new RequestMeter(written) },
      { provide: Placements, useValue: new Placements([{ name: 'shared' }], []) },
      { provide: APP_GUARD, useClass: KeyGuard },
      ...(limited ? [{ provide: APP_GUARD, useClass: RateLimitGuard }] : []),
      { provide: APP_GUARD, useClass: AccessGuard },
    ],
  };
}
