import { Injectable, Logger } from '@nestjs/common';
import type { Tenant } from '../tenancy/principal.js';
import type { WorkspaceId } from '../tenancy/tenant.js';
import { systemCause } from './cause.js';
import type { ChangeKind } from './ledger-write.js';
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
    item: { workspace: WorkspaceId; id: string; revision: number },
    error: unknown,
  ): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    this.logger.error(`${tenant.space}: ${kind} ${item.id} is unindexable in ${projection}: ${reason}`);
    await this.ledger.write(tenant, item.workspace, systemCause('catch-up'), (tx) =>
      tx.rows(
        `INSERT INTO unindexable (tenant_id, workspace_id, kind, id, projection, revision, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, workspace_id, kind, id, projection)
         DO UPDATE SET revision = excluded.revision, reason = excluded.reason, recorded_at = now()`,
        [tenant.id, item.workspace, kind, item.id, projection, item.revision, reason.slice(0, 500)],
      ),
    );
  }
}
