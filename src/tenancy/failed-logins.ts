import { Inject, Injectable } from '@nestjs/common';
import { normalizeIp, ThrottlerStorage } from '@nestjs/throttler';
import { LRUCache } from 'lru-cache';
import { Settings } from '../platform/config/settings.js';
import { DomainError } from '../platform/errors/domain-error.js';
import { WINDOW_MS } from './rate-limits.js';

/** A client that keeps sending one revoked key is a nuisance, one that sends ever other tokens is guessing. */
const REPEATED = 10;
const REMEMBERED = 10_000;

export class TooManyFailedLogins extends DomainError<'auth.throttled'> {
  readonly code = 'auth.throttled';
  constructor(retryAfter: number, address: string) {
    super('Too many tokens from this address were not valid.', {
      retryAfter,
      internal: `from ${address}`,
    });
  }
}

/**
 * Failed logins by address: an IPv4 one, or the /64 that an IPv6 one is in; behind a proxy as `TRUST_PROXY` says.
 * What is refused are further wrong tokens, never a good one: who shares an address with a guesser is not locked out.
 */
@Injectable()
export class FailedLogins {
  /** Which tokens an address has tried lately, by hash. */
  private readonly tried = new LRUCache<string, true>({ max: REMEMBERED, ttl: WINDOW_MS });
  /** Until when an address hears nothing else. */
  private readonly refused = new LRUCache<string, number>({ max: REMEMBERED });

  constructor(
    @Inject(ThrottlerStorage) private readonly storage: ThrottlerStorage,
    private readonly settings: Settings,
  ) {}

  /** Counts a token that was not valid; `hash`: the token's. Throws `TooManyFailedLogins`. */
  async count(ip: string, hash: Buffer): Promise<void> {
    const address = normalizeIp(ip);
    const now = Date.now();
    const until = this.refused.get(address) ?? 0;
    if (until > now) throw new TooManyFailedLogins(Math.ceil((until - now) / 1_000), address);
    const most = this.settings.wrongTokensPerMinute;
    const token = `${address} ${hash.toString('latin1')}`;
    const counts = [this.storage.increment(address, WINDOW_MS, most * REPEATED, 0, 'failures')];
    if (!this.tried.has(token)) counts.push(this.storage.increment(address, WINDOW_MS, most, 0, 'guesses'));
    this.tried.set(token, true);
    for (const { isBlocked, timeToExpire } of await Promise.all(counts)) {
      if (!isBlocked) continue;
      this.refused.set(address, now + timeToExpire * 1_000);
      throw new TooManyFailedLogins(timeToExpire, address);
    }
  }
}
