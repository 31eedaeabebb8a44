import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Environment } from '../../src/platform/config/environment.js';
import { Loci, urlOf } from './loci.js';
import { freshDatabase, testPostgres, type FreshDatabase } from './postgres.js';
import { scratchFolder } from './scratch-folder.js';

/** A server with a placement, `acme`, that has a database of its own beside the main one. */
export interface Homed {
  loci: Loci;
  /** Of the placement's own. */
  own: FreshDatabase;
  ownUrl: string;
  /** Where the file of placements is. */
  folder: string;
  stop(): Promise<void>;
}

/** `reach`: the address under which the server is told of it, made of that database's own and the main one's. */
export async function startHomed({
  reach = (own) => own,
  env = {},
}: { reach?: (own: string, main: string) => string; env?: Environment } = {}): Promise<Homed> {
  const scratch = await scratchFolder();
  await mkdir(scratch.path, { recursive: true });
  const [main, own] = [await freshDatabase(), await freshDatabase()];
  const file = join(scratch.path, 'placements.json');
  const drop = async () => {
    await main.drop();
    await own.drop();
    await scratch.remove();
  };
  const placements = { shared: {}, acme: { database_url: reach(urlOf(own), urlOf(main)) } };
  await writeFile(file, JSON.stringify(placements));
  const loci = await Loci.start({ ...env, LOCI_PLACEMENTS: file }, main).catch(async (error: unknown) => {
    await drop();
    throw error;
  });
  return {
    loci,
    own,
    ownUrl: urlOf(own),
    folder: scratch.path,
    async stop() {
      await loci.stop();
      await drop();
    },
  };
}

/** Sees everything in one database, as a role that no policy binds. */
export async function lookInto<T>(
  { database }: FreshDatabase,
  look: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ ...testPostgres().admin, database });
  await client.connect();
  try {
    return await look(client);
  } finally {
    await client.end();
  }
}

/** How many rows of a tenant each table of a database holds. */
export function rowsOf(database: FreshDatabase, tenantId: string): Promise<Record<string, number>> {
  return lookInto(database, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.columns
       WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1`,
    );
    const counts: Record<string, number> = {};
    for (const { name } of tables) {
      const { rows } = await client.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM ${name} WHERE tenant_id = $1`,
        [tenantId],
      );
      counts[name] = rows[0]?.n ?? 0;
    }
    return counts;
  });
}
