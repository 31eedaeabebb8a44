import type { QueryResultRow } from 'pg';
import type { LedgerRead } from '../../ledger/ledger.js';
import type { ChangeKind } from '../../ledger/ledger-write.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { memoryOf, PREFIXED_MEMORY_COLUMNS, type MemoryRow } from '../memory/memory-rows.js';
import type { Memory } from '../memory/memory.js';
import {
  PREFIXED_RELATION_COLUMNS,
  relationOf,
  type Relation,
  type RelationRow,
} from '../memory/relation-rows.js';

/** What can happen to what a tenant stores, in the words of its audit's nouns. */
export const EVENT_NAMES = [
  'memory.created',
  'memory.updated',
  'memory.deleted',
  'relation.created',
  'relation.updated',
  'relation.deleted',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

/** An item's latest change, as the feed has it. */
export interface ItemChange {
  workspace: WorkspaceId;
  kind: ChangeKind;
  id: string;
  revision: number;
  gone: boolean;
}

/** What happened to an item since a revision, and what it is now. */
export type LedgerEvent = ItemChange &
  (
    | { name: 'memory.created' | 'memory.updated'; memory: Memory }
    | { name: 'relation.created' | 'relation.updated'; relation: Relation }
    | { name: 'memory.deleted' | 'relation.deleted' }
  );

/** What an event is of, as it is now. */
export type LedgerItem = { memory: Memory } | { relation: Relation };

interface ItemRow extends QueryResultRow {
  workspace_id: WorkspaceId;
  /** Under which revision it was made. */
  position: string | null;
  /** Under which it was last changed by somebody's will, or archived; null: never, as far as is known. */
  edited: string | null;
}

/**
 * What these changes come to for somebody who has seen everything up to the revision `after`, in their order. An item
 * that changed several times is told once, as it is now; one that was made and deleted meanwhile is told as deleted. A
 * change that shows nobody anything new, such as the arrival of a vector, is none.
 */
export async function eventsOf(
  tx: LedgerRead,
  changes: readonly ItemChange[],
  after: number,
): Promise<LedgerEvent[]> {
  const [memories, relations] = await Promise.all([
    rowsOf<MemoryRow & ItemRow>(tx, MEMORIES, changes, 'memory'),
    rowsOf<RelationRow & ItemRow>(tx, RELATIONS, changes, 'relation'),
  ]);
  return changes.flatMap((change): LedgerEvent[] => {
    if (change.gone) return [{ ...change, name: `${change.kind}.deleted` }];
    const place = placeOf(change);
    if (change.kind === 'memory') {
      const row = memories.get(place);
      const verb = row && verbOf(row, after);
      return verb ? [{ ...change, name: `memory.${verb}`, memory: memoryOf(tx.tenant, row) }] : [];
    }
    const row = relations.get(place);
    const verb = row && verbOf(row, after);
    const relation = row && relationOf(tx.tenant, change.workspace, row);
    return verb && relation ? [{ ...change, name: `relation.${verb}`, relation }] : [];
  });
}

/** One that is gone by now has a later change, which tells of that. */
async function rowsOf<Row extends ItemRow & { id: string }>(
  tx: LedgerRead,
  sql: string,
  changes: readonly ItemChange[],
  kind: ChangeKind,
): Promise<Map<string, Row>> {
  const wanted = changes.filter((change) => change.kind === kind && !change.gone);
  if (wanted.length === 0) return new Map();
  const rows = await tx.rows<Row>(sql, [
    tx.tenant.id,
    wanted.map(({ workspace }) => workspace),
    wanted.map(({ id }) => id),
  ]);
  return new Map(rows.map((row) => [placeOf({ workspace: row.workspace_id, id: row.id }), row]));
}

function verbOf({ position, edited }: ItemRow, after: number): 'created' | 'updated' | null {
  if (Number(position ?? 0) > after) return 'created';
  return Number(edited ?? 0) > after ? 'updated' : null;
}

function placeOf({ workspace, id }: { workspace: WorkspaceId; id: string }): string {
  return `${workspace}/${id}`;
}

const MEMORIES = `
SELECT ${PREFIXED_MEMORY_COLUMNS}, m.position, greatest(h.edited, m.archive_revision) AS edited
FROM unnest($2::uuid[], $3::uuid[]) AS i (workspace_id, id)
JOIN memories m ON m.tenant_id = $1 AND m.workspace_id = i.workspace_id AND m.id = i.id
LEFT JOIN LATERAL (
  SELECT revision AS edited FROM memory_history
  WHERE tenant_id = $1 AND workspace_id = m.workspace_id AND memory_id = m.id ORDER BY revision DESC LIMIT 1
) h ON true`;

const RELATIONS = `
SELECT r.workspace_id, ${PREFIXED_RELATION_COLUMNS}, r.position, r.edited
FROM unnest($2::uuid[], $3::uuid[]) AS i (workspace_id, id)
JOIN relations r ON r.tenant_id = $1 AND r.workspace_id = i.workspace_id AND r.id = i.id`;
