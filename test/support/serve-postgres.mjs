/**
 * node test/support/serve-postgres.mjs <data folder> [<folder to remove afterwards>]
 *
 * Runs the embedded PostgreSQL from dist/ until stdin ends, which it does however the one who started us ends.
 * Prints one line of JSON once it answers: {connection, admin}.
 */
import { rm } from 'node:fs/promises';
import { DataFolder } from '../../dist/platform/config/data-folder.js';
import { EmbeddedPostgres } from '../../dist/platform/database/embedded-postgres.js';
import { postgresUser } from '../../dist/platform/database/postgres-user.js';

const [path, remove] = process.argv.slice(2);
try {
  const folder = await DataFolder.open({ path, databaseUser: await postgresUser() });
  const postgres = await EmbeddedPostgres.start(folder);
  const { connection, admin } = postgres;
  process.stdout.write(`${JSON.stringify({ connection, admin })}\n`);
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
  await postgres.stop();
  folder.close();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
if (remove) await rm(remove, { recursive: true, force: true });
