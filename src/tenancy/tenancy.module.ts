import { Global, Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ThrottlerStorage } from '@nestjs/throttler';
import { GuardedFetch } from '../platform/outgoing/guarded-fetch.js';
import { IssuerKeys } from './issuer-keys.js';
import { JwtBearers } from './jwt-bearers.js';
import { KeyGuard } from './key.guard.js';
import { MemberDirectory } from './member-directory.js';
import { PrincipalCache } from './principal-cache.js';
import { Quotas } from './quotas.js';
import { RateLimiter } from './rate-limiter.js';
import { RateWindows } from './rate-windows.js';
import { RequestMeter } from './request-meter.js';
import { RequestScope } from './request-scope.middleware.js';
import { RequestTenant } from './request-tenant.js';
import { TenantContext } from './tenant-context.js';
import { TenantDirectory } from './tenant-directory.js';
import { WorkspaceResolver } from './workspace-resolver.js';

/** Who is calling, for which tenant, and whether this route is for them. */
@Global()
@Module({
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
    RateLimiter,
    RequestMeter,
    RequestTenant,
    WorkspaceResolver,
    { provide: ThrottlerStorage, useClass: RateWindows },
    { provide: APP_GUARD, useClass: KeyGuard },
  ],
  exports: [
    TenantContext,
    TenantDirectory,
    PrincipalCache,
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
