import type { PoolClient, QueryResultRow } from 'pg';
import type { Database } from '../platform/database/database.js';
import { sendTogether } from '../platform/database/send-together.js';
import { WorkspaceNotFound } from '../tenancy/tenancy-errors.js';

/** What both parts of one round trip came to; throws where the first of them failed. */
export async function oneStatement<Row extends QueryResultRow>(
  database: Database,
  begin: string,
  sql: string,
  values: unknown[],
) {
  const client = await database.tenantClient();
  sendTogether(client);
  const [opened, answered, closed] = await Promise.allSettled([
    client.query(database.statements.plain(begin)),
    client.query<Row>(database.statements.of(sql, values)),
    client.query(database.statements.plain('COMMIT')),
  ]);
  client.release(closed.status === 'rejected');
  if (opened.status === 'rejected') throw opened.reason;
  return { opened: opened.value, answered };
}

/** A connection goes back to the pool only after a commit; after anything else it is closed. */
export async function inTransaction<T>(
  database: Database,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await database.tenantClient();
  let failure: unknown = null;
  try {
    const result = await work(client);
    // A transaction that has failed answers COMMIT with ROLLBACK, and with no error.
    const { command } = await client.query(database.statements.plain('COMMIT'));
    if (command !== 'COMMIT') throw new Error(`The ledger answered COMMIT with ${command}`);
    return result;
  } catch (error) {
    failure = error;
    await client.query(database.statements.plain('ROLLBACK')).then(
      () => (failure = null),
      () => undefined,
    );
    throw goneWorkspace(error) ?? error;
  } finally {
    client.release(failure !== null);
  }
}

/** A workspace that was deleted after a request had found it: its row is what everything in it refers to. */
function goneWorkspace(error: unknown): WorkspaceNotFound | null {
  const { code, constraint = '' } = error as { code?: string; constraint?: string };
  return code === '23503' && constraint.endsWith('_workspace_id_fkey')
    ? new WorkspaceNotFound(`${constraint}: deleted meanwhile`)
    : null;
}
