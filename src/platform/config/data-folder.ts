import { execFile } from 'node:child_process';
import {
  chmod,
  lchown,
  link,
  mkdir,
  open,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import type { SystemUser } from '../database/postgres-user.js';

/** The data folder cannot be used. `message` is one line and says what to do about it. */
export class DataFolderRefused extends Error {
  constructor(message: string, options?: { cause: unknown }) {
    super(`LOCI_DATA_DIR: ${message}`, options);
    this.name = 'DataFolderRefused';
  }
}

export interface DataFolderOptions {
  /** Absolute, or relative to the working directory. Null: `./.loci`, or `/var/lib/loci` where that cannot serve. */
  path: string | null;
  /** Who runs the embedded database, where that is not ourselves (`postgresUser()`). */
  databaseUser: SystemUser | null;
}

const DEFAULT = '.loci';
const DEFAULT_FOR_ROOT = '/var/lib/loci';
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Where everything embedded lies. Held by one process at a time, and writable by nobody else.
 *
 * `pg/` the database (its user's own), `spaces/` one file for each tenant, `keys/` secrets (0700),
 * `models/`, `runtime/` PostgreSQL's programs.
 */
export class DataFolder {
  readonly pg: string;
  readonly spaces: string;
  readonly keys: string;
  readonly models: string;
  readonly runtime: string;
  readonly databaseUser: SystemUser | null;
  readonly #lock: Database.Database;
  readonly #secrets = new Map<string, Promise<string>>();

  private constructor(
    readonly path: string,
    databaseUser: SystemUser | null,
    lock: Database.Database,
  ) {
    this.databaseUser = databaseUser;
    this.#lock = lock;
    this.pg = join(path, 'pg');
    this.spaces = join(path, 'spaces');
    this.keys = join(path, 'keys');
    this.models = join(path, 'models');
    this.runtime = join(path, 'runtime');
  }

  /** Makes what is missing, takes the lock. Rejects with `DataFolderRefused`. */
  static async open(options: DataFolderOptions): Promise<DataFolder> {
    const wanted = await chooseDataFolder(options);
    try {
      const path = await make(wanted, options.databaseUser);
      const folder = new DataFolder(path, options.databaseUser, await takeLock(path));
      await folder.#makeSubfolders();
      return folder;
    } catch (error) {
      if (error instanceof DataFolderRefused) throw error;
      throw new DataFolderRefused(`${wanted} cannot be used: ${reason(error)}.`, { cause: error });
    }
  }

  /**
   * What `keys/<name>` holds; where there is no such file, what `make` returns, kept from then on.
   * Written and synced before it is returned, so that nothing is ever encrypted under a key that a crash takes away.
   */
  secret(name: string, makeSecret: () => string): Promise<string> {
    let secret = this.#secrets.get(name);
    if (!secret) {
      secret = readOrCreate(join(this.keys, name), makeSecret);
      this.#secrets.set(name, secret);
      secret.catch(() => this.#secrets.delete(name));
    }
    return secret;
  }

  /** What `keys/<name>` holds; null where there is no such file. */
  async knownSecret(name: string): Promise<string | null> {
    const kept = await readFile(join(this.keys, name), 'utf8').catch(passOver('ENOENT', null));
    return kept?.trim() ?? null;
  }

  /** Puts the secret `from` in the place of `to`, which is gone once this returns, whatever happens to the power. */
  async replaceSecret(from: string, to: string): Promise<void> {
    await rename(join(this.keys, from), join(this.keys, to));
    await syncFolder(this.keys);
    this.#secrets.delete(from);
    this.#secrets.delete(to);
  }

  /** Lets another process open the folder. Whatever uses it must have ended. */
  close(): void {
    this.#lock.close();
  }

  async #makeSubfolders(): Promise<void> {
    const user = this.databaseUser;
    await Promise.all([this.spaces, this.keys, this.models].map((path) => makePrivate(path)));
    await makePrivate(this.pg);
    if (user) await lchown(this.pg, user.uid, user.gid);
    await makePrivate(this.runtime);
    if (user) await chmod(this.runtime, 0o755);
  }
}

/**
 * Where the data folder will be; nothing is made yet. The database's user has to enter every folder above it.
 * Rejects with `DataFolderRefused`.
 */
export async function chooseDataFolder({ path, databaseUser }: DataFolderOptions): Promise<string> {
  const wanted = resolve(path ?? DEFAULT);
  const closed = databaseUser && (await firstClosed(wanted, databaseUser));
  if (!closed) return wanted;
  if (path === null && !(await firstClosed(DEFAULT_FOR_ROOT, databaseUser))) return DEFAULT_FOR_ROOT;
  throw new DataFolderRefused(
    `the database's user "${databaseUser.name}" cannot enter ${closed}, which is above ${wanted}. Choose another folder, such as ${DEFAULT_FOR_ROOT}.`,
  );
}

/** The outermost folder above `path` that exists and that `user` cannot enter. Asked as that user, so that ACLs count. */
function firstClosed(path: string, user: SystemUser): Promise<string | null> {
  const above: string[] = [];
  for (let folder = dirname(path); !above.includes(folder); folder = dirname(folder)) above.unshift(folder);
  const script = 'for d; do [ ! -d "$d" ] || cd -- "$d" 2>/dev/null || { printf %s "$d"; exit 0; }; done';
  return new Promise((done, fail) => {
    execFile(
      '/bin/sh',
      ['-c', script, 'sh', ...above],
      { uid: user.uid, gid: user.gid, cwd: '/' },
      (error, stdout) => {
        if (error)
          fail(
            new DataFolderRefused(`cannot act as user "${user.name}": ${reason(error)}.`, { cause: error }),
          );
        else done(stdout === '' ? null : stdout);
      },
    );
  });
}

async function make(wanted: string, databaseUser: SystemUser | null): Promise<string> {
  // What we make above the folder must not shut the database's user out, whatever the umask.
  const first = await mkdir(dirname(wanted), { recursive: true });
  if (first && databaseUser) {
    for (let above = dirname(wanted); above.length >= first.length; above = dirname(above))
      await chmod(above, 0o755);
  }
  const made = await mkdir(wanted, { mode: 0o700 }).then(() => true, passOver('EEXIST', false));
  if (made) await chmod(wanted, 0o700);

  const path = await realpath(wanted);
  const found = await stat(path);
  if (!found.isDirectory()) throw new DataFolderRefused(`${path} is not a folder.`);
  if (found.uid !== process.geteuid?.()) {
    throw new DataFolderRefused(
      `${path} belongs to another user (uid ${found.uid}). Run Loci as that user, or choose another folder.`,
    );
  }
  if (found.mode & WRITABLE_BY_OTHERS) {
    throw new DataFolderRefused(`${path} can be written by other users. Run: chmod go-w '${path}'`);
  }
  // Enter, not list: what lies below keeps its own, stricter modes.
  const mode = databaseUser ? 0o711 : found.mode & 0o777;
  if ((found.mode & mode) !== mode) await chmod(path, (found.mode & 0o777) | mode);
  return path;
}

/**
 * SQLite's exclusive lock is the kernel's: it ends with the process, however that ends, and children do not inherit it.
 * Nobody else may open `lock.db` in this process: closing any descriptor of it would give the lock up.
 */
async function takeLock(path: string): Promise<Database.Database> {
  const file = join(path, 'lock.db');
  await open(file, 'a', 0o600).then((handle) => handle.close());
  const lock = new Database(file, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { code?: unknown }).code !== 'SQLITE_BUSY') throw error;
    const holder = (await readFile(join(path, 'loci.pid'), 'utf8').catch(() => '')).trim();
    throw new DataFolderRefused(`${path} is in use by another Loci${holder && ` (process ${holder})`}.`, {
      cause: error,
    });
  }
  await writeFile(join(path, 'loci.pid'), `${process.pid}\n`, { mode: 0o600 });
  return lock;
}

async function makePrivate(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch(passOver('EEXIST', undefined));
  await chmod(path, 0o700);
}

async function readOrCreate(file: string, makeSecret: () => string): Promise<string> {
  const kept = await readFile(file, 'utf8').catch(passOver('ENOENT', null));
  if (kept !== null) {
    const secret = kept.trim();
    if (secret === '')
      throw new DataFolderRefused(
        `${file} is empty. Restore it: what was encrypted under it is lost otherwise.`,
      );
    return secret;
  }
  const secret = makeSecret();
  const draft = `${file}.new`;
  await rm(draft, { force: true });
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${secret}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // A link, unlike a rename, never replaces a secret that is there already.
  await link(draft, file);
  await rm(draft);
  await syncFolder(dirname(file));
  return secret;
}

/** Makes names that were added to a folder, or taken from it, survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function passOver<T>(code: string, value: T): (error: unknown) => T {
  return (error) => {
    if ((error as { code?: unknown }).code === code) return value;
    throw error;
  };
}

function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1).join('').replace(/\.$/, '');
}
