import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { isLedgerAway } from '../platform/errors/ledger-away.js';
import { isOutage } from './space-errors.js';

const EVERY_MS = 1_000;
const AT_ONCE = 8;

/** What brings one projection of one tenant to where its ledger is (`CatchUp`). */
export interface Line {
  run(): Promise<void>;
}

/**
 * Lines that an outage kept from catching up. They are tried again until they have, so that projections are where their
 * ledger is soon after a store is back, whether or not somebody touches their tenant.
 */
@Injectable()
export class LateRuns implements OnApplicationShutdown {
  private readonly waiting = new Set<Line>();
  private timer: NodeJS.Timeout | null = null;
  private closed = false;

  /** The same line again is one. */
  add(line: Line): void {
    this.waiting.add(line);
    this.next();
  }

  onApplicationShutdown(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private next(): void {
    if (this.closed || this.timer !== null || this.waiting.size === 0) return;
    this.timer = setTimeout(() => {
      void this.tryAll().finally(() => {
        this.timer = null;
        this.next();
      });
    }, EVERY_MS).unref();
  }

  /** A store that is still away says so at once, and nothing is read from the ledger for it. */
  private async tryAll(): Promise<void> {
    const lines = [...this.waiting];
    const work = async (): Promise<void> => {
      for (let line = lines.pop(); line !== undefined && !this.closed; line = lines.pop()) {
        // Whoever finds it late meanwhile adds it again.
        this.waiting.delete(line);
        await this.tryOne(line);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** What fails for another reason is no matter of waiting: moved, purged, or a fault that was reported. */
  private async tryOne(line: Line): Promise<void> {
    try {
      await line.run();
    } catch (error) {
      if (isOutage(error) || isLedgerAway(error)) this.waiting.add(line);
    }
  }
}
