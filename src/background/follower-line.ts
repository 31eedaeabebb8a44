import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Tenant } from '../tenancy/principal.js';
import type { TenantId } from '../tenancy/tenant.js';
import { isAway } from './away.js';
import type { Follower } from './follower.js';
import type { FollowerStep } from './follower-step.js';
import type { Patience } from './patience.js';
import { Turns } from './turns.js';

/** So many tenants at once: one whose database does not answer keeps the others from nothing. */
const AT_ONCE = 2;
const OFF_REMEMBERED = 20_000;

/** One follower at work in this process: a batch of one tenant after another, none of them twice at once. */
export class FollowerLine {
  private readonly logger = new Logger(FollowerLine.name);
  private readonly turns = new Turns();
  private readonly busy = new Set<TenantId>();
  /** Whom it does not follow, as far as was seen: what they write is passed at the next look, and not burst by burst. */
  private readonly off = new LRUCache<TenantId, true>({ max: OFF_REMEMBERED });
  private readonly steps = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | null = null;
  private stopping = false;

  constructor(
    readonly follower: Follower,
    private readonly step: FollowerStep,
    private readonly patience: Patience,
  ) {}

  /** Something has changed, and more may change soon. */
  changed(tenant: Tenant): void {
    if (this.off.has(tenant.id)) return;
    this.turns.add(tenant, this.follower.lingerMs);
    this.next();
  }

  /** It has been behind for a while. */
  behind(tenant: Tenant): void {
    this.turns.add(tenant);
    this.next();
  }

  /** Resolves when nothing is under way any more. What is left waits for the next start, or for another replica. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.patience.end();
    if (this.timer !== null) clearTimeout(this.timer);
    await Promise.all(this.steps);
  }

  private next(): void {
    if (this.stopping) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    while (this.steps.size < AT_ONCE) {
      const tenant = this.turns.take(this.busy);
      if (tenant === null) break;
      this.begin(tenant);
    }
    if (this.steps.size === AT_ONCE) return;
    const wait = this.turns.untilNext(this.busy);
    if (wait !== null) this.timer = setTimeout(() => this.next(), Math.ceil(wait)).unref();
  }

  private begin(tenant: Tenant): void {
    this.busy.add(tenant.id);
    const step: Promise<void> = this.work(tenant).finally(() => {
      this.busy.delete(tenant.id);
      this.steps.delete(step);
      // Requests that came meanwhile go first.
      setImmediate(() => this.next());
    });
    this.steps.add(step);
  }

  private async work(tenant: Tenant): Promise<void> {
    if (this.follower.patient) await this.patience.calm();
    if (this.stopping) return;
    const start = performance.now();
    try {
      const progress = await this.step.take(this.follower, tenant);
      if (progress === 'more') this.turns.add(tenant);
      if (progress === 'off') this.off.set(tenant.id, true);
      else this.off.delete(tenant.id);
    } catch (error) {
      // The next look finds the tenant again.
      const level = isAway(error) ? 'debug' : 'error';
      this.logger[level](`${this.follower.name} goes on with ${tenant.space} later: ${String(error)}`);
    } finally {
      this.patience.worked(performance.now() - start);
    }
  }
}
