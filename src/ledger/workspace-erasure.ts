import type { LedgerWrite } from './ledger-write.js';
import type { WorkspaceId } from '../tenancy/tenant.js';

/**
 * Erases up to `limit` memories of a workspace with their relations, vectors and history. Tombstones stay, so that the
 * projections forget them. How many went: fewer than `limit` where nothing is left.
 */
export async function eraseMemories(tx: LedgerWrite, workspace: WorkspaceId, limit: number): Promise<number> {
  const scope = [tx.tenant.id, workspace];
  const found = await tx.rows<{ id: string }>(
    `SELECT id FROM memories WHERE tenant_id = $1 AND workspace_id = $2 LIMIT $3`,
    [...scope, limit],
  );
  if (found.length === 0) return 0;
  const ids = found.map(({ id }) => id);
  const relations = await tx.rows<{ id: string }>(
    `DELETE FROM relations WHERE tenant_id = $1 AND workspace_id = $2
     AND (from_id = ANY($3::uuid[]) OR to_id = ANY($3::uuid[])) RETURNING id`,
    [...scope, ids],
  );
  await tx.rows(`DELETE FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`, [
    ...scope,
    ids,
  ]);
  for (const { id } of relations) tx.changed(workspace, 'relation', id, true);
  for (const id of ids) tx.changed(workspace, 'memory', id, true);
  tx.record('memory.delete', workspace, ids);
  tx.countMemories(-ids.length);
  tx.meter(workspace, 'memories_deleted', ids.length);
  return ids.length;
}

/** The row itself, with its agents and keys. What a workspace has used stays counted. */
export async function eraseEmptyWorkspace(tx: LedgerWrite, workspace: WorkspaceId): Promise<void> {
  for (const statement of [
    `DELETE FROM unindexable WHERE tenant_id = $1 AND workspace_id = $2`,
    `DELETE FROM workspaces WHERE tenant_id = $1 AND id = $2`,
  ]) {
    await tx.rows(statement, [tx.tenant.id, workspace]);
  }
}
