import type { LedgerWrite } from '../../ledger/ledger-write.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { memoryOf, MEMORY_COLUMNS, type MemoryRow } from './memory-rows.js';
import { snapshotPlace } from './memory-reader.service.js';

/** As many as a request may bring. */
const MOST_TAGS = 64;

/**
 * Adds tags to a memory, which keeps what it was in its history. The revision under which it did; null where the memory is
 * gone, has them all already, or has room for none.
 */
export async function addTags(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  id: string,
  tags: readonly string[],
): Promise<number | null> {
  const place = [tx.tenant.id, workspace, id];
  const [row] = await tx.rows<MemoryRow>(
    `SELECT ${MEMORY_COLUMNS} FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = $3`,
    place,
  );
  if (row === undefined) return null;
  const before = memoryOf(tx.tenant, row);
  const after = [...new Set([...before.tags, ...tags.map((tag) => tag.trim())])].slice(
    0,
    Math.max(MOST_TAGS, before.tags.length),
  );
  if (after.length === before.tags.length) return null;
  const revision = tx.changed(workspace, 'memory', id);
  const snapshot = tx.tenant.key.seal(JSON.stringify(before), snapshotPlace(workspace, id, revision));
  tx.send(
    `INSERT INTO memory_history (tenant_id, workspace_id, memory_id, revision, snapshot) VALUES ($1, $2, $3, $4, $5)`,
    [...place, revision, snapshot],
  );
  tx.send(
    `UPDATE memories SET tags = $4, updated_at = now() WHERE tenant_id = $1 AND workspace_id = $2 AND id = $3`,
    [...place, after],
  );
  return revision;
}
