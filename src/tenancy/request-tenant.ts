import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { WHOLE_TENANT, type LedgerScope } from '../ledger/ledger.js';
import type { Tenant } from './principal.js';
import { TenantNotFound, TenantNotNamed } from './tenancy-errors.js';
import { TenantContext } from './tenant-context.js';
import { TenantDirectory, type TenantWorkspace } from './tenant-directory.js';
import { WorkspaceResolver } from './workspace-resolver.js';

/** A tenant, and how much of it the caller reaches. */
export interface Reach {
  tenant: Tenant;
  scope: LedgerScope;
}

/**
 * Which tenant a request is about, on routes that the tenant's own tokens and the operator's use alike. A tenant's
 * token is about its own; the operator names one with `X-Tenant-ID`, or a workspace by its UUID.
 */
@Injectable()
export class RequestTenant {
  constructor(
    private readonly context: TenantContext,
    private readonly directory: TenantDirectory,
    private readonly workspaces: WorkspaceResolver,
  ) {}

  /** Throws `TenantNotNamed`, `TenantNotFound`: to the operator only. */
  async reach(request: Request): Promise<Reach> {
    const { principal } = this.context;
    if (principal.kind !== 'operator') {
      return { tenant: principal.tenant, scope: principal.workspace ?? WHOLE_TENANT };
    }
    const name = namedTenant(request);
    if (name === undefined) throw new TenantNotNamed();
    const tenant = await this.directory.tenantNamed(name);
    if (tenant === null) throw new TenantNotFound();
    return { tenant, scope: WHOLE_TENANT };
  }

  /**
   * By what the tenant that a path names is found. A tenant's own token knows its own alone: throws `TenantNotFound`
   * for any other, as for one that never existed.
   */
  ref(name: string): string {
    const { principal } = this.context;
    if (principal.kind === 'operator') return name;
    const { id, slug } = principal.tenant;
    if (name.toLowerCase() !== id && name.toLowerCase() !== slug) throw new TenantNotFound();
    return id;
  }

  /** The tenant that a path names. Throws `TenantNotFound`, also where it is deleted. */
  async tenant(name: string): Promise<Tenant> {
    const ref = this.ref(name);
    const { principal } = this.context;
    if (principal.kind !== 'operator') return principal.tenant;
    const tenant = await this.directory.tenantNamed(ref);
    if (tenant === null) throw new TenantNotFound();
    return tenant;
  }

  /** `named`: the workspace's UUID, or its slug. Throws `WorkspaceNotFound`, also for one that the caller does not see. */
  workspace(request: Request, named: string): Promise<TenantWorkspace> {
    return this.workspaces.ofPath(this.context.principal, named, namedTenant(request));
  }
}

function namedTenant(request: Request): string | undefined {
  const name = request.headers['x-tenant-id'];
  return typeof name === 'string' ? name : undefined;
}
