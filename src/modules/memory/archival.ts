import type { LedgerWrite } from '../../ledger/ledger-write.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';

/** Memories that were archived, or brought back from there, just now: indexes hold them otherwise, and whoever listens hears of it. */
export function noteArchival(tx: LedgerWrite, workspace: WorkspaceId, ids: readonly string[]): void {
  const revisions = ids.map((id) => tx.changed(workspace, 'memory', id));
  tx.send(
    `UPDATE memories m SET archive_revision = c.revision FROM unnest($3::uuid[], $4::bigint[]) AS c (id, revision)
     WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = c.id`,
    [tx.tenant.id, workspace, ids, revisions],
  );
}
