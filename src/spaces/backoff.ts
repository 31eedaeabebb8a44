const FIRST_MS = 50;
const LONGEST_MS = 1_000;

/**
 * After a server was found away, nobody knocks again for a while that doubles with each failure. Then one caller finds
 * out for all: the others are told at once, instead of waiting in line for the same timeout.
 */
export class Backoff {
  private failures = 0;
  private until = 0;
  private knocking = false;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Milliseconds until the next attempt makes sense; 0: now. */
  get remainingMs(): number {
    return Math.max(0, this.until - this.now());
  }

  /** Whether the server may be asked. `knock` asks it something that a healthy server answers at once. */
  async admits(knock: () => Promise<unknown>): Promise<boolean> {
    if (this.failures === 0) return true;
    if (this.knocking || this.remainingMs > 0) return false;
    this.knocking = true;
    try {
      await knock();
      this.succeeded();
      return true;
    } catch {
      this.failed();
      return false;
    } finally {
      this.knocking = false;
    }
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
