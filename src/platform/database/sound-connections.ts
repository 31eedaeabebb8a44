import type { Pool, PoolClient } from 'pg';

/**
 * Connections of a pool as they are taken out for use.
 *
 * The pool listens to idle connections alone: one that breaks in use with nobody listening would end the process
 * (pg 8.23). And where one broke or fell silent, those that lay idle meanwhile have as likely been forgotten by
 * whatever lies between: they are replaced, so that nobody waits for the same silence a second time.
 */
export class SoundConnections {
  private readonly born = new WeakMap<PoolClient, number>();
  private brokeAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly pool: Pool,
    private readonly now: () => number = () => performance.now(),
  ) {}

  async take(): Promise<PoolClient> {
    for (;;) {
      const client = await this.pool.connect();
      if (this.bornAt(client) >= this.brokeAt) return client;
      client.release(true);
    }
  }

  private bornAt(client: PoolClient): number {
    const known = this.born.get(client);
    if (known !== undefined) return known;
    const now = this.now();
    this.born.set(client, now);
    // Its queries are told what happened.
    client.on('error', () => (this.brokeAt = this.now()));
    return now;
  }
}
