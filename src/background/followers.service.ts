import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LedgerSignal } from '../ledger/ledger-signal.js';
import { Settings } from '../platform/config/settings.js';
import { Traffic } from '../platform/traffic.js';
import { Placements } from '../spaces/placements.js';
import type { Tenant } from '../tenancy/principal.js';
import { TenantDirectory } from '../tenancy/tenant-directory.js';
import type { Follower } from './follower.js';
import { FollowerLine } from './follower-line.js';
import { FollowerStep } from './follower-step.js';
import { Patience } from './patience.js';

/** Writes of this process are told of at once; this is for other processes' writes, and for what is to be tried again. */
const LOOK_EVERY_MS = 5_000;
const TENANTS_AT_ONCE = 200;

/**
 * Runs what follows the ledgers, for the tenants whose placement this process serves. A follower is added before the
 * application has started (`onModuleInit`).
 */
@Injectable()
export class Followers implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Followers.name);
  private readonly lines: FollowerLine[] = [];
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private stopListening: () => void = () => undefined;
  private stopping = false;

  constructor(
    private readonly step: FollowerStep,
    private readonly directory: TenantDirectory,
    private readonly signal: LedgerSignal,
    private readonly placements: Placements,
    private readonly settings: Settings,
    private readonly traffic: Traffic,
  ) {}

  add(follower: Follower): void {
    this.lines.push(new FollowerLine(follower, this.step, new Patience(this.traffic)));
  }

  /** An API process leaves it to the workers. */
  onApplicationBootstrap(): void {
    if (this.settings.role === 'api' || this.lines.length === 0) return;
    this.stopListening = this.signal.onWrite(({ tenant, actor }) => {
      if (!this.placements.serves(tenant.placement)) return;
      for (const line of this.lines) {
        if (actor !== `system:${line.follower.name}`) line.changed(tenant);
      }
    });
    this.timer = setInterval(() => this.lookSoon(), LOOK_EVERY_MS).unref();
    this.lookSoon();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.stopListening();
    clearInterval(this.timer);
    await this.looking;
    await Promise.all(this.lines.map((line) => line.stop()));
  }

  /** Gives the tenant a turn now: a watermark was set back, or it is followed from now on. Other processes find it by looking. */
  wake(tenant: Tenant): void {
    if (this.settings.role === 'api' || !this.placements.serves(tenant.placement)) return;
    for (const line of this.lines) line.behind(tenant);
  }

  /** Who is behind gets a turn. */
  async look(): Promise<void> {
    for (const line of this.lines) {
      if (this.stopping) return;
      const { name } = line.follower;
      for (const tenant of await this.directory.behind(name, TENANTS_AT_ONCE)) line.behind(tenant);
    }
  }

  private lookSoon(): void {
    this.looking = this.looking
      .then(() => this.look())
      .catch((error: unknown) =>
        this.logger.warn(`The followers will look for work again: ${String(error)}`),
      );
  }
}
