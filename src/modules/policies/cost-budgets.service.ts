import { Injectable } from '@nestjs/common';
import type { Cause } from '../../ledger/cause.js';
import { changedMembers } from '../../ledger/changed-members.js';
import { ControlPlane } from '../../ledger/control-plane.js';
import { WHOLE_TENANT } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import { readPolicy, writePolicy } from './tenant-policies.js';

/** What a tenant lets its models cost in a calendar month. */
export interface CostBudget {
  /** Null: whatever it takes. */
  monthly_limit_usd: number | null;
  /** Parts of the limit, ascending: passing one is told. */
  alert_thresholds: number[];
  action_on_exceed: 'block' | 'alert_only';
  webhook_url: string | null;
}

export const DEFAULT_BUDGET: Readonly<CostBudget> = {
  monthly_limit_usd: null,
  alert_thresholds: [0.8, 0.9, 0.95],
  action_on_exceed: 'alert_only',
  webhook_url: null,
};

@Injectable()
export class CostBudgetsService {
  constructor(private readonly control: ControlPlane) {}

  async get(tenant: Tenant): Promise<CostBudget> {
    const budget = await this.control.read(tenant, WHOLE_TENANT, (tx) =>
      readPolicy<CostBudget>(tx, 'cost_budget'),
    );
    return budget ?? DEFAULT_BUDGET;
  }

  /** Thresholds are kept ascending, each once. */
  async put(tenant: Tenant, wanted: CostBudget, cause: Cause): Promise<CostBudget> {
    const alert_thresholds = [...new Set(wanted.alert_thresholds)].sort((a, b) => a - b);
    const budget = { ...wanted, alert_thresholds };
    await this.control.write(tenant, WHOLE_TENANT, cause, async (tx) => {
      const before = (await readPolicy<CostBudget>(tx, 'cost_budget')) ?? DEFAULT_BUDGET;
      writePolicy(tx, 'cost_budget', budget);
      tx.record('cost_budget.update', null, tenant.id, changedMembers(before, budget));
    });
    return budget;
  }
}
