import type { Traffic } from '../platform/traffic.js';

/** So long nobody may have waited for an answer, before it is called calm: writers who take turns leave shorter gaps. */
const CALM_MS = 100;
/** Who is never left in peace takes one part of the time in so many. */
const SHARE = 8;
const LONGEST_MS = 2_000;
const LOOK_EVERY_MS = 25;

/** Leaves the processors to requests: what can wait is done while it is calm, and otherwise a little at a time. */
export class Patience {
  private readonly ended = new AbortController();
  private owed = 0;

  constructor(
    private readonly traffic: Traffic,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Resolves when it is calm, or when several times as much time has gone by as the last piece of work took. */
  async calm(): Promise<void> {
    const until = this.now() + Math.min(LONGEST_MS, this.owed);
    while (!this.ended.signal.aborted && this.traffic.quietMs() < CALM_MS && this.now() < until) {
      await new Promise((resume) => setTimeout(resume, LOOK_EVERY_MS));
    }
  }

  /** So long the last piece of work took. */
  worked(ms: number): void {
    this.owed = ms * (SHARE - 1);
  }

  /** Nobody waits any more. */
  end(): void {
    this.ended.abort();
  }
}
