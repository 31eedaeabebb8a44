import { Injectable } from '@nestjs/common';
import { Ledger } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { agingMemories, countMemories } from './aging-memories.js';
import { consolidationSettings } from './consolidation-settings.js';
import { relevanceAt } from './decay.js';
import type { Step, StepOrder, StepReport } from './step.js';

/** A smaller difference is not worth a write. */
const NOTICEABLE = 0.001;

/** Finds anew how relevant each memory still is. No revision, no history, no audit: nothing that is projected changes. */
@Injectable()
export class Decay implements Step {
  constructor(private readonly ledger: Ledger) {}

  async run(tenant: Tenant, workspace: WorkspaceId, order: StepOrder): Promise<StepReport> {
    const { decay_rate: rate } = consolidationSettings(tenant.settings);
    const total = await countMemories(this.ledger, tenant, workspace);
    const sums = { before: 0, after: 0 };
    const distribution = { high: 0, medium: 0, low: 0, faded: 0 };
    let [processed, updated] = [0, 0];
    for await (const batch of agingMemories(this.ledger, tenant, workspace)) {
      if (order.signal.aborted) break;
      // As the ledger keeps it: what is too small for 32 bits is nothing.
      const found = batch.map((memory) => ({
        ...memory,
        now: Math.fround(relevanceAt(order.now, memory, rate)),
      }));
      for (const { relevance, now } of found) {
        sums.before += relevance ?? 1;
        sums.after += now;
        distribution[levelOf(now)]++;
      }
      const changed = found.filter(
        ({ relevance, now }) => relevance === null || Math.abs(relevance - now) >= NOTICEABLE,
      );
      updated += changed.length;
      if (!order.dryRun && changed.length > 0) await this.write(tenant, workspace, order, changed);
      processed += batch.length;
      order.progress(processed, total);
    }
    const mean = (sum: number) => (processed === 0 ? 0 : Math.round((sum / processed) * 1e4) / 1e4);
    return {
      processed,
      updated,
      avg_relevance_before: mean(sums.before),
      avg_relevance_after: mean(sums.after),
      distribution,
    };
  }

  private async write(
    tenant: Tenant,
    workspace: WorkspaceId,
    { cause }: StepOrder,
    changed: { id: string; now: number }[],
  ): Promise<void> {
    await this.ledger.write(tenant, workspace, cause, (tx) =>
      tx.rows(RELEVANCE, [tenant.id, workspace, changed.map(({ id }) => id), changed.map(({ now }) => now)]),
    );
  }
}

function levelOf(relevance: number): 'high' | 'medium' | 'low' | 'faded' {
  if (relevance > 0.7) return 'high';
  if (relevance > 0.3) return 'medium';
  return relevance > 0.1 ? 'low' : 'faded';
}

const RELEVANCE = `
INSERT INTO memory_stats (tenant_id, workspace_id, memory_id, relevance)
SELECT $1, $2, r.id, r.relevance FROM unnest($3::uuid[], $4::real[]) AS r (id, relevance)
JOIN memories m ON m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = r.id
ON CONFLICT (tenant_id, workspace_id, memory_id) DO UPDATE SET relevance = excluded.relevance`;
