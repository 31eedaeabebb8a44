import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';

type Record = Awaited<ReturnType<ThrottlerStorage['increment']>>;

const SWEEP_MS = 60_000;
/** Beyond it the oldest are forgotten: whoever sends from ever other addresses must not fill the memory. */
const MOST_WINDOWS = 200_000;

/**
 * Counts of this process, in fixed windows. The package's own memory storage starts a timer for every request,
 * which at thousands of requests a second is most of what a request costs.
 */
@Injectable()
export class RateWindows implements ThrottlerStorage, OnApplicationShutdown {
  private readonly windows = new Map<string, { hits: number; endsAt: number }>();
  private readonly sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();

  increment(key: string, ttl: number, limit: number, _blockMs: number, name: string): Promise<Record> {
    const now = Date.now();
    const id = `${name}/${key}`;
    let window = this.windows.get(id);
    if (window === undefined || window.endsAt <= now) {
      window = { hits: 0, endsAt: now + ttl };
      this.windows.delete(id);
      this.windows.set(id, window);
      this.forgetOldest();
    }
    window.hits++;
    const seconds = Math.ceil((window.endsAt - now) / 1000);
    const isBlocked = window.hits > limit;
    return Promise.resolve({
      totalHits: window.hits,
      timeToExpire: seconds,
      isBlocked,
      timeToBlockExpire: isBlocked ? seconds : 0,
    });
  }

  onApplicationShutdown(): void {
    clearInterval(this.sweeper);
  }

  /** A map keeps the order in which windows began. */
  private forgetOldest(): void {
    if (this.windows.size <= MOST_WINDOWS) return;
    const oldest = this.windows.keys().next();
    if (oldest.done !== true) this.windows.delete(oldest.value);
  }

  private sweep(): void {
    const now = Date.now();
    for (const [id, window] of this.windows) if (window.endsAt <= now) this.windows.delete(id);
  }
}
