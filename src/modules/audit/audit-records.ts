import type { QueryResultRow } from 'pg';
import { auditDetailPlace } from '../../ledger/audit-chain.js';
import { MAIN } from '../../ledger/homes.js';
import type { Place } from '../../tenancy/tenant-key.js';
import type { TenantId } from '../../tenancy/tenant.js';

/** What records are wanted; what is absent does not narrow. */
export interface AuditFilter {
  /** `noun.verb`, or `noun.*`. */
  action?: string;
  actor?: string;
  outcome?: 'done' | 'refused';
  target?: string;
  from?: Date;
  /** Exclusive. */
  to?: Date;
}

/** The newest come first in a list, the oldest in an export. */
export type AuditOrder = 'newest' | 'oldest';

export interface RecordRow extends QueryResultRow {
  id: string;
  tenant_id: TenantId | null;
  workspace_id: string | null;
  at: Date;
  action: string;
  actor: string;
  target: string | null;
  targets: string[] | null;
  outcome: 'done' | 'refused';
  request_id: string | null;
  detail: Buffer | null;
  position: string | null;
  hash: Buffer | null;
}

export interface AuditRecord {
  /** Of its database; the main one's are plain numbers. */
  id: string;
  /** The database that it is in, and its number there. */
  home: string;
  rowId: string;
  /** Null: the installation's own. */
  tenantId: TenantId | null;
  workspace: string | null;
  at: Date;
  action: string;
  actor: string;
  outcome: 'done' | 'refused';
  target: string | null;
  targets: string[] | null;
  requestId: string | null;
  /** Null: there is none, or who asks may not read it. */
  detail: Record<string, unknown> | null;
  /** It is there and was not opened: it is not for who asks, was altered, or its key is gone with its tenant. */
  withheld: boolean;
  position: number | null;
  hash: Buffer | null;
}

/** One page of records, as a query. `tenant`: undefined stands for all, null for the installation's own. */
export function recordsQuery(
  tenant: TenantId | null | undefined,
  filter: AuditFilter,
  page: { order: AuditOrder; limit: number; after: string | null },
): { sql: string; values: unknown[] } {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const where = (condition: (place: string) => string, value: unknown): void => {
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  if (tenant === null) conditions.push('tenant_id IS NULL');
  else if (tenant !== undefined) where((p) => `tenant_id = ${p}`, tenant);
  const { action, actor, outcome, target, from, to } = filter;
  if (action?.endsWith('.*') === true) where((p) => `starts_with(action, ${p})`, action.slice(0, -1));
  else if (action !== undefined) where((p) => `action = ${p}`, action);
  if (actor !== undefined) where((p) => `actor = ${p}`, actor);
  if (outcome !== undefined) where((p) => `outcome = ${p}`, outcome);
  if (target !== undefined) where((p) => `(target = ${p} OR ${p} = ANY(targets::text[]))`, target);
  if (from !== undefined) where((p) => `at >= ${p}`, from);
  if (to !== undefined) where((p) => `at < ${p}`, to);
  if (page.after !== null) where((p) => `id ${page.order === 'newest' ? '<' : '>'} ${p}`, page.after);
  values.push(page.limit);
  return {
    sql: `SELECT id, tenant_id, workspace_id, at, action, actor, target, targets, outcome, request_id, detail, position, hash
      FROM audit_records ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
      ORDER BY id ${page.order === 'newest' ? 'DESC' : 'ASC'} LIMIT $${values.length}`,
    values,
  };
}

/** `opener`: null where the detail is not to be opened. */
export function recordOf(
  home: string,
  row: RecordRow,
  opener: { open(sealed: Buffer, place: Place): Buffer } | null,
): AuditRecord {
  const position = row.position === null ? null : Number(row.position);
  const detail = opener === null ? null : opened(row.detail, position, opener);
  return {
    id: home === MAIN ? row.id : `${home}:${row.id}`,
    home,
    rowId: row.id,
    tenantId: row.tenant_id,
    workspace: row.workspace_id,
    at: row.at,
    action: row.action,
    actor: row.actor,
    outcome: row.outcome,
    target: row.target,
    targets: row.targets,
    requestId: row.request_id,
    detail,
    withheld: row.detail !== null && detail === null,
    position,
    hash: row.hash,
  };
}

/** Null where it does not open: a record that was tampered with is still shown, and `verify` says what is wrong. */
function opened(
  sealed: Buffer | null,
  position: number | null,
  opener: { open(sealed: Buffer, place: Place): Buffer },
): Record<string, unknown> | null {
  if (sealed === null || position === null) return null;
  try {
    const text = opener.open(sealed, auditDetailPlace(position)).toString('utf8');
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
}
