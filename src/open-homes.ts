import { parseIntoClientConfig } from 'pg-connection-string';
import { openHome, openInstallation } from './installation.js';
import { Homes, type HomePlan } from './ledger/homes.js';
import { SettingsError } from './platform/config/environment.js';
import type { PlacementPlan } from './platform/config/placements-file.js';
import { Database } from './platform/database/database.js';
import { LazyDatabase } from './platform/database/lazy-database.js';
import { migrate } from './platform/database/migrations.js';
import { isLedgerAway } from './platform/errors/ledger-away.js';
import type { MasterKey } from './tenancy/tenant-key.js';

/**
 * The databases that placements have of their own, beside the main one. They carry the same migrations and the check value
 * of the same master key. One that is away keeps nobody else from starting; one that cannot be right is refused.
 */
export async function openHomes(
  plans: PlacementPlan[],
  main: Database,
  master: MasterKey,
  connections: number,
): Promise<{ homes: Homes; close: () => Promise<void> }> {
  const known = new Map([[await openInstallation(main, master), 'the main database']]);
  const byUrl = new Map<string, LazyDatabase>();
  const databaseAt = (url: string, placement: string): LazyDatabase => {
    const before = byUrl.get(url);
    if (before !== undefined) return before;
    const database = new LazyDatabase(() => open({ url, placement }, connections, master, known));
    byUrl.set(url, database);
    return database;
  };
  const own = plans.flatMap(({ name, database, served }): HomePlan[] =>
    database === null ? [] : [{ placement: name, database: served ? databaseAt(database.url, name) : null }],
  );
  const close = async () => {
    await Promise.all([...byUrl.values()].map((database) => database.close()));
  };
  try {
    await Promise.all([...byUrl.values()].map(openIfThere));
  } catch (error) {
    await close();
    throw error;
  }
  return { homes: new Homes(main, own), close };
}

async function openIfThere(database: LazyDatabase): Promise<void> {
  try {
    await database.get();
  } catch (error) {
    if (!isLedgerAway(error)) throw error;
  }
}

async function open(
  { url, placement }: { url: string; placement: string },
  connections: number,
  master: MasterKey,
  known: Map<string, string>,
): Promise<Database> {
  const connection = parseIntoClientConfig(url);
  await migrate(connection);
  // Who the tenants are is not asked there.
  const pools = { tenants: connections, system: Math.max(2, Math.ceil(connections / 4)) };
  const database = await Database.open(connection, [], pools);
  try {
    const installation = await openHome(database, master);
    // Two addresses of one database would make a move between them erase what it copied.
    const other = known.get(installation);
    if (other !== undefined && other !== placement) {
      throw new SettingsError(
        'LOCI_PLACEMENTS',
        `gives ${placement} the database of ${other} by another address`,
      );
    }
    known.set(installation, placement);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
