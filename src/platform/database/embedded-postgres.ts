import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type DataFolder, syncFolder } from '../config/data-folder.js';
import { postgresBinaries } from './postgres-binaries.js';
import { PostgresCannotRun } from './postgres-cannot-run.js';
import { PostgresProcess } from './postgres-process.js';

/** How to reach a PostgreSQL database; `host` may be the folder of a unix socket. For `pg` and TypeORM alike. */
export interface DatabaseConnection {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

const PORT = 5432;
const ADMIN = 'loci_admin';
const OWNER = 'loci';
/** A socket's path has some 104 characters; the longest name in its folder is `.s.PGSQL.5432.lock`. */
const LONGEST_SOCKET_FOLDER = 80;
/** Replaying the log after a crash takes its time. */
const READY_MS = 120_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/**
 * A real PostgreSQL, run from its binaries as our child, below a data folder that we hold.
 *
 * It listens on a unix socket in a private folder, and asks for a password there too. The role `loci` owns the
 * database `loci` and may make roles, but is no superuser: row-level security holds for what it makes.
 */
export class EmbeddedPostgres {
  /** Role and database `loci`. */
  readonly connection: DatabaseConnection;
  /** The superuser. For making databases in tests and for operators' repairs: no request ever uses it. */
  readonly admin: DatabaseConnection;
  readonly #server: PostgresProcess;
  #child: ChildProcess;
  #reviving: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | null = null;

  private constructor(
    server: PostgresProcess,
    connection: DatabaseConnection,
    admin: DatabaseConnection,
    child: ChildProcess,
  ) {
    this.#server = server;
    this.#child = child;
    this.connection = connection;
    this.admin = admin;
    this.#watch();
  }

  /**
   * Answers queries once this resolves. The first start makes the database; a server that a killed process left
   * behind is stopped first. Rejects with one line that holds the end of PostgreSQL's log.
   */
  static async start(folder: DataFolder): Promise<EmbeddedPostgres> {
    const { bin, major } = await postgresBinaries(folder);
    const data = join(folder.pg, 'data');
    const log = join(folder.path, 'postgres.log');
    const server = new PostgresProcess({ bin, data, log, user: folder.databaseUser });
    const password = await folder.secret('postgres-admin', randomPassword);
    await server.stopLeftBehind();
    await initialize(folder, server, data, major, password);

    const host = await socketFolder(folder);
    const admin = { host, port: PORT, user: ADMIN, password, database: 'postgres' };
    const connection = {
      ...admin,
      user: OWNER,
      password: await folder.secret('postgres-loci', randomPassword),
      database: OWNER,
    };
    const child = await server.spawn(host);
    try {
      await untilReady(child, server, connection, admin);
    } catch (error) {
      if (!hasEnded(child)) await server.stop();
      throw error;
    }
    return new EmbeddedPostgres(server, connection, admin, child);
  }

  /** Ends every session and returns once no process of the server is left. Call it when the last query is answered. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** A server that ends without having been told is started again: what was committed is there, and pools reconnect. */
  #watch(): void {
    this.#child.once('exit', () => {
      if (this.#stopping === null) this.#reviving = this.#revive();
    });
  }

  async #revive(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; this.#stopping === null; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        await this.#server.stopLeftBehind();
        this.#child = await this.#server.spawn(this.connection.host);
        await untilReady(this.#child, this.#server, this.connection, this.admin);
        this.#watch();
        return;
      } catch {
        // What it said is in its log; `/health` says that it is away.
        await new Promise((resume) => setTimeout(resume, pause).unref());
      }
    }
  }

  async #stop(): Promise<void> {
    await this.#reviving;
    // While it runs it keeps nobody's process alive; whoever stops it waits for its end.
    this.#child.ref();
    const ended = hasEnded(this.#child) ? null : once(this.#child, 'exit');
    await this.#server.stop();
    await ended;
    await rm(this.connection.host, { recursive: true, force: true });
  }
}

