import { Injectable } from '@nestjs/common';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import { Database } from '../../platform/database/database.js';
import type { Tenant } from '../../tenancy/principal.js';
import { MasterKey } from '../../tenancy/tenant-key.js';
import { TenantNotFound } from '../../tenancy/tenancy-errors.js';
import { isUuid, type TenantId } from '../../tenancy/tenant.js';
import {
  recordOf,
  recordsQuery,
  type AuditFilter,
  type AuditPage,
  type AuditRecord,
  type RecordRow,
} from './audit-records.js';

/** What the operator manages too. The details of everything else tell of content, and are the tenant's alone. */
const OPERATORS_NOUNS = new Set([
  'agent',
  'audit',
  'cost_budget',
  'installation',
  'key',
  'llm_profile',
  'master_key',
  'member',
  'oidc',
  'request',
  'retention_policies',
  'tenant',
  'token',
  'workspace',
]);

/** A tenant as the operator's record names it; one that was purged has only its UUID left. */
interface NamedTenant {
  id: TenantId;
  slug: string;
  wrapped_key: Buffer;
}

/** Reads what was put on record. */
@Injectable()
export class AuditService {
  constructor(
    private readonly ledger: Ledger,
    private readonly database: Database,
    private readonly master: MasterKey,
  ) {}

  async ofTenant(tenant: Tenant, filter: AuditFilter, page: AuditPage): Promise<AuditRecord[]> {
    const { sql, values } = recordsQuery(tenant.id, filter, page);
    const rows = await this.ledger.readRows<RecordRow>(tenant, WHOLE_TENANT, sql, values);
    return rows.map((row) => recordOf(row, tenant.key));
  }

  /** As the operator sees it. `tenant`: undefined stands for all. */
  async ofAll(
    tenant: TenantId | undefined,
    filter: AuditFilter,
    page: AuditPage,
  ): Promise<(AuditRecord & { slug: string | null })[]> {
    const { sql, values } = recordsQuery(tenant, filter, page);
    const rows = await this.database.readAsSystem<RecordRow>(sql, values);
    const tenants = await this.named([...new Set(rows.flatMap((row) => row.tenant_id ?? []))]);
    const keys = new Map(
      [...tenants].map(([id, { wrapped_key }]) => [id, this.master.unwrap(id, wrapped_key)]),
    );
    return rows.map((row) => {
      const opener = row.tenant_id === null ? this.master : (keys.get(row.tenant_id) ?? null);
      const mayRead = OPERATORS_NOUNS.has(row.action.split('.', 1).join(''));
      const slug = row.tenant_id === null ? null : (tenants.get(row.tenant_id)?.slug ?? null);
      return { ...recordOf(row, mayRead ? opener : null), slug };
    });
  }

  /** By slug or UUID; one that was purged is known by its UUID. Throws `TenantNotFound`. */
  async tenantNamed(ref: string): Promise<TenantId> {
    const [row] = await this.database.readAsSystem<{ id: TenantId }>(
      isUuid(ref)
        ? `SELECT id FROM tenants WHERE id = $1 UNION ALL (SELECT tenant_id FROM audit_records WHERE tenant_id = $1 LIMIT 1)`
        : 'SELECT id FROM tenants WHERE slug = $1',
      [ref.toLowerCase()],
    );
    if (row === undefined) throw new TenantNotFound();
    return row.id;
  }

  private async named(ids: TenantId[]): Promise<Map<TenantId, NamedTenant>> {
    if (ids.length === 0) return new Map();
    const rows = await this.database.readAsSystem<NamedTenant>(
      'SELECT id, slug, wrapped_key FROM tenants WHERE id = ANY($1::uuid[])',
      [ids],
    );
    return new Map(rows.map((row) => [row.id, row]));
  }
}
