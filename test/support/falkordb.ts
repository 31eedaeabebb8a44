import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createClient } from '@redis/client';
import { cannotRun } from './cannot-run.js';

const OPERATOR = 'operator';
/** Those of docker-compose.yml. */
const LIMITS = 'TIMEOUT_MAX 10000 QUERY_MEM_CAPACITY 268435456 RESULTSET_SIZE 10000';
const STARTS_WITHIN_MS = 20_000;

/** Null: everything is there. Otherwise the sentence that says what this machine lacks. */
function whatIsMissing(): string | null {
  const commands = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'valkey-server'));
  if (!commands.some((path) => existsSync(path))) {
    return 'FalkorDB: this machine has no valkey-server (scripts/install-servers.sh installs it).';
  }
  return modulePath() === null ? "FalkorDB: npm has no build of its module for this machine's system." : null;
}

/**
 * Whether FalkorDB runs here. Where it does not, the closing words of `npm test` say so; where servers are promised
 * (LOCI_REQUIRE_SERVERS=1), that is a failure.
 */
export function falkorDbIsThere(): boolean {
  const missing = whatIsMissing();
  if (missing === null) return true;
  if (process.env['LOCI_REQUIRE_SERVERS'] === '1') throw new Error(missing);
  cannotRun(missing);
  return false;
}

/** A suite that needs FalkorDB. */
export function withFalkorDb(name: string, suite: () => void): void {
  if (whatIsMissing() === null) describe(name, suite);
  else it(`${name}: runs wherever servers are promised`, () => expect(falkorDbIsThere()).toBe(false));
}

/** FalkorDB's module from its npm package: SSPL, for tests only, never shipped. */
function modulePath(): string | null {
  try {
    return createRequire(join(process.cwd(), 'package.json')).resolve(
      '@falkordblite/linux-x64/bin/falkordb.so',
    );
  } catch {
    return null;
  }
}

/** A real FalkorDB: valkey with its module, on a free port of the loopback, with a folder of its own. Empty at start. */
export class FalkorDbServerForTests {
  private child: ChildProcess | null = null;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly password: string,
    private readonly persistent: boolean,
  ) {}

  /** `persistent`: keeps an append-only file, from which it can come back. */
  static async start({ persistent = false } = {}): Promise<FalkorDbServerForTests> {
    const folder = await mkdtemp(join(tmpdir(), 'loci-falkordb-'));
    const server = new FalkorDbServerForTests(
      await freePort(),
      folder,
      randomBytes(18).toString('hex'),
      persistent,
    );
    await server.run();
    return server;
  }

  get url(): string {
    return `falkor://${OPERATOR}:${this.password}@127.0.0.1:${this.port}`;
  }

  get dataFolder(): string {
    return this.folder;
  }

  /** Bytes of memory that the server uses. */
  async memory(): Promise<number> {
    return Number(/used_memory:(\d+)/.exec(String(await this.command('INFO', 'memory')))?.[1]);
  }

  /** One command as the operator, on a connection of its own. */
  command(...args: string[]): Promise<unknown> {
    return this.commandAs({ username: OPERATOR, password: this.password }, ...args);
  }

  async commandAs(login: { username: string; password: string }, ...args: string[]): Promise<unknown> {
    const client = createClient({
      ...login,
      socket: { host: '127.0.0.1', port: this.port, reconnectStrategy: false },
      disableClientInfo: true,
      maintNotifications: 'disabled',
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await client.sendCommand(args);
    } finally {
      if (client.isOpen) client.destroy();
    }
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.child?.kill(name);
  }

  /** As in a power cut: nothing is flushed, nobody is told. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === null) return;
    this.child = null;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** After `kill()`: on the same port, with what its folder still holds. The users of tenants are not among it. */
  async run(): Promise<void> {
    const config = join(this.folder, 'valkey.conf');
    await writeFile(config, this.config(), { mode: 0o600 });
    this.child = spawn('valkey-server', [config], { stdio: ['ignore', 'pipe', 'inherit'] });
    await answering(this.child, () => this.command('PING'));
  }

  async stop(): Promise<void> {
    this.signal('SIGCONT');
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private config(): string {
    return [
      `port ${this.port}`,
      'bind 127.0.0.1',
      `dir ${this.folder}`,
      'save ""',
      `appendonly ${this.persistent ? 'yes' : 'no'}`,
      'appendfsync everysec',
      'user default off',
      `user ${OPERATOR} on >${this.password} ~* &* +@all`,
      `loadmodule ${String(modulePath())} ${LIMITS}`,
      '',
    ].join('\n');
  }
}

async function answering(child: ChildProcess, ask: () => Promise<unknown>): Promise<void> {
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000);
  });
  for (const deadline = Date.now() + STARTS_WITHIN_MS; ;) {
    const error = await ask().then(
      () => null,
      (reason: unknown) => (reason instanceof Error ? reason : new Error('no reason given')),
    );
    if (error === null) return;
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`FalkorDB did not start: ${error.message}\n${said}`);
    }
    await new Promise((resume) => setTimeout(resume, 20));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
