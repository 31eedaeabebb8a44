import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Homes } from './homes.js';
import { LedgerConnection } from './ledger-connection.js';

const LOOK_EVERY_MS = 5_000;

/**
 * Asks the databases beside the main one now and then whether they answer, which also opens one that was away at the
 * start. One that has come back may have been restored: `LedgerConnection` tells those who care.
 */
@Injectable()
export class HomeWatch implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(HomeWatch.name);
  private readonly away = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly homes: Homes,
    private readonly connection: LedgerConnection,
  ) {}

  onModuleInit(): void {
    if (this.homes.others.length === 0) return;
    void this.look();
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    await Promise.all(this.homes.others.map((home) => this.lookAt(home)));
  }

  private async lookAt(home: string): Promise<void> {
    try {
      await (await this.homes.of(home)).ping();
      if (this.away.delete(home)) this.connection.returned();
    } catch (error) {
      if (this.away.has(home)) return;
      this.away.add(home);
      this.logger.warn(`The database of ${home} does not answer: its tenants wait for it. ${String(error)}`);
    }
  }
}
