import type { QueryResultRow } from 'pg';
import type { LedgerRead } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { LedgerEvent } from '../events/ledger-events.js';
import type { TriggerEvent } from './trigger-rule.js';

export type DeliveryState = 'waiting' | 'delivered' | 'failed';

/** How long after each attempt the next one comes, in seconds: the last is a day after the first. */
export const RETRY_AFTER_S = [30, 120, 600, 3_600, 10_800, 21_600, 50_400] as const;
export const MOST_ATTEMPTS = RETRY_AFTER_S.length + 1;
/** Of each trigger so many that are over are kept. */
const KEPT = 1_000;
/** More of one trigger do not wait: they have failed at once. */
const MOST_WAITING = 10_000;

/** What a webhook is to be told. */
export interface NewDelivery {
  id: string;
  trigger: string;
  event: LedgerEvent;
}

export interface DeliveryRow extends QueryResultRow {
  id: string;
  workspace_id: WorkspaceId;
  trigger_id: string;
  event: TriggerEvent;
  item: string;
  revision: string;
  state: DeliveryState;
  attempts: number;
  next_try_at: Date;
  last_status: number | null;
  last_error: string | null;
  created_at: Date;
  finished_at: Date | null;
}

const COLUMNS = `id, workspace_id, trigger_id, event, item, revision, state, attempts, next_try_at, last_status, last_error,
  created_at, finished_at`;

/** Notes what is to be told, and forgets the oldest of what is over. */
export async function noteDeliveries(tx: LedgerWrite, deliveries: readonly NewDelivery[]): Promise<void> {
  for (const trigger of new Set(deliveries.map((delivery) => delivery.trigger))) {
    const own = deliveries.filter((delivery) => delivery.trigger === trigger);
    await tx.rows(INSERT, [
      tx.tenant.id,
      trigger,
      own.map(({ event }) => event.workspace),
      own.map(({ id }) => id),
      own.map(({ event }) => event.name),
      own.map(({ event }) => event.id),
      own.map(({ event }) => event.revision),
      MOST_WAITING,
    ]);
    await tx.rows(FORGET, [tx.tenant.id, trigger, KEPT]);
  }
}

/** Newest first, `limit` of them and one more where there are more. */
export function listDeliveries(
  tx: LedgerRead,
  trigger: string,
  state: DeliveryState | null,
  limit: number,
  after: { time: Date; id: string } | null,
): Promise<DeliveryRow[]> {
  return tx.rows<DeliveryRow>(LIST, [
    tx.tenant.id,
    trigger,
    state,
    after?.time ?? null,
    after?.id ?? null,
    limit + 1,
  ]);
}

/** Takes some that are due; nobody else takes them before their next time. What has no attempt left has failed. */
export async function takeDue(tx: LedgerWrite, limit: number): Promise<DeliveryRow[]> {
  await tx.rows(GIVE_UP, [tx.tenant.id, MOST_ATTEMPTS]);
  return tx.rows<DeliveryRow>(TAKE, [tx.tenant.id, limit, RETRY_AFTER_S]);
}

/** What came of an attempt. `error`: null where it was heard. */
export function settleDelivery(
  tx: LedgerWrite,
  { id, attempts }: DeliveryRow,
  status: number | null,
  error: string | null,
): void {
  const state: DeliveryState =
    error === null ? 'delivered' : attempts >= MOST_ATTEMPTS ? 'failed' : 'waiting';
  tx.send(SETTLE, [tx.tenant.id, id, state, status, error?.slice(0, 300) ?? null]);
}

/** Has those tried again, from the first attempt on: of all that failed, or of these. How many. */
export async function redeliver(
  tx: LedgerWrite,
  trigger: string,
  ids: readonly string[] | null,
): Promise<number> {
  const rows = await tx.rows(REDELIVER, [tx.tenant.id, trigger, ids]);
  return rows.length;
}

const INSERT = `
INSERT INTO trigger_deliveries (tenant_id, trigger_id, workspace_id, id, event, item, revision, state, last_error, finished_at)
SELECT $1, $2, n.workspace_id, n.id, n.event, n.item, n.revision, CASE WHEN w.room THEN 'waiting' ELSE 'failed' END,
  CASE WHEN w.room THEN NULL ELSE 'Too many wait already' END, CASE WHEN w.room THEN NULL ELSE now() END
FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::bigint[]) AS n (workspace_id, id, event, item, revision),
  (SELECT count(*) < $8 AS room FROM trigger_deliveries WHERE tenant_id = $1 AND trigger_id = $2 AND state = 'waiting') w`;

const FORGET = `
DELETE FROM trigger_deliveries WHERE tenant_id = $1 AND id IN (
  SELECT id FROM trigger_deliveries WHERE tenant_id = $1 AND trigger_id = $2 AND state <> 'waiting'
  ORDER BY created_at DESC, id DESC OFFSET $3)`;

const LIST = `
SELECT ${COLUMNS} FROM trigger_deliveries
WHERE tenant_id = $1 AND trigger_id = $2 AND ($3::text IS NULL OR state = $3)
  AND ($4::timestamptz IS NULL OR (date_trunc('milliseconds', created_at), id) < ($4, $5::uuid))
ORDER BY date_trunc('milliseconds', created_at) DESC, id DESC LIMIT $6`;

const GIVE_UP = `
UPDATE trigger_deliveries SET state = 'failed', finished_at = now(), last_error = COALESCE(last_error, 'Nothing was heard')
WHERE tenant_id = $1 AND state = 'waiting' AND attempts >= $2 AND next_try_at <= now()`;

const TAKE = `
UPDATE trigger_deliveries SET attempts = attempts + 1,
  next_try_at = now() + make_interval(secs => ($3::int[])[least(attempts + 1, cardinality($3::int[]))])
WHERE tenant_id = $1 AND id IN (
  SELECT id FROM trigger_deliveries WHERE tenant_id = $1 AND state = 'waiting' AND next_try_at <= now()
  ORDER BY next_try_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING ${COLUMNS}`;

const SETTLE = `
UPDATE trigger_deliveries SET state = $3, last_status = $4, last_error = $5,
  finished_at = CASE WHEN $3 = 'waiting' THEN NULL ELSE now() END
WHERE tenant_id = $1 AND id = $2 AND state = 'waiting'`;

const REDELIVER = `
UPDATE trigger_deliveries SET state = 'waiting', attempts = 0, next_try_at = now(), finished_at = NULL
WHERE tenant_id = $1 AND trigger_id = $2
  AND CASE WHEN $3::uuid[] IS NULL THEN state = 'failed' ELSE id = ANY($3) AND state <> 'waiting' END
RETURNING id`;
