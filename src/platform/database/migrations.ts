import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { projectRoot } from '../project-root.js';
import { ensureRoles } from './roles.js';

const FILE_NAME = /^(\d{13})-([a-z0-9-]+)\.sql$/;
/** Any number, as long as every replica asks for the same one. */
const MIGRATION_LOCK = 7_077_001;

/**
 * Brings the database to this version: the reviewed files of `migrations/`, in order, each once, by TypeORM.
 * Replicas that start together wait for one another on an advisory lock.
 */
export async function migrate(connection: ClientConfig): Promise<{ applied: string[] }> {
  const lock = new Client({ ...connection, application_name: 'loci-migrations' });
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await ensureRoles(lock);
    const source = new DataSource({
      type: 'postgres',
      ...typeOrmConnection(connection),
      migrations: migrationClasses(join(projectRoot, 'migrations')),
      migrationsTableName: 'migrations',
      migrationsTransactionMode: 'each',
    });
    await source.initialize();
    try {
      const applied = await source.runMigrations();
      return { applied: applied.map((migration) => migration.name) };
    } finally {
      await source.destroy();
    }
  } finally {
    await lock.end();
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
      return class implements MigrationInterface {
        name = `${title}${time}`;
        async up(runner: QueryRunner): Promise<void> {
          await runner.query(sql);
        }
        /** Forward only: a mistake is mended by the next file. */
        async down(): Promise<void> {
          throw new Error(`${file} cannot be taken back`);
        }
      };
    });
}
