import { Injectable, Logger } from '@nestjs/common';
import type { Tenant } from '../tenancy/principal.js';
import type { WorkspaceId } from '../tenancy/tenant.js';
import { systemCause } from './cause.js';
import type { ChangeKind, LedgerWrite } from './ledger-write.js';
import { Ledger } from './ledger.js';

/** Items that an engine refused: written down, so that somebody can look, and passed, so that the rest can go on. */
@Injectable()
export class UnindexableRecord {
  private readonly logger = new Logger(UnindexableRecord.name);

  constructor(private readonly ledger: Ledger) {}

  async note(
    tenant: Tenant,
    kind: ChangeKind,
    projection: string,
    item: { workspace: WorkspaceId; id: string },
    error: unknown,
  ): Promise<void> {
    this.logger.error(
      `${tenant.space}: ${kind} ${item.id} is unindexable in ${projection}: ${reasonOf(error)}`,
    );
    await this.ledger.write(tenant, item.workspace, systemCause('catch-up'), (tx) =>
      recordUnindexable(tx, kind, projection, item, error),
    );
  }
}

/** The same within a transaction, under the item's revision of the moment. */
export async function recordUnindexable(
  tx: LedgerWrite,
  kind: ChangeKind,
  projection: string,
  { workspace, id }: { workspace: WorkspaceId; id: string },
  error: unknown,
): Promise<void> {
  await tx.rows(
    `INSERT INTO unindexable (tenant_id, workspace_id, kind, id, projection, revision, reason)
     SELECT $1, $2, $3, $4, $5, revision, $6 FROM changes
     WHERE tenant_id = $1 AND workspace_id = $2 AND kind = $3 AND id = $4
     ON CONFLICT (tenant_id, workspace_id, kind, id, projection)
     DO UPDATE SET revision = excluded.revision, reason = excluded.reason, recorded_at = now()`,
    [tx.tenant.id, workspace, kind, id, projection, reasonOf(error).slice(0, 500)],
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
