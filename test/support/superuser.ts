import { Client } from 'pg';
import type { Loci } from './loci.js';
import { testPostgres } from './postgres.js';

/** Reads and writes the ledger as a role that no policy binds: to see what is really there. */
export async function asSuperuser<T>(loci: Loci, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ ...testPostgres().admin, database: loci.database.database });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
