import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { ControlPlane } from '../../ledger/control-plane.js';
import { Homes, MAIN } from '../../ledger/homes.js';
import type { Tenant } from '../../tenancy/principal.js';
import { TenantNotFound } from '../../tenancy/tenancy-errors.js';
import { MasterKey } from '../../tenancy/tenant-key.js';
import { isUuid, type TenantId } from '../../tenancy/tenant.js';
import { mergedByTime, type AuditPage } from './audit-places.js';
import {
  recordOf,
  recordsQuery,
  type AuditFilter,
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

/** With the slug of its tenant; null: the installation's own, or of a tenant that was purged. */
export type NamedRecord = AuditRecord & { slug: string | null };

interface NamedTenant extends QueryResultRow {
  id: TenantId;
  slug: string;
  wrapped_key: Buffer;
}

/** Reads what was put on record, in whichever database it was written. */
@Injectable()
export class AuditService {
  constructor(
    private readonly control: ControlPlane,
    private readonly homes: Homes,
    private readonly master: MasterKey,
  ) {}

  async ofTenant(tenant: Tenant, filter: AuditFilter, page: AuditPage): Promise<AuditRecord[]> {
    return this.merged(page, async (home, after) => {
      const { sql, values } = recordsQuery(tenant.id, filter, { ...page, after });
      const rows = await this.control.readRowsIn<RecordRow>(home, tenant, sql, values);
      return rows.map((row) => recordOf(home, row, tenant.key));
    });
  }

  /** As the operator sees it. `tenant`: undefined stands for all. */
  async ofAll(tenant: TenantId | undefined, filter: AuditFilter, page: AuditPage): Promise<NamedRecord[]> {
    return this.merged(page, async (home, after) => {
      const { sql, values } = recordsQuery(tenant, filter, { ...page, after });
      const database = await this.homes.of(home);
      return this.named(home, await database.readAsSystem<RecordRow>(sql, values));
    });
  }

  /** By slug or UUID; one that was purged is known by its UUID. Throws `TenantNotFound`. */
  async tenantNamed(ref: string): Promise<TenantId> {
    const [row] = await this.homes.main.readAsSystem<{ id: TenantId }>(
      isUuid(ref)
        ? `SELECT id FROM tenants WHERE id = $1 UNION ALL (SELECT tenant_id FROM audit_records WHERE tenant_id = $1 LIMIT 1)`
        : 'SELECT id FROM tenants WHERE slug = $1',
      [ref.toLowerCase()],
    );
    if (row === undefined) throw new TenantNotFound();
    return row.id;
  }

  private async merged<R extends AuditRecord>(
    { order, limit, after }: AuditPage,
    read: (home: string, after: string | null) => Promise<R[]>,
  ): Promise<R[]> {
    const homes = [MAIN, ...this.homes.others];
    const lists = await Promise.all(homes.map((home) => read(home, after.get(home) ?? null)));
    return mergedByTime(lists, order, limit);
  }

  private async named(home: string, rows: RecordRow[]): Promise<NamedRecord[]> {
    const ids = [...new Set(rows.flatMap((row) => row.tenant_id ?? []))];
    const tenants = await this.homes.main.readAsSystem<NamedTenant>(
      'SELECT id, slug, wrapped_key FROM tenants WHERE id = ANY($1::uuid[])',
      [ids],
    );
    const known = new Map(
      tenants.map(({ id, slug, wrapped_key }) => [id, { slug, key: this.master.unwrap(id, wrapped_key) }]),
    );
    return rows.map((row) => {
      const tenant = row.tenant_id === null ? null : known.get(row.tenant_id);
      const opener = tenant === null ? this.master : (tenant?.key ?? null);
      const mayRead = OPERATORS_NOUNS.has(row.action.split('.', 1).join(''));
      return { ...recordOf(home, row, mayRead ? opener : null), slug: tenant?.slug ?? null };
    });
  }
}
