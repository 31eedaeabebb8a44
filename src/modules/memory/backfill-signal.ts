import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';

/** Tells the vector backfill that there is work, so that it need not wait for its next look. */
@Injectable()
export class BackfillSignal {
  private readonly emitter = new EventEmitter();

  ring(): void {
    this.emitter.emit('ring');
  }

  /** Resolves at the next ring, or after the given time. */
  async next(withinMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.emitter.off('ring', done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.emitter.once('ring', done);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }
}
