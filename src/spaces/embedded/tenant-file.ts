import Sqlite, { type Database, type Statement } from 'better-sqlite3';
import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { APPLICATION_ID, createFileTables, FILE_VERSION } from './file-schema.js';

/** The log is moved into the file once it is this long: 4 MB, as SQLite itself would. */
const LOG_BYTES = 4 * 1024 * 1024;
/** Enough for a large batch; most files are smaller and take what they are. */
const CACHE_KIB = 1_000;

/** What is in the file cannot be: it is discarded, and the ledger builds it again. */
export class FileCorrupt extends Error {}

type Sql = Statement<unknown[]>;

/**
 * One tenant's open file.
 *
 * Write-ahead log, `synchronous=NORMAL`: a commit waits for no disk, and what a power cut leaves is an older state,
 * whole, whose watermark says how old. `OFF` would save two fsyncs in 4 MB of log and could leave pages of two
 * states in one file without a trace.
 *
 * The log is moved into the file by this class alone, never by SQLite on its own, for two reasons: the file's time
 * and size then change only when we do it, so a copy written over the open file is noticed; and each checkpoint is
 * numbered, in the file before and in every write after, so a log that belongs to another copy of the file
 * (an old copy put back after a crash) is noticed where SQLite would mix the two.
 */
export class TenantFile {
  private readonly statements = new Map<string, Sql>();
  private identity: string;
  private version: unknown;

  private constructor(
    readonly path: string,
    readonly db: Database,
  ) {
    this.identity = identityOf(path) ?? '';
    this.version = this.dataVersion();
  }

  /** Null where there is no file. Throws where what is there is no healthy file of ours. */
  static open(path: string): TenantFile | null {
    if (identityOf(path) === null) return null;
    const db = new Sqlite(path, { fileMustExist: true });
    try {
      if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) throw new FileCorrupt('not ours');
      if (db.pragma('user_version', { simple: true }) !== FILE_VERSION)
        throw new FileCorrupt('another version');
      configure(db);
      checkLogBelongs(db);
      return new TenantFile(path, db);
    } catch (error) {
      // Removed before it is closed: closing would move a log that may be another file's into it.
      if (isCorruption(error)) removeFile(path);
      db.close();
      throw error;
    }
  }

  static create(path: string): TenantFile {
    removeFile(path);
    // Who deletes all files at once deletes their folder.
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'wx', 0o600));
    const db = new Sqlite(path);
    try {
      db.pragma('journal_mode = WAL');
      configure(db);
      db.transaction(() => createFileTables(db, randomInt(2 ** 40)))();
      db.pragma('wal_checkpoint(TRUNCATE)');
      return new TenantFile(path, db);
    } catch (error) {
      removeFile(path);
      db.close();
      throw error;
    }
  }

  isUntouched(): boolean {
    return this.state() === 'same';
  }

  /** `changed`: another file lies under the path, or none. `torn`: this very file was written by somebody else. */
  private state(): 'same' | 'changed' | 'torn' {
    const found = identityOf(this.path);
    if (found === this.identity) return 'same';
    return found !== null && inodeOf(found) === inodeOf(this.identity) ? 'torn' : 'changed';
  }

  /** Whether another connection has committed since the last call: what was kept in memory is then stale. */
  changedElsewhere(): boolean {
    const version = this.dataVersion();
    const changed = version !== this.version;
    this.version = version;
    return changed;
  }

  sql(text: string): Sql {
    let statement = this.statements.get(text);
    if (statement === undefined) {
      statement = this.db.prepare<unknown[]>(text);
      this.statements.set(text, statement);
    }
    return statement;
  }

  /** One transaction, all or nothing. */
  write<T>(change: () => T): T {
    const result = this.db
      .transaction(() => {
        const done = change();
        this.sql('UPDATE last_write SET based_on = (SELECT number FROM checkpoints)').run();
        return done;
      })
      .immediate();
    if (sizeOf(`${this.path}-wal`) > LOG_BYTES) this.checkpoint();
    return result;
  }

  /** Null: no projection of this file has met the workspace. */
  workspaceNumber(workspace: WorkspaceId): number | null {
    const found = this.sql('SELECT number FROM workspaces WHERE workspace = ?').pluck().get(workspace);
    return typeof found === 'number' ? found : null;
  }

  newWorkspaceNumber(workspace: WorkspaceId): number {
    const known = this.workspaceNumber(workspace);
    if (known !== null) return known;
    return Number(this.sql('INSERT INTO workspaces (workspace) VALUES (?)').run(workspace).lastInsertRowid);
  }

  /** The log is moved into the file, unless the file is not what it was: then it would make a mix of two. */
  close(): void {
    const state = this.state();
    if (state === 'torn') removeFile(this.path);
    this.db.close();
    if (state === 'changed') removeLog(this.path);
  }

  private checkpoint(): void {
    this.sql('UPDATE checkpoints SET number = number + 1').run();
    this.db.pragma('wal_checkpoint(TRUNCATE)');
    this.identity = identityOf(this.path) ?? '';
  }

  private dataVersion(): unknown {
    return this.sql('PRAGMA data_version').pluck().get();
  }
}

/** The main file first: a log without one is removed by whoever makes the next. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
  removeLog(path);
}

export function removeLog(path: string): void {
  for (const end of ['-wal', '-shm', '-journal']) rmSync(`${path}${end}`, { force: true });
}

export function fileSize(path: string): number {
  return sizeOf(path) + sizeOf(`${path}-wal`);
}

export function isCorruption(error: unknown): boolean {
  if (error instanceof FileCorrupt) return true;
  const code = error instanceof Sqlite.SqliteError ? error.code : '';
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB' || code === 'SQLITE_IOERR_SHORT_READ';
}

function configure(db: Database): void {
  db.pragma('synchronous = NORMAL');
  db.pragma('wal_autocheckpoint = 0');
  db.pragma(`cache_size = -${CACHE_KIB}`);
  db.pragma('temp_store = MEMORY');
}

function checkLogBelongs(db: Database): void {
  const at = db.prepare('SELECT number, based_on FROM checkpoints, last_write').raw().get();
  const [number, base] = Array.isArray(at) ? (at as unknown[]) : [];
  // One behind: nothing was written since the last checkpoint.
  if (typeof number !== 'number' || (base !== number && base !== number - 1)) {
    throw new FileCorrupt('the log beside the file belongs to another copy of it');
  }
}

function identityOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino} ${found.mtimeMs}:${found.size}`;
}

function inodeOf(identity: string): string | undefined {
  return identity.split(' ')[0];
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
