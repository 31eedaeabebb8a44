import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, type ClientConfig } from 'pg';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { projectRoot } from '../project-root.js';
import { ensureRoles } from './roles.js';

const FILE_NAME = /^(\d{13})-([a-z0-9-]+)\.sql$/;
/** The first line of a file whose statements are run one by one, each by itself; then each may be run again. */
const ONE_BY_ONE = /^-- one by one\b/;
/** Any number, as long as every replica asks for the same one. */
const MIGRATION_LOCK = 7_077_001;
const ASK_FOR_LOCK_EVERY_MS = 200;

/**
 * How long a statement may wait for a lock. Whoever comes after it waits behind it, readers too, so it gives way soon and
 * is tried again: sooner than PostgreSQL looks for deadlocks (`deadlock_timeout`, a second), which a file that changes several
 * tables makes with whoever uses them in another order, and of which a request would be the victim.
 */
const LOCK_TIMEOUT_MS = 300;
const TRY_AGAIN_AFTER_MS = 500;
const GIVE_UP_AFTER_MS = 300_000;
const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK = '40P01';

/**
 * Brings the database to this version: the reviewed files of `migrations/`, in order, each once, by TypeORM; while other
 * servers, of this version or the one before, read and write. Replicas that start together wait for one another.
 */
export async function migrate(
  connection: ClientConfig,
  folder = join(projectRoot, 'migrations'),
): Promise<{ applied: string[] }> {
  const lock = new Client({ ...connection, application_name: 'loci-migrations' });
  await lock.connect();
  try {
    await ownTurn(lock);
    await ensureRoles(lock);
    const source = new DataSource({
      type: 'postgres',
      ...typeOrmConnection(connection),
      migrations: migrationClasses(folder),
      migrationsTableName: 'migrations',
      migrationsTransactionMode: 'each',
    });
    await source.initialize();
    try {
      const before = await appliedTo(lock);
      await persistently(() => source.runMigrations());
      const after = await appliedTo(lock);
      return { applied: after.filter((name) => !before.includes(name)) };
    } finally {
      await source.destroy();
    }
  } finally {
    await lock.end();
  }
}

/**
 * Asks again and again. To wait inside PostgreSQL would be a transaction that goes on, and an index that is built
 * concurrently waits for all of those: for the replicas that wait for whoever builds it.
 */
async function ownTurn(lock: Client): Promise<void> {
  for (;;) {
    const { rows } = await lock.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [
      MIGRATION_LOCK,
    ]);
    if (rows[0]?.mine === true) return;
    await pause(ASK_FOR_LOCK_EVERY_MS);
  }
}

async function appliedTo(client: Client): Promise<string[]> {
  const { rows: tables } = await client.query(`SELECT WHERE to_regclass('migrations') IS NOT NULL`);
  if (tables.length === 0) return [];
  const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations ORDER BY id');
  return rows.map(({ name }) => name);
}

/** What was done before a statement gave way stays done, file by file. */
async function persistently(work: () => Promise<unknown>): Promise<void> {
  for (const until = Date.now() + GIVE_UP_AFTER_MS; ;) {
    try {
      await work();
      return;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if ((code !== LOCK_NOT_AVAILABLE && code !== DEADLOCK) || Date.now() > until) throw error;
      await pause(TRY_AGAIN_AFTER_MS);
    }
  }
}

/** What TypeORM's postgres options call the same things. */
export function typeOrmConnection({ user, password, host, port, database, ssl }: ClientConfig) {
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { username: user }),
    ...(typeof password === 'string' ? { password } : {}),
    ...(database === undefined ? {} : { database }),
    ...(ssl === undefined ? {} : { ssl: ssl as boolean }),
  };
}

/** TypeORM wants a class for each migration and reads its time from the end of the name. */
function migrationClasses(folder: string): (new () => MigrationInterface)[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const [, time, title] = FILE_NAME.exec(file) ?? [];
      if (time === undefined || title === undefined) {
        throw new Error(`migrations/${file} is not named <13 digits>-<words>.sql`);
      }
      const sql = readFileSync(join(folder, file), 'utf8');
      const oneByOne = ONE_BY_ONE.test(sql);
      return class implements MigrationInterface {
        name = `${title}${time}`;
        transaction = !oneByOne;
        async up(runner: QueryRunner): Promise<void> {
          if (oneByOne) {
            for (const statement of statementsOf(sql)) await runner.query(statement);
            return;
          }
          await runner.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
          await runner.query(sql);
        }
        /** Forward only: a mistake is mended by the next file. */
        async down(): Promise<void> {
          throw new Error(`${file} cannot be taken back`);
        }
      };
    });
}

/** A statement ends with the `;` that ends its line. */
export function statementsOf(sql: string): string[] {
  return sql
    .replace(/^--.*$/gm, '')
    .split(/;[^\S\n]*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
