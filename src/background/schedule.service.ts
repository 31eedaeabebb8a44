import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../platform/config/settings.js';
import type { Tenant } from '../tenancy/principal.js';
import { TenantDirectory } from '../tenancy/tenant-directory.js';
import { DutyRoster, LEASE_S } from './duty-roster.js';

const LOOK_EVERY_MS = 30_000;

/** What is done for each tenant now and then: consolidation, retention. */
export interface Duty {
  readonly name: string;
  readonly everyMs: number;
  /**
   * Once for each time it is due, by one replica. It may begin again after a crash, and while one that has fallen silent
   * still believes that it is its turn: what it does twice comes to the same. `signal` aborts where the server stops or
   * the turn was lost; what is left is then done by whoever has the next turn.
   */
  perform(tenant: Tenant, signal: AbortSignal): Promise<void>;
}

/** Does what is due, one duty of one tenant after the other, while its lease says that it is this replica's turn. */
@Injectable()
export class Schedule implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Schedule.name);
  private readonly duties: Duty[] = [];
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly roster: DutyRoster,
    private readonly directory: TenantDirectory,
    private readonly settings: Settings,
  ) {}

  /** Before the application has started (`onModuleInit`). */
  add(duty: Duty): void {
    this.duties.push(duty);
  }

  /** An API process leaves it to the workers. */
  onApplicationBootstrap(): void {
    if (this.settings.role === 'api' || this.duties.length === 0) return;
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    void this.look();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    clearInterval(this.timer);
    await this.running;
  }

  /** Resolves when nothing is due any more, or the server stops. */
  look(): Promise<void> {
    this.running = this.running
      .then(() => this.work())
      .catch((error: unknown) => this.logger.warn(`What is due will be done later: ${String(error)}`));
    return this.running;
  }

  private async work(): Promise<void> {
    for (const duty of this.duties) {
      await this.roster.enrol(duty.name, duty.everyMs);
      while (!this.stopping.signal.aborted) {
        const lease = randomUUID();
        const tenantId = await this.roster.claim(duty.name, lease);
        if (tenantId === null) break;
        const tenant = await this.directory.tenantById(tenantId);
        if (tenant !== null) await this.perform(duty, tenant, lease);
      }
    }
  }

  private async perform(duty: Duty, tenant: Tenant, lease: string): Promise<void> {
    const turn = new AbortController();
    const renewing = setInterval(
      () => {
        this.roster.renew(tenant.id, duty.name, lease).then(
          (held) => (held ? undefined : turn.abort()),
          // Not heard of; the lease outlasts two such silences.
          () => undefined,
        );
      },
      (LEASE_S * 1000) / 3,
    ).unref();
    let failure: string | null = null;
    try {
      await duty.perform(tenant, AbortSignal.any([this.stopping.signal, turn.signal]));
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      this.logger.warn(`${duty.name} of ${tenant.space} failed: ${failure}`);
    } finally {
      clearInterval(renewing);
    }
    // Who was stopped half-way leaves the rest to the next turn, which is now.
    const everyMs = this.stopping.signal.aborted ? 0 : duty.everyMs;
    await this.roster.settle(tenant.id, duty.name, lease, everyMs, failure);
  }
}
