import { ApiProperty } from '@nestjs/swagger';
import { Instant, OneOf } from '../../platform/http/fields.js';
import { parseInstant } from '../../platform/http/instant.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import type { Tenant } from '../../tenancy/principal.js';
import { GRANULARITIES, type Granularity, type Usage, type UsageSpan } from './tenant-usage.service.js';

const DAY_MS = 86_400_000;
/** So that an answer stays one that is read at once. */
const LONGEST_DAYS: Record<Granularity, number> = { hour: 31, day: 366, month: 3_660 };

export class UsageQueryDto {
  @Instant({ optional: true, description: 'Absent: the first of this month' })
  from?: string;

  @Instant({ optional: true, description: 'Up to before; absent: now' })
  to?: string;

  @OneOf(GRANULARITIES, { optional: true, default: 'day' })
  granularity: Granularity = 'day';
}

class UsagePeriodDto {
  @ApiProperty({ type: String, format: 'date-time' }) start!: string;
  @ApiProperty({
    type: Object,
    additionalProperties: { type: 'number' },
    description: 'By meter: requests, memories_stored, …',
  })
  meters!: Record<string, number>;
}

export class UsageDto {
  @ApiProperty({ type: String }) tenant_id!: string;
  @ApiProperty({ type: String, format: 'date-time' }) from!: string;
  @ApiProperty({ type: String, format: 'date-time' }) to!: string;
  @ApiProperty({ type: String, enum: [...GRANULARITIES] }) granularity!: Granularity;
  @ApiProperty({ type: [UsagePeriodDto], description: 'Oldest first, without periods of no use' })
  data!: UsagePeriodDto[];
  @ApiProperty({ type: Object, additionalProperties: { type: 'number' } }) totals!: Record<string, number>;
}

/** Throws `RequestInvalid` where the span ends before it begins, or is too long for its steps. */
export function spanOf(query: UsageQueryDto, now: Date): UsageSpan {
  const from =
    (query.from === undefined ? null : parseInstant(query.from)) ??
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
  const to = (query.to === undefined ? null : parseInstant(query.to)) ?? now;
  const { granularity } = query;
  if (to <= from) throw new RequestInvalid([{ location: 'query.to', message: 'must be after from' }]);
  if (to.getTime() - from.getTime() > LONGEST_DAYS[granularity] * DAY_MS) {
    const message = `must be at most ${LONGEST_DAYS[granularity]} days after from, by ${granularity}`;
    throw new RequestInvalid([{ location: 'query.to', message }]);
  }
  return { from, to, granularity };
}

export function usageDto(tenant: Tenant, { from, to, granularity }: UsageSpan, used: Usage[]): UsageDto {
  const periods = new Map<string, Record<string, number>>();
  const totals: Record<string, number> = {};
  for (const { start, meter, quantity } of used) {
    const meters = periods.get(start.toISOString()) ?? {};
    periods.set(start.toISOString(), { ...meters, [meter]: quantity });
    totals[meter] = (totals[meter] ?? 0) + quantity;
  }
  return {
    tenant_id: tenant.slug,
    from: from.toISOString(),
    to: to.toISOString(),
    granularity,
    data: [...periods].map(([start, meters]) => ({ start, meters })),
    totals,
  };
}
