import { Agent } from 'undici';
import { Backoff } from '../backoff.js';

/** The connections to one server, which all callers share, and whether it is worth asking over them just now. */
export class QdrantLine {
  private current: Agent;
  private readonly backoff = new Backoff();

  constructor(private readonly connections: number) {
    this.current = this.open();
  }

  get agent(): Agent {
    return this.current;
  }

  admits(knock: () => Promise<void>): Promise<boolean> {
    return this.backoff.admits(knock);
  }

  /**
   * Where one connection fell silent, those that lie idle have as likely been forgotten by whatever lies between: nobody
   * waits for their silence too. What is under way on them ends as it would have.
   */
  fellSilent(): void {
    if (this.backoff.remainingMs > 0) return;
    this.backoff.failed();
    const old = this.current;
    this.current = this.open();
    void old.close();
  }

  close(): Promise<void> {
    return this.current.close();
  }

  private open(): Agent {
    return new Agent({
      connections: this.connections,
      connect: { timeout: 2_000 },
      // Calls bring a deadline of their own.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 10_000,
    });
  }
}
