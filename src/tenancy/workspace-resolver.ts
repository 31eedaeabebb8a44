import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { ControlPlane } from '../ledger/control-plane.js';
import { WHOLE_TENANT } from '../ledger/ledger.js';
import { actorOf, type Principal, type TenantPrincipal } from './principal.js';
import { WorkspaceNotFound } from './tenancy-errors.js';
import { isUuid, type WorkspaceId } from './tenant.js';
import { TenantDirectory, type TenantWorkspace } from './tenant-directory.js';

interface WorkspaceRow extends QueryResultRow {
  id: WorkspaceId;
  slug: string;
}

/** Which workspace a request is about. */
@Injectable()
export class WorkspaceResolver {
  constructor(
    private readonly control: ControlPlane,
    private readonly directory: TenantDirectory,
  ) {}

  /**
   * The workspace that a path names, for a route that tenants and the operator share: of the caller's own tenant, or
   * for the operator any tenant's. `tenant`: as `X-Tenant-ID` names it. Throws `WorkspaceNotFound`.
   */
  async ofPath(principal: Principal, named: string, tenant: string | undefined): Promise<TenantWorkspace> {
    if (principal.kind !== 'operator') {
      return { tenant: principal.tenant, workspace: await this.resolve(principal, [named]) };
    }
    const [found, another] = await this.directory.workspacesNamed(
      named.toLowerCase(),
      tenant?.toLowerCase() ?? null,
    );
    if (found === undefined || another !== undefined) {
      throw new WorkspaceNotFound(`${named} of ${tenant ?? 'any tenant'} asked by the operator`);
    }
    return found;
  }

  /**
   * `named`: UUID or slug, as often as the request names one. None: the caller's own, or the tenant's default.
   * One that the caller does not see, or two different ones: throws `WorkspaceNotFound`, as for one that never existed.
   */
  async resolve(caller: TenantPrincipal, named: (string | undefined)[]): Promise<WorkspaceId> {
    const own = caller.workspace ?? caller.tenant.defaultWorkspace;
    const names = [...new Set(named.flatMap((name) => (name === undefined ? [] : name.toLowerCase())))];
    if (names.every((name) => name === own)) return own;
    const found = await this.control.read(caller.tenant, caller.workspace ?? WHOLE_TENANT, (tx) =>
      tx.rows<WorkspaceRow>(
        `SELECT id, slug FROM workspaces WHERE tenant_id = $1 AND (id = ANY($2::uuid[]) OR slug = ANY($3)) AND deleted_at IS NULL`,
        [caller.tenant.id, names.filter(isUuid), names],
      ),
    );
    const [workspace, another] = found;
    const isAllNames = names.every((name) => name === workspace?.id || name === workspace?.slug);
    if (workspace === undefined || another !== undefined || !isAllNames) {
      throw new WorkspaceNotFound(`${names.join(', ')} asked by ${actorOf(caller)}`);
    }
    return workspace.id;
  }
}
