import type { EntityManager } from 'typeorm';
import { PRINCIPALS_CHANNEL } from '../../tenancy/principal-cache.js';

export interface OperatorRecord {
  action: string;
  tenantId: string | null;
  target: string | null;
  requestId: string | null;
  /** Null: nothing beyond the action is worth keeping. Sealed before it comes here. */
  detail?: Buffer;
}

/** Puts what the operator did on record, in the transaction that does it. */
export async function recordForOperator(manager: EntityManager, record: OperatorRecord): Promise<void> {
  await manager.query(
    `INSERT INTO audit_records (tenant_id, action, actor, target, request_id, detail) VALUES ($1, $2, $3, $4, $5, $6)`,
    [
      record.tenantId,
      record.action,
      record.requestId === null ? 'system:start' : 'operator',
      record.target,
      record.requestId,
      record.detail ?? null,
    ],
  );
}

/** Tells every replica, once this transaction commits, that a tenant's state or keys have changed. */
export async function announce(manager: EntityManager, tenantId: string): Promise<void> {
  await manager.query('SELECT pg_notify($1, $2)', [PRINCIPALS_CHANNEL, tenantId]);
}
