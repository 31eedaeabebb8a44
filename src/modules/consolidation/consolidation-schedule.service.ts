import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { DutyRoster } from '../../background/duty-roster.js';
import { Schedule } from '../../background/schedule.service.js';
import { systemCause } from '../../ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { consolidationSettings } from './consolidation-settings.js';
import { Consolidation, STEPS, type StepName } from './consolidation.service.js';

const DAY_MS = 86_400_000;

/** As AutoMem has it; but forgetting, which AutoMem leaves off, is daily for tenants that ask for it. */
const EVERY_MS: Record<StepName, number> = {
  decay: DAY_MS,
  creative: 7 * DAY_MS,
  cluster: 30 * DAY_MS,
  forget: DAY_MS,
};

export const dutyOf = (step: StepName): string => `consolidation.${step}`;

/** Consolidates every tenant now and then, workspace by workspace, unless it has turned that off. */
@Injectable()
export class ConsolidationSchedule implements OnModuleInit {
  constructor(
    private readonly schedule: Schedule,
    private readonly roster: DutyRoster,
    private readonly ledger: Ledger,
    private readonly consolidation: Consolidation,
  ) {}

  onModuleInit(): void {
    for (const step of STEPS) {
      this.schedule.add({
        name: dutyOf(step),
        everyMs: EVERY_MS[step],
        perform: (tenant, signal) => this.perform(tenant, step, signal),
      });
    }
  }

  /** When each step is due next; null: not before the tenant turns it on, or not known yet. */
  async nextRuns(tenant: Tenant): Promise<Record<StepName, Date | null>> {
    const next = await Promise.all(
      STEPS.map(async (step) => {
        const { nextAt } = await this.roster.state(tenant, dutyOf(step));
        return [step, isOn(tenant, step) ? nextAt : null] as const;
      }),
    );
    return Object.fromEntries(next) as Record<StepName, Date | null>;
  }

  private async perform(tenant: Tenant, step: StepName, signal: AbortSignal): Promise<void> {
    if (!isOn(tenant, step)) return;
    const workspaces = await this.ledger.readRows<QueryResultRow & { id: WorkspaceId }>(
      tenant,
      WHOLE_TENANT,
      `SELECT w.id FROM workspaces w WHERE w.tenant_id = $1
       AND EXISTS (SELECT FROM memories m WHERE m.tenant_id = $1 AND m.workspace_id = w.id) ORDER BY w.id`,
      [tenant.id],
    );
    const cause = systemCause('consolidation');
    for (const { id } of workspaces) {
      if (signal.aborted) return;
      const { done } = await this.consolidation.begin(tenant, id, {
        mode: step,
        dryRun: false,
        cause,
        signal,
      });
      await done;
    }
  }
}

function isOn(tenant: Tenant, step: StepName): boolean {
  const { enabled, forget } = consolidationSettings(tenant.settings);
  return enabled && (step !== 'forget' || forget);
}
