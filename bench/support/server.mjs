import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const START_MS = 60_000;
const STOP_MS = 25_000;

/** A folder below the temporary one that the database's user may pass through; removed by `remove`. */
export function scratchFolder() {
  const path = mkdtempSync(join(tmpdir(), 'loci-bench-'));
  chmodSync(path, 0o711);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * Loci as it runs in production, in a process of its own, with a data folder of its own: logs on, into a file.
 * Ends with this process.
 */
export class LociProcess {
  #child = null;
  #ended = null;
  #scratch = scratchFolder();
  #env;
  #nodeOptions;
  #atExit = () => this.#child?.kill('SIGKILL');

  static async start(env = {}, nodeOptions = []) {
    const server = new LociProcess(env, nodeOptions);
    try {
      await server.#serve();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  constructor(env, nodeOptions) {
    this.adminToken = randomBytes(32).toString('base64url');
    this.#env = env;
    this.#nodeOptions = nodeOptions;
    process.once('exit', this.#atExit);
  }

  get pid() {
    return this.#child?.pid;
  }

  get dataFolder() {
    return join(this.#scratch.path, 'data');
  }

  /** A clean stop and a start on the same stores. */
  async restart() {
    await this.#end();
    await this.#serve();
  }

  async stop() {
    await this.#end();
    process.removeListener('exit', this.#atExit);
    this.#scratch.remove();
  }

  /** Of the server's process alone, without PostgreSQL's; megabytes, now and at most. Null where /proc is missing. */
  memory() {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
      const megabytes = (name) =>
        Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024);
      return { rss: megabytes('VmRSS'), peak: megabytes('VmHWM') };
    } catch {
      return null;
    }
  }

  /** Seconds of processor time of the server's process, all threads. Null where /proc is missing. */
  processorSeconds() {
    return processorSeconds(this.pid);
  }

  /** Megabytes on disk below a part of the data folder. */
  disk(part) {
    return Math.round(bytesBelow(join(this.dataFolder, part)) / 2 ** 20);
  }

  async #serve() {
    const log = join(this.#scratch.path, 'server.log');
    rmSync(log, { force: true });
    const output = openSync(log, 'a', 0o600);
    const inherited = Object.entries(process.env).filter(([name]) =>
      /^(?:PATH|HOME|TMPDIR|LANG|USER|LOCI_ENRICHMENT)$/.test(name),
    );
    this.#child = spawn(process.execPath, [...this.#nodeOptions, join(ROOT, 'dist', 'main.js')], {
      cwd: this.#scratch.path,
      stdio: ['ignore', output, output],
      env: {
        ...Object.fromEntries(inherited),
        NODE_ENV: 'production',
        // As `npm start` and the image have it.
        MALLOC_ARENA_MAX: '2',
        PORT: '0',
        LOCI_DATA_DIR: this.dataFolder,
        ADMIN_API_TOKEN: this.adminToken,
        // A benchmark is one caller who asks more in a minute than any tenant should.
        DEFAULT_RATE_LIMIT: '1000000',
        ...this.#env,
      },
    });
    closeSync(output);
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve));
    for (const deadline = Date.now() + START_MS; ; await after(20)) {
      const text = readFileSync(log, 'utf8');
      const url = /^Loci \S+ answers at (\S+)$/m.exec(text)?.[1];
      if (url !== undefined) {
        this.url = url;
        return;
      }
      if (this.#child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`The server did not start:\n${text.slice(-2_000)}`);
      }
    }
  }

  async #end() {
    const child = this.#child;
    if (child === null) return;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const late = after(STOP_MS, 'late', { ref: false });
      if ((await Promise.race([this.#ended, late])) === 'late') child.kill('SIGKILL');
      await this.#ended;
    }
    this.#child = null;
  }
}

export function processorSeconds(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return null;
  }
}

function bytesBelow(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  // What is allocated, not how long it is: files may have holes.
  if (!found.isDirectory()) return found.blocks * 512;
  return readdirSync(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), 0);
}
