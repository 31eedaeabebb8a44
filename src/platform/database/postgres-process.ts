import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PostgresCannotRun } from './postgres-cannot-run.js';
import type { SystemUser } from './postgres-user.js';

const run = promisify(execFile);

/** A log that has grown beyond this is set aside at the next start: at most two are kept. */
const LOG_LIMIT_BYTES = 2_000_000;
const STOP_SECONDS = 60;
const ORPHANS_GONE_MS = 10_000;

/** For a small database beside a Node process: few helpers, bounded memory, and nothing given up on durability. */
const SETTINGS: Record<string, string> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '100',
  shared_buffers: '128MB',
  huge_pages: 'off',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  min_wal_size: '64MB',
  max_wal_size: '1GB',
  max_wal_senders: '0',
  io_method: 'sync',
  jit: 'off',
  // Tables grow from nothing to many thousands within a minute: the planner is to hear of it soon.
  autovacuum_naptime: '15s',
  max_parallel_workers_per_gather: '0',
  max_logical_replication_workers: '0',
  random_page_cost: '1.1',
  effective_cache_size: '512MB',
  cluster_name: 'loci',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // The client is told of its errors; a log of them would hold what tenants stored.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

/** One database folder (`pgdata`) and the programs that serve it, run as whoever may. */
export class PostgresProcess {
  readonly #options: { bin: string; data: string; log: string; user: SystemUser | null };

  constructor(options: { bin: string; data: string; log: string; user: SystemUser | null }) {
    this.#options = options;
  }

  /** Runs one of PostgreSQL's programs to its end. Rejects with what it said. */
  async program(name: 'initdb' | 'pg_ctl', args: string[]): Promise<void> {
    try {
      await run(join(this.#options.bin, name), args, this.#identity());
    } catch (error) {
      const said = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
      throw new PostgresCannotRun(`PostgreSQL's ${name} failed: ${said.replace(/\s*\n\s*/g, ' | ')}`, {
        cause: error,
      });
    }
  }

  /**
   * A group of its own: Ctrl-C in the terminal is meant for us, who stop the database when its last user is done.
   * It outlives us where we are killed; the next start finds it.
   */
  async spawn(socketFolder: string): Promise<ChildProcess> {
    const { bin, data, log } = this.#options;
    const settings = Object.entries({ ...SETTINGS, unix_socket_directories: socketFolder });
    if ((await sizeOf(log)) > LOG_LIMIT_BYTES) await rename(log, `${log}.old`);
    const output = await open(log, 'a', 0o600);
    try {
      const child = spawn(
        join(bin, 'postgres'),
        ['-D', data, ...settings.flatMap(([key, value]) => ['-c', `${key}=${value}`])],
        {
          ...this.#identity(),
          detached: true,
          stdio: ['ignore', output.fd, output.fd],
        },
      );
      await new Promise<void>((started, failed) => {
        child.once('spawn', started);
        child.once('error', failed);
      });
      child.unref();
      return child;
    } finally {
      await output.close();
    }
  }

  /** Ends sessions, writes a checkpoint, and returns once the server is gone. */
  async stop(): Promise<void> {
    const { data } = this.#options;
    const stop = ['stop', '-s', '-w', '-D', data, '-t', String(STOP_SECONDS)];
    await this.program('pg_ctl', [...stop, '-m', 'fast']).catch(async (error: unknown) => {
      if ((await this.serverId()) === null) return;
      // Loses nothing that was committed; the next start replays the log.
      await this.program('pg_ctl', [...stop, '-m', 'immediate']).catch(() => {
        throw error;
      });
    });
  }

  /**
   * Stops a server that a killed process left behind. The caller holds the data folder's lock.
   *
   * The number in `postmaster.pid` may by now be another program's, and pg_ctl would signal that one. So a process
   * counts as this database's only if it works in its folder, as every process of PostgreSQL does.
   */
  async stopLeftBehind(): Promise<boolean> {
    const { data } = this.#options;
    const pid = await this.serverId();
    let found = await this.#processes(pid);
    if (pid !== null && found.includes(pid)) {
      await this.stop();
      return true;
    }
    // Sessions whose server was killed notice by themselves; a new server must not start beside them.
    for (
      const deadline = Date.now() + ORPHANS_GONE_MS;
      found.length > 0;
      found = await this.#processes(pid)
    ) {
      if (Date.now() > deadline)
        throw new PostgresCannotRun(
          `PostgreSQL's processes ${found.join(', ')} still work in ${data} without their server.`,
        );
      await new Promise((resume) => setTimeout(resume, 20));
    }
    if (pid !== null && isAlive(pid)) await rm(join(data, 'postmaster.pid'), { force: true });
    return false;
  }

  /** The last lines of the log, as one. */
  async logTail(): Promise<string> {
    const text = await readFile(this.#options.log, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-5).join(' | ');
  }

  /** What `postmaster.pid` says; null where there is none. */
  async serverId(): Promise<number | null> {
    const text = await readFile(join(this.#options.data, 'postmaster.pid'), 'utf8').catch(() => null);
    const pid = Number(text?.split('\n', 1)[0]);
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  }

  /**
   * Processes that work in the database's folder. Asked as their own user: root in a container may not look.
   * Where there is no /proc, `candidate` alone is asked about: does its command name the folder?
   */
  async #processes(candidate: number | null): Promise<number[]> {
    const { data } = this.#options;
    if (process.platform === 'linux') {
      const { stdout } = await run('/bin/sh', ['-c', WORKING_IN, 'sh', data], this.#identity());
      return stdout.split('\n').filter(Boolean).map(Number);
    }
    if (candidate === null) return [];
    const command = await run('ps', ['-o', 'command=', '-p', String(candidate)]).catch(() => null);
    return command?.stdout.includes(data) ? [candidate] : [];
  }

  /** Nothing of our environment: PGDATA, PGPORT, LD_LIBRARY_PATH and the like would change what is started. */
  #identity() {
    const { user } = this.#options;
    return {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      ...(user && { uid: user.uid, gid: user.gid }),
    };
  }
}

const WORKING_IN = 'for p in /proc/[0-9]*; do [ ! "$p/cwd" -ef "$1" ] || printf "%s\\n" "${p#/proc/}"; done';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM';
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
