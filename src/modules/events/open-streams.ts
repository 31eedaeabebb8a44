import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { TenantId } from '../../tenancy/tenant.js';
import type { EndReason, EventStream } from './event-stream.js';
import { StreamsFull, TooManyStreams } from './events.errors.js';

export interface StreamLimits {
  perTenant: number;
  /** In this process. */
  inAll: number;
}

export const STREAM_LIMITS: StreamLimits = { perTenant: 50, inAll: 500 };
const CHECK_EVERY_MS = 1_000;

/** A place among the open streams, from before its first words to its end. */
interface Place {
  tenant: TenantId;
  stream: EventStream | null;
  /** Whether whoever reads may still; resolves with why not. */
  check: () => Promise<EndReason>;
}

/** The streams that are open in this process: no more than so many, and none longer than its reader may read. */
export class OpenStreams implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly places = new Set<Place>();
  private timer: NodeJS.Timeout | undefined;
  private checking = false;
  private stopping = false;

  constructor(private readonly limits: StreamLimits = STREAM_LIMITS) {}

  /** How many there are now. */
  get size(): number {
    return this.places.size;
  }

  /** Throws `TooManyStreams`, `StreamsFull`. Whoever takes a place gives it back, or puts a stream in it. */
  take(tenant: TenantId): { give(): void; fill(stream: EventStream, check: Place['check']): void } {
    if (this.places.size >= this.limits.inAll) throw new StreamsFull();
    const own = [...this.places].filter((place) => place.tenant === tenant).length;
    if (own >= this.limits.perTenant) throw new TooManyStreams(this.limits.perTenant);
    const place: Place = { tenant, stream: null, check: () => Promise.resolve(null) };
    this.places.add(place);
    const give = () => void this.places.delete(place);
    return {
      give,
      fill: (stream, check) => {
        Object.assign(place, { stream, check });
        stream.onEnd(give);
        if (this.stopping) stream.end('server.stopping');
      },
    };
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.check(), CHECK_EVERY_MS).unref();
  }

  /** Before the HTTP server waits for its connections to close. */
  beforeApplicationShutdown(): void {
    this.stopping = true;
    clearInterval(this.timer);
    for (const { stream } of [...this.places]) stream?.end('server.stopping');
  }

  private async check(): Promise<void> {
    if (this.checking) return;
    this.checking = true;
    const checks = [...this.places].map(async ({ stream, check }) => {
      const reason = await check();
      if (reason !== null) stream?.end(reason);
    });
    // Where nobody can be asked, nothing can be read either.
    await Promise.allSettled(checks);
    this.checking = false;
  }
}
