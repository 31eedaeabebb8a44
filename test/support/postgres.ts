import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { DatabaseConnection } from '../../src/platform/database/embedded-postgres.js';

/** An empty database of the role `loci`, which is no superuser; for one suite. */
export interface FreshDatabase extends DatabaseConnection {
  /** Ends whatever still is connected. */
  drop(): Promise<void>;
}

/** Made in the PostgreSQL that runs for all suites. Roles are the whole server's: suites at once share them. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const { connection } = testPostgres();
  const database = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(`CREATE DATABASE ${database} OWNER ${connection.user}`);
  return { ...connection, database, drop: () => asAdmin(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`) };
}

/** How to reach the server itself: `admin` is its superuser. */
export function testPostgres(): { connection: DatabaseConnection; admin: DatabaseConnection } {
  const given = process.env['LOCI_TEST_POSTGRES'];
  if (given === undefined)
    throw new Error('LOCI_TEST_POSTGRES is missing: run this through jest.config.mjs.');
  return JSON.parse(given) as { connection: DatabaseConnection; admin: DatabaseConnection };
}

async function asAdmin(statement: string): Promise<void> {
  const client = new Client(testPostgres().admin);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
