const FIRST_MS = 50;
const LONGEST_MS = 1_000;

/**
 * After a server was found away, nobody knocks again for a while that doubles with each failure: callers are told
 * at once instead of waiting in line for the same timeout.
 */
export class Backoff {
  private failures = 0;
  private until = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Milliseconds until the next attempt makes sense; 0: now. */
  get remainingMs(): number {
    return Math.max(0, this.until - this.now());
  }

  /** Of many that failed together the first counts. */
  failed(): void {
    if (this.remainingMs > 0) return;
    const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures);
    this.failures++;
    this.until = this.now() + wait;
  }

  succeeded(): void {
    this.failures = 0;
    this.until = 0;
  }
}
