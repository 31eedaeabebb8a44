import type { QueryResultRow } from 'pg';
import type { LedgerRead } from '../../ledger/ledger.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';

/** What time and use have left of memories, 0..1, by id; those that nobody has looked at are left out. */
export async function relevanceOf(
  tx: LedgerRead,
  workspace: WorkspaceId,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const rows = await tx.rows<QueryResultRow & { id: string; relevance: number }>(
    `SELECT memory_id AS id, relevance FROM memory_stats
     WHERE tenant_id = $1 AND workspace_id = $2 AND memory_id = ANY($3::uuid[]) AND relevance IS NOT NULL`,
    [tx.tenant.id, workspace, ids],
  );
  return new Map(rows.map(({ id, relevance }) => [id, relevance]));
}
