import { spawn, type ChildProcess } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ADMIN_TOKEN, Caller } from '../support/loci.js';

const MAIN = join(__dirname, '..', '..', 'dist', 'main.js');

export interface ProcessOptions {
  env?: Record<string, string>;
  /** Where the process stands: a `.env` there would be read. */
  cwd: string;
  user?: { uid: number; gid: number };
}

/** How a process ended, and all that it said. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** The server as `npm start` runs it: a process of its own, from what was built. */
export class ServerProcess {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) =>
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }),
      );
    });
  }

  static spawn({ env = {}, cwd, user }: ProcessOptions): ServerProcess {
    // Nothing of the tests' own environment: a setting in it would change what is tried.
    const child = spawn(process.execPath, [MAIN], {
      cwd,
      env: {
        PATH: process.env['PATH'] ?? '',
        PORT: '0',
        LOG_LEVEL: 'fatal',
        ADMIN_API_TOKEN: ADMIN_TOKEN,
        LOCI_ENRICHMENT: 'false',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    });
    return new ServerProcess(child);
  }

  /** Resolves once it answers. */
  static async start(options: ProcessOptions): Promise<ServerProcess> {
    const server = ServerProcess.spawn(options);
    await server.said(/answers at (\S+)/);
    return server;
  }

  get url(): string {
    const [, url] = /answers at (\S+)/.exec(this.stdout) ?? [];
    if (url === undefined) throw new Error(`It does not answer: ${this.stdout}${this.stderr}`);
    return url;
  }

  as(token: string): Caller {
    return new Caller(() => this.url, token);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(): Promise<Ended> {
    this.kill('SIGTERM');
    return this.ended;
  }

  /** Resolves once its output holds this. */
  said(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(this.stdout)) resolve();
      };
      this.child.stdout?.on('data', look);
      look();
      void this.ended.then(({ code, stdout, stderr }) =>
        reject(new Error(`It ended with ${String(code)}: ${stdout}${stderr}`)),
      );
    });
  }
}

export async function startFailure(options: ProcessOptions): Promise<Ended> {
  return ServerProcess.spawn(options).ended;
}

/** Every process that stands in this folder or names it on its command line. Linux tells; elsewhere null. */
export async function processesOf(folder: string): Promise<string[] | null> {
  if (process.platform !== 'linux') return null;
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const [cwd, command] = await Promise.all([
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
      readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
    ]);
    if (cwd.startsWith(folder) || command.includes(folder))
      found.push(`${pid} ${command.replaceAll('\0', ' ').trim()}`);
  }
  return found;
}

/** The embedded PostgreSQL of a data folder, by its own note; null where none was left. */
export async function postgresPid(data: string): Promise<number | null> {
  const note = await readFile(join(data, 'pg', 'data', 'postmaster.pid'), 'utf8').catch(() => null);
  return note === null ? null : Number(note.split('\n', 1)[0]);
}

/** A process that has ended but whose end nobody has taken note of, as in a container without an init, is not alive. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !/\) Z /.test(stat);
}
