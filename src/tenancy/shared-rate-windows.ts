import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { Gauge } from 'prom-client';
import type { Metrics } from '../platform/metrics/metrics.js';
import type { RateCounter } from './rate-counter.js';

type Record = Awaited<ReturnType<ThrottlerStorage['increment']>>;

const SWEEP_MS = 60_000;
/** A replica takes so large a part of a limit at once: what others then may lack of it at the window's end. */
const PART = 100;

interface Window {
  endsAt: number;
  limit: number;
  /** Requests of this process that were let through. */
  hits: number;
  /** Drawn, and not yet used. */
  left: number;
  /** Drawn by all replicas, as far as is known here. */
  total: number;
  /** Nothing more is to be had. */
  spent: boolean;
  waiting: number;
  drawing: Promise<void> | null;
}

/**
 * Fixed windows that all replicas share. Each draws a hundredth of a limit at a time and counts that down by itself: a
 * limit below two hundred is counted request by request, and a large one does not put a round trip into each of its
 * requests. All replicas together never let more through than the limit, as long as the counter answers; while it is
 * away each counts alone, and no request waits or fails for that.
 */
export class SharedRateWindows implements ThrottlerStorage, OnApplicationShutdown {
  private readonly logger = new Logger('RateLimits');
  private readonly windows = new Map<string, Window>();
  private readonly sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  private readonly shared: Gauge;
  private alone = false;

  constructor(
    private readonly counter: RateCounter,
    metrics: Metrics,
  ) {
    this.shared = new Gauge({
      name: 'loci_rate_limits_shared',
      help: '1 where rate limits are counted together with the other replicas, 0 while this process counts alone',
      registers: [metrics.registry],
    });
    this.shared.set(1);
  }

  async increment(key: string, ttl: number, limit: number, _blockMs: number, name: string): Promise<Record> {
    const id = `${name}/${key}`;
    for (;;) {
      const now = Date.now();
      const window = this.windowOf(id, ttl, limit, now);
      if (window.left > 0) {
        window.left--;
        window.hits++;
        return answer(window, now, window.total - window.left);
      }
      if (window.spent) return answer(window, now, Math.max(window.total, limit) + 1);
      window.waiting++;
      window.drawing ??= this.draw(id, window, ttl).finally(() => (window.drawing = null));
      await window.drawing;
      window.waiting--;
    }
  }

  onApplicationShutdown(): void {
    clearInterval(this.sweeper);
  }

  /** A limit that was changed begins a window of its own here; what was drawn for the old one stays counted elsewhere. */
  private windowOf(id: string, ttl: number, limit: number, now: number): Window {
    const known = this.windows.get(id);
    if (known !== undefined && known.endsAt > now && known.limit === limit) return known;
    const window: Window = {
      endsAt: now + ttl,
      limit,
      hits: 0,
      left: 0,
      total: 0,
      spent: false,
      waiting: 0,
      drawing: null,
    };
    this.windows.set(id, window);
    return window;
  }

  private async draw(id: string, window: Window, ttl: number): Promise<void> {
    const wanted = Math.max(Math.floor(window.limit / PART), window.waiting, 1);
    try {
      const { granted, total, msLeft } = await this.counter.draw(id, wanted, window.limit, ttl);
      window.left = granted;
      window.total = total;
      window.spent = granted === 0;
      window.endsAt = Date.now() + msLeft;
      this.note(false);
    } catch (error) {
      // The rest of this window is this process's own.
      window.left = Math.max(0, window.limit - window.hits);
      window.total = window.limit;
      window.spent = window.left === 0;
      this.note(true, error);
    }
  }

  private note(alone: boolean, error?: unknown): void {
    if (alone === this.alone) return;
    this.alone = alone;
    this.shared.set(alone ? 0 : 1);
    if (alone) {
      const reason = error instanceof Error ? error.message : String(error);
      this.logger.warn(`Rate limits are counted by this process alone: ${reason}`);
    } else this.logger.log('Rate limits are shared with the other replicas again');
  }

  private sweep(): void {
    const now = Date.now();
    for (const [id, window] of this.windows) if (window.endsAt <= now) this.windows.delete(id);
  }
}

function answer(window: Window, now: number, totalHits: number): Record {
  const seconds = Math.max(1, Math.ceil((window.endsAt - now) / 1000));
  const isBlocked = totalHits > window.limit;
  return { totalHits, timeToExpire: seconds, isBlocked, timeToBlockExpire: isBlocked ? seconds : 0 };
}
