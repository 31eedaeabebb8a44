import { Injectable } from '@nestjs/common';
import type { Cause } from '../../ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import { listDeliveries, redeliver, type DeliveryRow, type DeliveryState } from './delivery-rows.js';
import { Triggers } from './triggers.service.js';

/** The log of what webhooks were told. */
@Injectable()
export class Deliveries {
  constructor(
    private readonly ledger: Ledger,
    private readonly triggers: Triggers,
  ) {}

  /** Newest first, `limit` of them and one more where there are more. Throws `TriggerNotFound`. */
  async list(
    tenant: Tenant,
    trigger: string,
    state: DeliveryState | null,
    limit: number,
    after: { time: Date; id: string } | null,
  ): Promise<DeliveryRow[]> {
    await this.triggers.get(tenant, trigger);
    return this.ledger.read(tenant, WHOLE_TENANT, (tx) => listDeliveries(tx, trigger, state, limit, after));
  }

  /** How many are told again: these, or all that failed (null). Throws `TriggerNotFound`. */
  async redeliver(
    tenant: Tenant,
    trigger: string,
    ids: readonly string[] | null,
    cause: Cause,
  ): Promise<number> {
    await this.triggers.get(tenant, trigger);
    const { result } = await this.ledger.write(tenant, WHOLE_TENANT, cause, async (tx) => {
      const count = await redeliver(tx, trigger, ids);
      if (count > 0) tx.record('trigger.redeliver', null, trigger, { count });
      return count;
    });
    return result;
  }
}
