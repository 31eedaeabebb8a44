import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Cause } from '../../ledger/cause.js';
import { Ledger } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { openMetadata } from '../../ledger/sealed-memory.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { noteArchival } from '../memory/archival.js';
import { setAsideMemories } from '../memory/memory-removal.js';
import { MemoryVectors } from '../memory/memory-vectors.js';
import { agingMemories, countMemories, type LookedAtMemory } from './aging-memories.js';
import { consolidationSettings } from './consolidation-settings.js';
import { relevanceAt } from './decay.js';
import { isFlagged, isOverdue, protectionOf, type Protection } from './forgetting.js';
import { SHOWN, type Step, type StepOrder, type StepReport } from './step.js';

/** Under the tenant's lock at once; and what a recall that comes meanwhile waits for in the indexes. */
const BATCH = 50;

/**
 * Controlled forgetting: what is hardly relevant any more is archived, out of what holds now; what has been archived for long
 * is deleted softly, as retention does. Both can be brought back, and are on record.
 */
@Injectable()
export class Forgetting implements Step {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly vectors: MemoryVectors,
  ) {}

  async run(tenant: Tenant, workspace: WorkspaceId, order: StepOrder): Promise<StepReport> {
    const settings = consolidationSettings(tenant.settings);
    const total = await countMemories(this.ledger, tenant, workspace);
    const archived: string[] = [];
    const deleted: string[] = [];
    const protectedBy: Record<Protection, number> = { type: 0, age: 0, importance: 0, flag: 0, derived: 0 };
    let examined = 0;
    for await (const batch of agingMemories(this.ledger, tenant, workspace)) {
      if (order.signal.aborted) break;
      const faded = batch.filter((memory) =>
        memory.archivedAt === null
          ? relevanceAt(order.now, memory, settings.decay_rate) < settings.archive_threshold
          : isOverdue(order.now, memory, settings),
      );
      const open: LookedAtMemory[] = [];
      for (const memory of faded) {
        const protection = protectionOf(order.now, memory, settings);
        if (protection === null) open.push(memory);
        else protectedBy[protection]++;
      }
      const flagged = await this.flagged(tenant, workspace, open);
      protectedBy.flag += flagged.size;
      const leaving = open.filter(({ id }) => !flagged.has(id));
      const idsOf = (isArchived: boolean) =>
        leaving.flatMap(({ id, archivedAt }) => ((archivedAt !== null) === isArchived ? id : []));
      archived.push(...(await this.archive(tenant, workspace, order, idsOf(false))));
      deleted.push(...(await this.delete(tenant, workspace, order, idsOf(true))));
      examined += batch.length;
      order.progress(examined, total);
    }
    return {
      examined,
      archived: archived.length,
      archived_ids: archived.slice(0, SHOWN),
      deleted: deleted.length,
      deleted_ids: deleted.slice(0, SHOWN),
      preserved: examined - archived.length - deleted.length,
      protected: protectedBy,
    };
  }

  /** Those whose metadata say that they are to stay. Only of what would go are they opened. */
  private async flagged(
    tenant: Tenant,
    workspace: WorkspaceId,
    memories: readonly LookedAtMemory[],
  ): Promise<Set<string>> {
    if (memories.length === 0) return new Set();
    const rows = await this.ledger.readRows<QueryResultRow & { id: string; metadata: Buffer }>(
      tenant,
      workspace,
      `SELECT id, metadata FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`,
      [tenant.id, workspace, memories.map(({ id }) => id)],
    );
    return new Set(
      rows.flatMap(({ id, metadata }) =>
        isFlagged(openMetadata(tenant.key, workspace, id, metadata)) ? id : [],
      ),
    );
  }

  private async archive(
    tenant: Tenant,
    workspace: WorkspaceId,
    { dryRun, now, cause }: StepOrder,
    ids: string[],
  ): Promise<string[]> {
    if (dryRun) return ids;
    return this.inBatches(tenant, workspace, cause, ids, async (tx, batch) => {
      const rows = await tx.rows<{ id: string }>(
        `UPDATE memories SET archived_at = $4 WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])
         AND archived_at IS NULL RETURNING id`,
        [tenant.id, workspace, batch, now],
      );
      const gone = rows.map(({ id }) => id);
      noteArchival(tx, workspace, gone);
      tx.record('consolidation.archive', workspace, gone);
      return gone;
    });
  }

  private async delete(
    tenant: Tenant,
    workspace: WorkspaceId,
    { dryRun, now, cause }: StepOrder,
    ids: string[],
  ): Promise<string[]> {
    if (dryRun) return ids;
    const models = this.vectors.modelsFor(tenant);
    return this.inBatches(tenant, workspace, cause, ids, async (tx, batch) => {
      const gone = await setAsideMemories(tx, workspace, batch, { reason: 'forgetting', at: now, models });
      tx.record('consolidation.delete', workspace, gone);
      return gone;
    });
  }

  /** Each batch a commit of its own, and in the indexes before the next one. The ids of those that went. */
  private async inBatches(
    tenant: Tenant,
    workspace: WorkspaceId,
    cause: Cause,
    ids: readonly string[],
    work: (tx: LedgerWrite, batch: string[]) => Promise<string[]>,
  ): Promise<string[]> {
    const gone: string[] = [];
    for (let at = 0; at < ids.length; at += BATCH) {
      const { result } = await this.ledger.write(tenant, workspace, cause, (tx) =>
        work(tx, ids.slice(at, at + BATCH)),
      );
      gone.push(...result);
      await this.spaces.open(tenant).indexed();
    }
    return gone;
  }
}
