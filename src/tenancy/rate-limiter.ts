import { Inject, Injectable } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';
import { DomainError } from '../platform/errors/domain-error.js';
import type { TenantPrincipal } from './principal.js';
import { Quotas } from './quotas.js';

const WINDOW_MS = 60_000;

export class RateLimited extends DomainError<'rate.limited'> {
  readonly code = 'rate.limited';
  constructor(limit: number, retryAfter: number) {
    super(`More than ${limit} requests a minute.`, { retryAfter, extra: { limit } });
  }
}

/** The values of `RateLimit-Policy` and `RateLimit`, as in the IETF's draft. */
export interface RateLimitHeaders {
  policy: string;
  state: string;
}

/** A key's own limit and its tenant's (setting, else plan), in windows of a minute. */
@Injectable()
export class RateLimiter {
  constructor(
    @Inject(ThrottlerStorage) private readonly storage: ThrottlerStorage,
    private readonly quotas: Quotas,
  ) {}

  /** Counts one request. `refusal`: it was one too many. The headers speak of the limit that is nearer. */
  async count(
    principal: TenantPrincipal,
  ): Promise<{ headers: RateLimitHeaders; refusal: RateLimited | null }> {
    const limit = this.quotas.requestsPerMinute(principal.tenant);
    const ofTenant = await this.hit('tenant', principal.tenant.id, limit);
    if (principal.kind === 'member' || principal.rateLimitPerMinute === null) return answer(ofTenant);
    const ofKey = await this.hit('key', principal.keyId, principal.rateLimitPerMinute);
    return answer(ofKey.remaining <= ofTenant.remaining ? ofKey : ofTenant);
  }

  private async hit(name: string, id: string, limit: number): Promise<Count> {
    const { totalHits, timeToExpire } = await this.storage.increment(id, WINDOW_MS, limit, 0, name);
    return { name, limit, remaining: limit - totalHits, seconds: timeToExpire };
  }
}

interface Count {
  name: string;
  limit: number;
  /** Negative: one too many. */
  remaining: number;
  /** Until the window ends. */
  seconds: number;
}

function answer({ name, limit, remaining, seconds }: Count) {
  return {
    headers: {
      policy: `"${name}";q=${limit};w=${WINDOW_MS / 1000}`,
      state: `"${name}";r=${Math.max(0, remaining)};t=${seconds}`,
    },
    refusal: remaining < 0 ? new RateLimited(limit, seconds) : null,
  };
}
