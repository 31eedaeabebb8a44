import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Cause } from '../../ledger/cause.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { Clustering } from './clustering.service.js';
import { ConsolidationRuns } from './consolidation-runs.js';
import { CreativeAssociation } from './creative.service.js';
import { Decay } from './decay.service.js';
import { Forgetting } from './forgetting.service.js';
import type { Step, StepReport } from './step.js';

export const STEPS = ['decay', 'creative', 'cluster', 'forget'] as const;
export type StepName = (typeof STEPS)[number];
export const MODES = ['full', ...STEPS] as const;
export type Mode = (typeof MODES)[number];

const RENEW_EVERY_MS = 5_000;

export interface ConsolidationOrder {
  mode: Mode;
  dryRun: boolean;
  cause: Cause;
  /** Stops between two batches; what was done stays done. */
  signal?: AbortSignal;
}

export interface Consolidated {
  mode: Mode;
  dry_run: boolean;
  started_at: string;
  completed_at: string;
  /** False: it was stopped half-way. */
  success: boolean;
  steps: Partial<Record<StepName, StepReport>>;
}

/** A run that has begun. */
export interface Begun {
  id: string;
  startedAt: Date;
  /** Rejects where a step has failed. */
  done: Promise<Consolidated>;
}

/** Consolidates what a workspace remembers, one run for each tenant at a time, whichever replica it is on. */
@Injectable()
export class Consolidation implements OnApplicationShutdown {
  private readonly logger = new Logger(Consolidation.name);
  private readonly steps: Record<StepName, Step>;
  private readonly stopping = new AbortController();
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    private readonly runs: ConsolidationRuns,
    decay: Decay,
    creative: CreativeAssociation,
    cluster: Clustering,
    forget: Forgetting,
  ) {
    this.steps = { decay, creative, cluster, forget };
  }

  /** Resolves when the run has its turn. Throws `ConsolidationRunning` where the tenant has a run already. */
  async begin(tenant: Tenant, workspace: WorkspaceId, order: ConsolidationOrder): Promise<Begun> {
    const { mode, dryRun, cause } = order;
    const startedAt = new Date();
    const id = await this.runs.begin(tenant, workspace, { mode, dryRun, actor: cause.actor });
    const done = this.work(tenant, workspace, id, startedAt, order);
    const settled = done
      .catch((error: unknown) =>
        this.logger.warn(`Consolidation of ${tenant.space} failed: ${String(error)}`),
      )
      .finally(() => this.running.delete(settled));
    this.running.add(settled);
    return { id, startedAt, done };
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
  }

  private async work(
    tenant: Tenant,
    workspace: WorkspaceId,
    id: string,
    startedAt: Date,
    { mode, dryRun, cause, signal }: ConsolidationOrder,
  ): Promise<Consolidated> {
    const turn = new AbortController();
    const stop = AbortSignal.any([
      this.stopping.signal,
      turn.signal,
      ...(signal === undefined ? [] : [signal]),
    ]);
    let progress: { step: StepName; done: number; total: number } | null = null;
    const renewing = setInterval(() => {
      // What is not heard of is tried again; the lease outlasts some of that.
      this.runs.renew(tenant, id, progress ?? {}).then(
        (held) => (held ? undefined : turn.abort()),
        () => undefined,
      );
    }, RENEW_EVERY_MS).unref();
    const steps: Consolidated['steps'] = {};
    const result = (): Consolidated => ({
      mode,
      dry_run: dryRun,
      started_at: startedAt.toISOString(),
      completed_at: new Date().toISOString(),
      success: !stop.aborted,
      steps,
    });
    try {
      for (const step of STEPS) {
        if ((mode !== 'full' && mode !== step) || stop.aborted) continue;
        steps[step] = await this.steps[step].run(tenant, workspace, {
          dryRun,
          now: startedAt,
          // The request's own answer is kept once the whole is done.
          cause: { ...cause, claim: null },
          signal: stop,
          progress: (done, total) => (progress = { step, done, total }),
        });
      }
      await this.runs.finish(tenant, id, result(), stop.aborted ? 'It was stopped half-way' : null);
      return result();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      await this.runs.finish(tenant, id, result(), reason).catch(() => undefined);
      throw error;
    } finally {
      clearInterval(renewing);
    }
  }
}
