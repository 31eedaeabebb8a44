import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { ControlPlane } from '../../ledger/control-plane.js';
import { MAIN } from '../../ledger/homes.js';
import { Ledger, type LedgerScope } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import { RequestMeter } from '../../tenancy/request-meter.js';

export const GRANULARITIES = ['hour', 'day', 'month'] as const;
export type Granularity = (typeof GRANULARITIES)[number];

/** From, until before, in steps of UTC's hours, days or months. */
export interface UsageSpan {
  from: Date;
  to: Date;
  granularity: Granularity;
}

export interface Usage {
  start: Date;
  meter: string;
  quantity: number;
}

interface UsageRow extends QueryResultRow {
  start: Date;
  meter: string;
  quantity: string;
}

/** A tenant's meters over time. */
@Injectable()
export class TenantUsageService {
  constructor(
    private readonly ledger: Ledger,
    private readonly control: ControlPlane,
    private readonly meter: RequestMeter,
  ) {}

  /** `scope`: a workspace's own, or all. Oldest first; where nothing was used there is no row. */
  async of(tenant: Tenant, scope: LedgerScope, { from, to, granularity }: UsageSpan): Promise<Usage[]> {
    await this.meter.flush();
    const values = [tenant.id, granularity, from, to];
    // Requests are counted in the main database, what is stored beside what it is.
    const parts = await Promise.all([
      this.control.readRows<UsageRow>(tenant, scope, USED, values),
      ...(tenant.home === MAIN ? [] : [this.ledger.readRows<UsageRow>(tenant, scope, USED, values)]),
    ]);
    const sums = new Map<string, Usage>();
    for (const { start, meter, quantity } of parts.flat()) {
      const name = `${start.toISOString()} ${meter}`;
      const sum = sums.get(name) ?? { start, meter, quantity: 0 };
      sums.set(name, { ...sum, quantity: sum.quantity + Number(quantity) });
    }
    return [...sums].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, usage]) => usage);
  }
}

const USED = `
SELECT date_trunc($2, hour, 'UTC') AS start, meter, sum(quantity) AS quantity FROM usage_counters
WHERE tenant_id = $1 AND hour >= date_trunc('hour', $3::timestamptz, 'UTC') AND hour < $4
GROUP BY 1, 2`;
