import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../ledger/audit-trail.js';
import type { Cause } from '../../ledger/cause.js';
import { ControlPlane } from '../../ledger/control-plane.js';
import { WHOLE_TENANT } from '../../ledger/ledger.js';
import { Database } from '../../platform/database/database.js';
import type { Principal, Tenant } from '../../tenancy/principal.js';
import { EVERY_GRANT, grantOf, type Grant } from './key-grant.js';
import type { KeyScope, Rows } from './key-rows.js';

/** A transaction that changes keys, and what is put on record in it. Secrets do not belong in `detail`. */
export interface KeyChange extends Rows {
  record(action: string, target: string, detail: object): Promise<void>;
}

/** Somebody who manages a tenant's keys: the tenant itself in its own transactions, or its operator. */
export interface KeyManager {
  readonly tenant: Tenant;
  readonly manages: KeyScope;
  readonly holds: Grant;
  read<T>(work: (tx: Rows) => Promise<T>): Promise<T>;
  /** All or nothing. */
  write<T>(work: (tx: KeyChange) => Promise<T>): Promise<T>;
}

@Injectable()
export class KeyManagers {
  constructor(
    private readonly control: ControlPlane,
    private readonly database: Database,
    private readonly audit: AuditTrail,
  ) {}

  of(principal: Principal, tenant: Tenant, manages: KeyScope, cause: Cause): KeyManager {
    if (principal.kind === 'operator') return this.operator(tenant, manages, cause);
    return {
      tenant,
      manages,
      holds: grantOf(principal),
      read: (work) => this.control.read(tenant, WHOLE_TENANT, work),
      write: async (work) => {
        const written = await this.control.write(tenant, WHOLE_TENANT, cause, (tx) =>
          work({
            rows: (sql, values) => tx.rows(sql, values),
            record: (action, target, detail) =>
              Promise.resolve(tx.record(action, manages.workspace, target, detail)),
          }),
        );
        return written.result;
      },
    };
  }

  /** Not as the tenant: its operator can end the keys of one that is suspended or deleted. */
  private operator(tenant: Tenant, manages: KeyScope, cause: Cause): KeyManager {
    return {
      tenant,
      manages,
      holds: EVERY_GRANT,
      read: (work) =>
        this.database.asSystem((manager) => work({ rows: (sql, values) => manager.query(sql, values) })),
      write: (work) =>
        this.database.asSystem(async (manager) => {
          await this.audit.lock(manager, tenant.id);
          return work({
            rows: (sql, values) => manager.query(sql, values),
            record: (action, target, detail) =>
              this.audit.record(manager, {
                action,
                tenantId: tenant.id,
                target,
                requestId: cause.requestId,
                detail,
              }),
          });
        }),
    };
  }
}
