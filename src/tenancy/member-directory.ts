import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Database } from '../platform/database/database.js';
import { ROLE_SCOPES, type MemberPrincipal, type Role } from './principal.js';
import { TENANT_COLUMNS, TenantDirectory, type TenantRow } from './tenant-directory.js';
import type { TenantId } from './tenant.js';

/** Whose word a tenant takes for who its members are. */
export interface OidcConfig {
  tenant: TenantId;
  /** Another one after each change. */
  id: string;
  issuer: string;
  audience: string;
  algorithms: string[];
}

/** Who a token says that it is for. */
export type Bearer =
  | { by: 'loci'; tenant: TenantId; member: string }
  /** `email`: only where the issuer says that it has verified it. */
  | { by: 'issuer'; config: OidcConfig; subject: string; email: string | null };

interface MemberRow extends TenantRow {
  member_id: string;
  role: Role;
  is_active: boolean;
}

/** Finds members, and the issuers that tenants trust, before the tenant of a request is known. */
@Injectable()
export class MemberDirectory {
  constructor(
    private readonly database: Database,
    private readonly tenants: TenantDirectory,
  ) {}

  /**
   * With all that the role may do. Null: no such member, deactivated, or the tenant no longer takes this issuer's word.
   * A suspended or deleted tenant's member is found.
   */
  async memberOf(bearer: Bearer): Promise<MemberPrincipal | null> {
    const [sql, values] =
      bearer.by === 'loci'
        ? [BY_ID, [bearer.tenant, bearer.member]]
        : [
            BY_ISSUER,
            [bearer.config.tenant, bearer.config.id, bearer.subject, bearer.email?.toLowerCase() ?? null],
          ];
    const [row] = await this.database.readAsSystem<MemberRow>(sql, values);
    if (row === undefined || !row.is_active) return null;
    return {
      kind: 'member',
      memberId: row.member_id,
      role: row.role,
      tenant: this.tenants.tenantFrom(row),
      workspace: null,
      scopes: new Set(ROLE_SCOPES[row.role]),
    };
  }

  /** Tenants that registered this issuer with one of these audiences. */
  async configsOf(issuer: string, audiences: string[]): Promise<OidcConfig[]> {
    return this.database.readAsSystem<OidcConfig & QueryResultRow>(
      `SELECT tenant_id AS tenant, config_id AS id, issuer, audience, algorithms FROM oidc_issuers
       WHERE issuer = $1 AND audience = ANY($2)`,
      [issuer, audiences],
    );
  }
}

const MEMBER_COLUMNS = `${TENANT_COLUMNS}, m.id AS member_id, m.role, m.is_active`;

const BY_ID = `
SELECT ${MEMBER_COLUMNS} FROM members m JOIN tenants t ON t.id = m.tenant_id
WHERE m.tenant_id = $1 AND m.id = $2`;

/** Who has an external id is found by that alone: an address may be given to another person. */
const BY_ISSUER = `
SELECT ${MEMBER_COLUMNS} FROM oidc_issuers o
  JOIN tenants t ON t.id = o.tenant_id
  JOIN members m ON m.tenant_id = o.tenant_id AND (m.external_id = $3 OR (m.external_id IS NULL AND m.email = $4))
WHERE o.tenant_id = $1 AND o.config_id = $2
ORDER BY m.external_id NULLS LAST LIMIT 1`;
