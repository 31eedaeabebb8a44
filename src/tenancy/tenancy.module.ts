import { Global, Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { GuardedFetch } from '../platform/outgoing/guarded-fetch.js';
import { IssuerKeys } from './issuer-keys.js';
import { JwtBearers } from './jwt-bearers.js';
import { ThrottlerModule } from '@nestjs/throttler';
import { Metrics } from '../platform/metrics/metrics.js';
import { AccessGuard } from './access.guard.js';
import { FailedLogins } from './failed-logins.js';
import { KeylessLimit } from './keyless-limit.js';
import { KeyUse } from './key-use.js';
import { RateCounter } from './rate-counter.js';
import { KeyGuard } from './key.guard.js';
import { MemberDirectory } from './member-directory.js';
import { PrincipalCache } from './principal-cache.js';
import { Quotas } from './quotas.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { rateLimits } from './rate-limits.js';
import { RateWindows } from './rate-windows.js';
import { RequestMeter } from './request-meter.js';
import { RequestScope } from './request-scope.middleware.js';
import { RouteAccess } from './route-access.js';
import { SharedRateWindows } from './shared-rate-windows.js';
import { RequestTenant } from './request-tenant.js';
import { TenantContext } from './tenant-context.js';
import { TenantDirectory } from './tenant-directory.js';
import { WorkspaceResolver } from './workspace-resolver.js';

/** Who is calling, for which tenant, and whether this route is for them. */
@Global()
@Module({
  imports: [
    ThrottlerModule.forRootAsync({
      inject: [TenantContext, Quotas, RateCounter, Metrics],
      useFactory: (
        context: TenantContext,
        quotas: Quotas,
        counter: RateCounter | null,
        metrics: Metrics,
      ) => ({
        throttlers: rateLimits(context, quotas),
        storage: counter === null ? new RateWindows() : new SharedRateWindows(counter, metrics),
      }),
    }),
  ],
  providers: [
    TenantContext,
    TenantDirectory,
    PrincipalCache,
    MemberDirectory,
    JwtBearers,
    {
      provide: IssuerKeys,
      useFactory: (fetch: GuardedFetch) => new IssuerKeys(fetch, () => performance.now()),
      inject: [GuardedFetch],
    },
    Quotas,
    RequestMeter,
    FailedLogins,
    KeylessLimit,
    KeyUse,
    RouteAccess,
    RequestTenant,
    WorkspaceResolver,
    // In this order.
    { provide: APP_GUARD, useClass: KeyGuard },
    { provide: APP_GUARD, useClass: RateLimitGuard },
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [
    TenantContext,
    TenantDirectory,
    PrincipalCache,
    KeylessLimit,
    FailedLogins,
    Quotas,
    RequestMeter,
    RequestTenant,
    WorkspaceResolver,
  ],
})
export class TenancyModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(RequestScope).forRoutes('{*path}');
  }
}
