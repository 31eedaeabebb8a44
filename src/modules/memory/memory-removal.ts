import type { QueryResultRow } from 'pg';
import type { LedgerRead } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { closeGap, rejoin } from './session-weaver.js';
import { insertPending } from './vector-rows.js';

/** Days that what retention and forgetting have deleted can be brought back. */
export const RESTORABLE_DAYS = 30;
/** A derived memory that is left with fewer sources has nothing more to say. */
export const FEWEST_SOURCES = 3;

export type RemovalReason = 'retention' | 'forgetting';

/**
 * Deletes memories for good, with their history, vectors and relations; those that were set aside, too, and those that were
 * drawn from them. `models`: for the vectors of what is joined anew. The ids of those that were asked for and were there.
 */
export async function deleteMemories(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  ids: readonly string[],
  models: string[],
): Promise<string[]> {
  if (ids.length === 0) return [];
  const aside = await eraseAside(tx, workspace, ids);
  const derived = await drawnFrom(tx, workspace, ids);
  const gone = await takeOut(tx, workspace, [...new Set([...ids, ...derived])], models);
  const found = ids.filter((id) => gone.has(id) || aside.has(id));
  const all = [...new Set([...gone, ...found])];
  tx.record('memory.delete', workspace, all);
  if (all.length > 0) tx.meter(workspace, 'memories_deleted', all.length);
  return found;
}

/**
 * Deletes memories softly: they are where nothing looks for them, and can be brought back. What was derived from them, or is
 * derived itself, is made anew when it is wanted, and so goes for good. The ids of those that went; the record is the
 * caller's matter.
 */
export async function setAsideMemories(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  ids: readonly string[],
  { reason, at, models }: { reason: RemovalReason; at: Date; models: string[] },
): Promise<string[]> {
  if (ids.length === 0) return [];
  const scope = [tx.tenant.id, workspace, ids];
  const derived = await tx.rows<{ id: string }>(DERIVED_AMONG, scope);
  await tx.rows(SET_ASIDE_RELATIONS, scope);
  await tx.rows(SET_ASIDE, [...scope, reason, at]);
  const drawn = await drawnFrom(tx, workspace, ids);
  const gone = await takeOut(tx, workspace, [...new Set([...ids, ...drawn])], models);
  await eraseAside(tx, workspace, [...derived.map(({ id }) => id), ...drawn]);
  return ids.filter((id) => gone.has(id));
}

/** Erases what was set aside; the ids of those that were. */
export async function eraseAside(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  ids: readonly string[],
): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const scope = [tx.tenant.id, workspace, ids];
  const rows = await tx.rows<{ id: string }>(
    `DELETE FROM deleted_memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[]) RETURNING id`,
    scope,
  );
  await tx.rows(
    `DELETE FROM deleted_relations WHERE tenant_id = $1 AND workspace_id = $2
     AND (from_id = ANY($3::uuid[]) OR to_id = ANY($3::uuid[]))`,
    scope,
  );
  return new Set(rows.map(({ id }) => id));
}

/** The derived memories that do not outlive these: they quote one of them, or would have too few sources left. */
export async function drawnFrom(
  tx: LedgerRead | LedgerWrite,
  workspace: WorkspaceId,
  ids: readonly string[],
): Promise<string[]> {
  const rows = await tx.rows<QueryResultRow & { id: string }>(DRAWN_FROM, [
    tx.tenant.id,
    workspace,
    ids,
    FEWEST_SOURCES,
  ]);
  return rows.map(({ id }) => id);
}

/** Out of the ledger's own tables, and with that out of every index. */
async function takeOut(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  ids: readonly string[],
  models: string[],
): Promise<Set<string>> {
  const scope = [tx.tenant.id, workspace, ids];
  const followers = await closeGap(tx, workspace, [...ids]);
  const relations = await tx.rows<{ id: string }>(
    `DELETE FROM relations WHERE tenant_id = $1 AND workspace_id = $2
     AND (from_id = ANY($3::uuid[]) OR to_id = ANY($3::uuid[])) RETURNING id`,
    scope,
  );
  const removed = await tx.rows<{ id: string }>(
    `DELETE FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[]) RETURNING id`,
    scope,
  );
  for (const relation of relations) tx.changed(workspace, 'relation', relation.id, true);
  for (const { id } of removed) tx.changed(workspace, 'memory', id, true);
  insertPending(tx, await rejoin(tx, workspace, followers, models));
  tx.countMemories(-removed.length);
  return new Set(removed.map(({ id }) => id));
}

const DERIVED_AMONG = `
SELECT DISTINCT memory_id AS id FROM derived_memories
WHERE tenant_id = $1 AND workspace_id = $2 AND memory_id = ANY($3::uuid[])`;

const DRAWN_FROM = `
SELECT DISTINCT d.memory_id AS id FROM derived_memories d
WHERE d.tenant_id = $1 AND d.workspace_id = $2 AND d.source_id = ANY($3::uuid[]) AND (d.quoted OR (
  SELECT count(*) FROM derived_memories o
  WHERE o.tenant_id = $1 AND o.workspace_id = $2 AND o.memory_id = d.memory_id AND NOT o.source_id = ANY($3::uuid[])
) < $4)`;

const SET_ASIDE_RELATIONS = `
INSERT INTO deleted_relations (tenant_id, workspace_id, id, from_id, to_id, type, strength, attributes, created_at, updated_at)
SELECT tenant_id, workspace_id, id, from_id, to_id, type, strength, attributes, created_at, updated_at FROM relations
WHERE tenant_id = $1 AND workspace_id = $2 AND (from_id = ANY($3::uuid[]) OR to_id = ANY($3::uuid[]))
ON CONFLICT DO NOTHING`;

/** Who is deleted softly once more under the same id takes the place of what was there. */
const SET_ASIDE = `
INSERT INTO deleted_memories (tenant_id, workspace_id, id, type, user_id, reason, deleted_at, memory, history, vectors, stats)
SELECT m.tenant_id, m.workspace_id, m.id, m.type, m.user_id, $4, $5::timestamptz, to_jsonb(m),
  COALESCE((SELECT jsonb_agg(h) FROM memory_history h
    WHERE h.tenant_id = $1 AND h.workspace_id = $2 AND h.memory_id = m.id), '[]'),
  COALESCE((SELECT jsonb_agg(e) FROM embeddings e
    WHERE e.tenant_id = $1 AND e.workspace_id = $2 AND e.memory_id = m.id AND e.part = 'alone'), '[]'),
  (SELECT to_jsonb(s) FROM memory_stats s WHERE s.tenant_id = $1 AND s.workspace_id = $2 AND s.memory_id = m.id)
FROM memories m WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = ANY($3::uuid[])
ON CONFLICT (tenant_id, workspace_id, id) DO UPDATE SET type = excluded.type, user_id = excluded.user_id,
  reason = excluded.reason, deleted_at = excluded.deleted_at, memory = excluded.memory, history = excluded.history,
  vectors = excluded.vectors, stats = excluded.stats`;
