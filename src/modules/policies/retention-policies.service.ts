import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Cause } from '../../ledger/cause.js';
import { ControlPlane } from '../../ledger/control-plane.js';
import { changedMembers } from '../../ledger/changed-members.js';
import type { LedgerRead } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { WHOLE_TENANT } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';

/** Days; null: for good. */
export interface RetentionPolicies {
  episodic_memories_days: number | null;
  semantic_memories_days: number | null;
  reflective_memories_days: number | null;
  cost_logs_days: number | null;
  audit_days: number | null;
  sessions_days: number | null;
}

/** Of a tenant that has said nothing: cost logs go after seven years, and nothing else expires. */
export const DEFAULT_RETENTION: Readonly<RetentionPolicies> = {
  episodic_memories_days: null,
  semantic_memories_days: null,
  reflective_memories_days: null,
  cost_logs_days: 2_555,
  audit_days: null,
  sessions_days: null,
};

const NAMES = Object.keys(DEFAULT_RETENTION) as (keyof RetentionPolicies)[];

/** How long a tenant keeps what. */
@Injectable()
export class RetentionPoliciesService {
  constructor(private readonly control: ControlPlane) {}

  get(tenant: Tenant): Promise<RetentionPolicies> {
    return this.control.read(tenant, WHOLE_TENANT, read);
  }

  async put(tenant: Tenant, policies: RetentionPolicies, cause: Cause): Promise<RetentionPolicies> {
    await this.control.write(tenant, WHOLE_TENANT, cause, async (tx) => {
      const before = await read(tx);
      await tx.rows(
        `INSERT INTO retention_policies (tenant_id, ${NAMES.join(', ')})
         VALUES ($1, ${NAMES.map((_, i) => `$${i + 2}`).join(', ')})
         ON CONFLICT (tenant_id) DO UPDATE SET ${NAMES.map((name) => `${name} = excluded.${name}`).join(', ')}, updated_at = now()`,
        [tenant.id, ...NAMES.map((name) => policies[name])],
      );
      tx.record('retention_policies.update', null, tenant.id, changedMembers(before, policies));
    });
    return policies;
  }
}

async function read(tx: LedgerRead | LedgerWrite): Promise<RetentionPolicies> {
  const [row] = await tx.rows<RetentionPolicies & QueryResultRow>(
    `SELECT ${NAMES.join(', ')} FROM retention_policies WHERE tenant_id = $1`,
    [tx.tenant.id],
  );
  return row ?? { ...DEFAULT_RETENTION };
}
