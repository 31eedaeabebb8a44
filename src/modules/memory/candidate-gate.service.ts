import { Injectable, Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import type { QueryResultRow } from 'pg';
import { systemCause } from '../../ledger/cause.js';
import { Ledger, type LedgerRead } from '../../ledger/ledger.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';

/**
 * The third lock: a projection only proposes ids, and what is answered comes from the ledger, read as this tenant.
 *
 * An id that the ledger has deleted is merely stale. One that it never knew came from a store that is not this
 * tenant's: it is dropped, counted and put on record.
 */
@Injectable()
export class CandidateGate {
  private readonly logger = new Logger(CandidateGate.name);
  private readonly strays: Counter;

  constructor(
    private readonly ledger: Ledger,
    metrics: Metrics,
  ) {
    this.strays = new Counter({
      name: 'loci_stray_candidates_total',
      help: 'Ids that a projection answered with and that its ledger never knew: each one is an incident',
      registers: [metrics.registry],
    });
  }

  /** Call with the ids that a projection proposed and the ledger's read did not return. */
  async examine(tx: LedgerRead, workspace: WorkspaceId, missing: string[]): Promise<void> {
    if (missing.length === 0) return;
    const { tenant } = tx;
    const known = await tx.rows<QueryResultRow & { id: string }>(
      `SELECT id FROM changes WHERE tenant_id = $1 AND workspace_id = $2 AND kind = 'memory' AND id = ANY($3::uuid[])`,
      [tenant.id, workspace, missing.filter(isUuid)],
    );
    const deleted = new Set(known.map((row) => row.id));
    const stray = missing.filter((id) => !deleted.has(id));
    if (stray.length > 0) this.report(tenant, workspace, stray);
  }

  /** Put on record in a transaction of its own: the read that found it stays a read. */
  private report(tenant: Tenant, workspace: WorkspaceId, stray: string[]): void {
    this.strays.inc(stray.length);
    this.logger.error(`${tenant.space} proposed ${stray.length} ids that its ledger never knew`);
    void this.ledger
      .write(tenant, workspace, systemCause('recall'), async (tx) => {
        // What is no id at all is named in the detail: it may be anything.
        const ids = stray.slice(0, 100).map((id) => id.slice(0, 100));
        tx.record('space.stray_candidate', workspace, ids.length === 1 ? (ids[0] ?? null) : null, { ids });
      })
      .catch((error: unknown) =>
        this.logger.error(`The incident could not be put on record: ${String(error)}`),
      );
  }
}
