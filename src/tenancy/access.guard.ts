import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { Placements } from '../spaces/placements.js';
import type { Access } from './access.decorator.js';
import type { TenantPrincipal } from './principal.js';
import { RouteAccess } from './route-access.js';
import { Forbidden, OperatorReadsNoContent, TenantMismatch, TenantSuspended } from './tenancy-errors.js';
import { TenantContext } from './tenant-context.js';

/** The last guard: whether this route is for who is calling. Refuses a route that says nothing of it. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly routes: RouteAccess,
    private readonly context: TenantContext,
    private readonly placements: Placements,
  ) {}

  canActivate(execution: ExecutionContext): boolean {
    const access = this.routes.of(execution);
    if (access === 'public') return true;
    if (access === 'undeclared') throw new Forbidden('Nobody may call this route.');
    const { principal } = this.context;
    if (principal.kind === 'operator') {
      if ('operator' in access) return true;
      throw new OperatorReadsNoContent();
    }
    this.admit(principal, access, execution.switchToHttp().getRequest<Request>().headers['x-tenant-id']);
    return true;
  }

  private admit(
    { tenant, scopes }: TenantPrincipal,
    access: Access,
    claimedTenant: string | string[] | undefined,
  ): void {
    if (claimedTenant !== undefined) {
      const claimed = String(claimedTenant).toLowerCase();
      if (claimed !== tenant.slug && claimed !== tenant.id) throw new TenantMismatch();
    }
    if (tenant.state === 'suspended') throw new TenantSuspended();
    // Refuses where this process does not serve the tenant's placement.
    this.placements.of(tenant.placement);
    if (!('scope' in access) && !('anyKey' in access)) {
      throw new Forbidden('This route takes the admin token.');
    }
    if ('scope' in access && !scopes.has(access.scope)) {
      throw new Forbidden(`This token lacks the scope \`${access.scope}\`.`);
    }
  }
}
