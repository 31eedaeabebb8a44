import type { QueryResultRow } from 'pg';
import type { KeyEnvironment, MintedKey } from '../../tenancy/api-key.js';
import type { Role, Scope } from '../../tenancy/principal.js';
import type { TenantId, WorkspaceId } from '../../tenancy/tenant.js';
import type { KeyOrder } from './key-grant.js';

/** One key, without what opens anything. */
export interface KeyRow extends QueryResultRow {
  id: string;
  /** Null: the whole tenant. */
  workspaceId: WorkspaceId | null;
  name: string;
  prefix: string;
  scopes: (Scope | 'memory')[];
  role: Role;
  environment: KeyEnvironment;
  rateLimitPerMinute: number | null;
  expiresAt: Date | null;
  /** May lie ahead: until then a rotated key still opens what it opened. */
  revokedAt: Date | null;
  /** The key that took over. */
  rotatedTo: string | null;
  lastUsedAt: Date | null;
  createdAt: Date;
}

/** Which keys somebody manages: one workspace's, with `whole` those of the whole tenant too; null: all. */
export interface KeyScope {
  workspace: WorkspaceId | null;
  whole: boolean;
}

/** A place in the list, newest first. */
export interface KeyPlace {
  time: Date;
  id: string;
}

/** Whatever carries a statement: a tenant's transaction, or the operator's. */
export interface Rows {
  rows<Row extends QueryResultRow>(sql: string, values: unknown[]): Promise<Row[]>;
}

const COLUMNS = `id, workspace_id AS "workspaceId", name, prefix, scopes, role, environment,
  rate_limit_per_minute AS "rateLimitPerMinute", expires_at AS "expiresAt", revoked_at AS "revokedAt",
  rotated_to AS "rotatedTo", last_used_at AS "lastUsedAt", created_at AS "createdAt"`;

const MANAGED = `tenant_id = $1 AND ($2::uuid IS NULL OR workspace_id = $2 OR ($3 AND workspace_id IS NULL))`;

/** Locked until the transaction ends. Undefined: there is none among those managed. */
export async function lockKey(
  tx: Rows,
  tenant: TenantId,
  { workspace, whole }: KeyScope,
  id: string,
): Promise<KeyRow | undefined> {
  const sql = `SELECT ${COLUMNS} FROM api_keys WHERE ${MANAGED} AND id = $4 FOR NO KEY UPDATE`;
  const [key] = await tx.rows<KeyRow>(sql, [tenant, workspace, whole, id]);
  return key;
}

/** Newest first, ended ones too. Cursors know milliseconds, so the order does too. */
export async function readKeys(
  tx: Rows,
  tenant: TenantId,
  { workspace, whole }: KeyScope,
  limit: number,
  after: KeyPlace | null,
): Promise<KeyRow[]> {
  return tx.rows<KeyRow>(
    `SELECT ${COLUMNS} FROM api_keys WHERE ${MANAGED}
       AND ($4::timestamptz IS NULL OR (date_trunc('milliseconds', created_at), id) < ($4, $5::uuid))
     ORDER BY date_trunc('milliseconds', created_at) DESC, id DESC LIMIT $6`,
    [tenant, workspace, whole, after?.time ?? null, after?.id ?? null, limit],
  );
}

export async function insertKey(
  tx: Rows,
  tenant: TenantId,
  id: string,
  order: KeyOrder,
  { prefix, hash }: MintedKey,
): Promise<KeyRow> {
  const [key] = await tx.rows<KeyRow>(
    `INSERT INTO api_keys (tenant_id, id, workspace_id, name, prefix, hash, scopes, role, environment,
       rate_limit_per_minute, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING ${COLUMNS}`,
    [
      tenant,
      id,
      order.workspaceId,
      order.name,
      prefix,
      hash,
      order.scopes,
      order.role,
      order.environment,
      order.rateLimitPerMinute,
      order.expiresAt,
    ],
  );
  if (key === undefined) throw new Error('A key was inserted and is not there');
  return key;
}

/** `at` may lie ahead. */
export async function endKey(
  tx: Rows,
  tenant: TenantId,
  id: string,
  at: Date,
  rotatedTo: string | null,
): Promise<void> {
  await tx.rows(
    'UPDATE api_keys SET revoked_at = $3, rotated_to = COALESCE($4, rotated_to) WHERE tenant_id = $1 AND id = $2',
    [tenant, id, at, rotatedTo],
  );
}
