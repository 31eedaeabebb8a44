import { Inject, Injectable } from '@nestjs/common';
import { normalizeIp, ThrottlerStorage } from '@nestjs/throttler';
import { RateLimited } from './rate-limit.guard.js';
import { WINDOW_MS } from './rate-limits.js';

/** As many as a person's browser may need, and too few for a scan over all host names. */
const MOST = 120;

/** Requests without a token, by address: they count against no tenant, whom a stranger could otherwise exhaust. */
@Injectable()
export class KeylessLimit {
  constructor(@Inject(ThrottlerStorage) private readonly storage: ThrottlerStorage) {}

  /** Throws `RateLimited`. */
  async count(ip: string): Promise<void> {
    const address = normalizeIp(ip);
    const { isBlocked, timeToExpire } = await this.storage.increment(address, WINDOW_MS, MOST, 0, 'keyless');
    if (isBlocked) throw new RateLimited(MOST, timeToExpire);
  }
}
