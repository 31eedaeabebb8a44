import type { PoolClient } from 'pg';

/**
 * What is sent to PostgreSQL from here until this turn's end leaves in one write. Each write wakes the session's
 * process at the other end, and the waking costs more than most of our statements.
 */
export function sendTogether(client: PoolClient): void {
  const { stream } = client.connection;
  stream.cork();
  // After every promise that is settled by now has had its say; never forgotten, whatever throws meanwhile.
  process.nextTick(() => stream.uncork());
}
