import type { Response } from 'express';
import type { EventPage, TimedEvent } from './event-pages.service.js';

/** Of whom nothing more is to come; the words of an error where there is one. */
export type EndReason = 'auth.invalid' | 'auth.forbidden' | 'tenant.suspended' | 'server.stopping' | null;

export interface StreamTimes {
  pingMs: number;
  /** Who reads nothing for so long is let go; it comes back with the last id that it has read. */
  slowMs: number;
  /** After a look in vain, because the ledger does not answer. */
  retryMs: number;
}

export const STREAM_TIMES: StreamTimes = { pingMs: 12_000, slowMs: 30_000, retryMs: 1_000 };
/** How long an end may take to reach a reader that is slow. */
const LAST_WORDS_MS = 1_000;

/** One message of Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function messageOf(event: string, data: object, id: number | null): string {
  return `${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/**
 * One reader of events. It is given page after page, as fast as it reads and no faster: what it has not read yet is in
 * the ledger, and not in memory.
 */
export class EventStream {
  private stirred = true;
  private wake: () => void = () => undefined;
  private open = true;
  private pinging: NodeJS.Timeout | undefined;
  private readonly closing: (() => void)[] = [];

  constructor(
    private readonly response: Response,
    /** The next of the ledger after a revision; rejects where it does not answer. */
    private readonly next: (after: number) => Promise<EventPage>,
    private readonly dataOf: (event: TimedEvent) => object,
    /** Everything up to this revision has been read. */
    private position: number,
    private readonly times: StreamTimes = STREAM_TIMES,
  ) {
    response.once('close', () => this.end(null));
  }

  /** Called once, however the stream ends. */
  onEnd(listener: () => void): void {
    this.closing.push(listener);
  }

  /** There may be something new. */
  stir(): void {
    this.stirred = true;
    this.wake();
  }

  /** The first words: from where on this tells. `reset`: what the reader has was of a ledger that is no more, or of none. */
  begin(facts: object, reset: object | null): void {
    this.response.status(200);
    this.response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
    this.response.setHeader('Cache-Control', 'no-store, no-transform');
    // Proxies that gather answers would keep it for themselves.
    this.response.setHeader('X-Accel-Buffering', 'no');
    this.response.flushHeaders();
    if (reset !== null) this.response.write(messageOf('reset', reset, this.position));
    this.response.write(messageOf('ready', { revision: this.position, ...facts }, this.position));
    this.pinging = setInterval(() => this.ping(), this.times.pingMs).unref();
  }

  /** `follow`: goes on when all is told that there is. Resolves when the stream has ended. */
  async run(follow: boolean): Promise<void> {
    while (this.open) {
      if (this.stirred) {
        this.stirred = false;
        await this.catchUp();
        if (!follow) this.end(null);
      } else await new Promise<void>((resume) => (this.wake = resume));
    }
  }

  end(reason: EndReason): void {
    if (!this.open) return;
    this.open = false;
    clearInterval(this.pinging);
    this.wake();
    if (!this.response.destroyed) {
      if (reason !== null && this.response.headersSent)
        this.response.write(messageOf('end', { code: reason }, null));
      this.response.end();
      setTimeout(() => this.response.destroy(), LAST_WORDS_MS).unref();
    }
    for (const listener of this.closing.splice(0)) listener();
  }

  private async catchUp(): Promise<void> {
    for (let more = true; more && this.open;) {
      const page = await this.next(this.position).catch(() => null);
      if (!this.open) return;
      if (page === null) {
        setTimeout(() => this.stir(), this.times.retryMs).unref();
        return;
      }
      more = page.more;
      this.tell(page);
      await this.drained();
    }
  }

  private tell({ events, to, newest }: EventPage): void {
    if (newest < this.position) {
      const reset = { reason: 'ledger.restored', revision: newest, last_event_id: String(this.position) };
      this.position = newest;
      this.response.write(messageOf('reset', reset, newest));
      return;
    }
    this.position = to;
    if (events.length === 0) return;
    const messages = events.map((event) => messageOf(event.name, this.dataOf(event), event.revision));
    this.response.write(messages.join(''));
  }

  /** An id alone dispatches nothing; a reader that comes back need not pass again what was not for it. */
  private ping(): void {
    if (!this.response.writableNeedDrain) this.response.write(`: ping\nid: ${this.position}\n\n`);
  }

  private drained(): Promise<void> {
    if (!this.response.writableNeedDrain || this.response.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const tooSlow = setTimeout(() => this.response.destroy(), this.times.slowMs).unref();
      const done = () => {
        clearTimeout(tooSlow);
        this.response.off('drain', done).off('close', done);
        resolve();
      };
      this.response.once('drain', done).once('close', done);
    });
  }
}
