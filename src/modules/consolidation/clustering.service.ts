import { Injectable } from '@nestjs/common';
import type { Tenant } from '../../tenancy/principal.js';
import { QuotaExceeded } from '../../tenancy/quotas.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { MetaPatterns } from './meta-patterns.service.js';
import { NearPairs } from './near-pairs.service.js';
import { PatternWriters } from './pattern-writers.service.js';
import type { Step, StepOrder, StepReport } from './step.js';

/** So many meta-patterns are made or renewed in one run, of the largest clusters. */
const MOST_PATTERNS = 100;
const SHOWN_CLUSTERS = 20;

/** Finds clusters of memories that are about the same, and keeps a meta-pattern of each. */
@Injectable()
export class Clustering implements Step {
  constructor(
    private readonly pairs: NearPairs,
    private readonly patterns: MetaPatterns,
    private readonly writers: PatternWriters,
  ) {}

  async run(tenant: Tenant, workspace: WorkspaceId, order: StepOrder): Promise<StepReport> {
    const { clusters, ...gathered } = await this.pairs.gather(
      tenant,
      workspace,
      order.signal,
      order.progress,
    );
    const joined = await clusters.joined();
    const made = { created: 0, updated: 0, unchanged: 0, gone: 0 };
    let stopped: string | null = null;
    const wanted = order.dryRun ? [] : joined.slice(0, MOST_PATTERNS);
    const run = { taken: new Set<string>(), cause: order.cause, writer: await this.writers.for(tenant) };
    for (const ids of wanted) {
      if (order.signal.aborted) break;
      try {
        made[await this.patterns.make(tenant, workspace, ids, run)]++;
      } catch (error) {
        if (!(error instanceof QuotaExceeded)) throw error;
        stopped = error.code;
        break;
      }
    }
    return {
      clusters_found: joined.length,
      meta_patterns_created: made.created,
      meta_patterns_updated: made.updated,
      meta_patterns_unchanged: made.unchanged,
      clusters: joined.slice(0, SHOWN_CLUSTERS).map((ids) => ({ size: ids.length, memory_ids: ids })),
      ...gathered,
      ...(stopped === null ? {} : { stopped }),
    };
  }
}