/** Made aside and moved into place: a half-made database is never taken for one. */
async function initialize(
  folder: DataFolder,
  server: PostgresProcess,
  data: string,
  major: string,
  password: string,
): Promise<void> {
  const made = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => null);
  if (made?.trim() === major) return;
  if (made !== null) {
    throw new PostgresCannotRun(
      `${data} was made by PostgreSQL ${made.trim()}, and this is ${major}: export with the old release of Loci, import with this one.`,
    );
  }
  const draft = `${data}.new`;
  const passwordFile = join(folder.runtime, '.initdb-password');
  await Promise.all([draft, passwordFile].map((path) => rm(path, { recursive: true, force: true })));
  try {
    await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' });
    await giveTo(folder, passwordFile);
    // The builtin locale sorts and folds the same on every machine, whatever its libraries.
    const locale = ['--locale=C', '--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--auth=scram-sha-256', `--username=${ADMIN}`, `--pwfile=${passwordFile}`];
    await server.program('initdb', ['-D', draft, '--no-instructions', ...locale, ...access]);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, data);
  await syncFolder(folder.pg);
}

/** `pg/socket`; where that path is too long for a socket, a private folder with a short one, to which it links. */
async function socketFolder(folder: DataFolder): Promise<string> {
  const path = join(folder.pg, 'socket');
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_FOLDER) {
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { mode: 0o700 });
    await giveTo(folder, path);
    return path;
  }
  const earlier = await readlink(path).catch(() => null);
  const owner = folder.databaseUser?.uid ?? process.geteuid?.();
  if (earlier && (await lstat(earlier).catch(() => null))?.uid === owner)
    await rm(earlier, { recursive: true, force: true });
  await rm(path, { recursive: true, force: true });
  const short = await mkdtemp(
    join(tmpdir().length <= LONGEST_SOCKET_FOLDER / 2 ? tmpdir() : '/tmp', 'loci-'),
  );
  await giveTo(folder, short);
  await symlink(short, path);
  return short;
}

async function giveTo({ databaseUser }: DataFolder, path: string): Promise<void> {
  if (databaseUser) await lchown(path, databaseUser.uid, databaseUser.gid);
}

/** Connects as `loci`; where that role or its database is missing, makes them and tries again. */
async function untilReady(
  child: ChildProcess,
  server: PostgresProcess,
  connection: DatabaseConnection,
  admin: DatabaseConnection,
): Promise<void> {
  const deadline = Date.now() + READY_MS;
  let made = false;
  for (let answer = await ask(connection); answer !== 'ready'; answer = await ask(connection)) {
    if (answer === 'unknown role or database' && !made) {
      await makeRoleAndDatabase(connection, admin);
      made = true;
    } else if (hasEnded(child)) {
      throw new PostgresCannotRun(`PostgreSQL ended while starting: ${await server.logTail()}`);
    } else if (Date.now() > deadline) {
      throw new PostgresCannotRun(
        `PostgreSQL does not answer after ${READY_MS / 1000} s: ${await server.logTail()}`,
      );
    } else await new Promise((resume) => setTimeout(resume, 10));
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

type Answer = 'ready' | 'not yet' | 'unknown role or database';

/** Still starting, no socket yet, nobody listening on a socket that was left behind. */
const NOT_YET = new Set(['57P03', 'ENOENT', 'ECONNREFUSED']);
/** Wrong password or role; no such database. */
const UNKNOWN = new Set(['28P01', '28000', '3D000']);

async function ask(connection: DatabaseConnection): Promise<Answer> {
  const client = new Client(connection);
  // A server that goes away under an open connection is told here too, and unheard would end our process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return 'ready';
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== undefined && UNKNOWN.has(code)) return 'unknown role or database';
    if (code !== undefined && NOT_YET.has(code)) return 'not yet';
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Each step passes over what an earlier start, cut off in between, has done. */
async function makeRoleAndDatabase(connection: DatabaseConnection, admin: DatabaseConnection): Promise<void> {
  const client = new Client(admin);
  client.on('error', () => undefined);
  await client.connect();
  try {
    const role = client.escapeIdentifier(connection.user);
    const database = client.escapeIdentifier(connection.database);
    const roles = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [connection.user]);
    const rights = 'LOGIN NOSUPERUSER CREATEROLE NOCREATEDB NOBYPASSRLS NOREPLICATION';
    await client.query(
      `${roles.rowCount ? 'ALTER' : 'CREATE'} ROLE ${role} ${rights} PASSWORD ${client.escapeLiteral(connection.password)}`,
    );
    const databases = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [
      connection.database,
    ]);
    if (!databases.rowCount) await client.query(`CREATE DATABASE ${database} OWNER ${role}`);
    await client.query(`REVOKE ALL ON DATABASE ${database}, postgres FROM PUBLIC`);
  } finally {
    await client.end();
  }
}

function randomPassword(): string {
  return randomBytes(24).toString('base64url');
}
