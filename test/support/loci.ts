import { randomBytes } from 'node:crypto';
import 'reflect-metadata';
import { parseSettings } from '../../src/platform/config/settings.js';
import type { Environment } from '../../src/platform/config/environment.js';
import { openLog } from '../../src/platform/logging/log.js';
import { startServer, type RunningServer } from '../../src/server.js';
import { freshDatabase, type FreshDatabase } from './postgres.js';
import { scratchFolder } from './scratch-folder.js';

export const ADMIN_TOKEN = 'the-admin-token-of-the-tests';

/** What a route answered. */
export interface Reply<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
}

/** Calls routes with one token. */
export class Caller {
  constructor(
    private readonly base: () => string,
    readonly token: string,
  ) {}

  get<Body = Record<string, unknown>>(
    path: string,
    headers: Record<string, string> = {},
  ): Promise<Reply<Body>> {
    return this.call('GET', path, undefined, headers);
  }

  post<Body = Record<string, unknown>>(
    path: string,
    body: unknown = {},
    headers: Record<string, string> = {},
  ): Promise<Reply<Body>> {
    return this.call('POST', path, body, headers);
  }

  patch<Body = Record<string, unknown>>(path: string, body: unknown): Promise<Reply<Body>> {
    return this.call('PATCH', path, body);
  }

  delete<Body = Record<string, unknown>>(path: string): Promise<Reply<Body>> {
    return this.call('DELETE', path);
  }

  async call<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply<Body>> {
    const response = await fetch(this.base() + path, {
      method,
      headers: {
        Authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? null : isText(response) ? text : JSON.parse(text)) as Body,
    };
  }
}

/** Events are told as text. */
function isText(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/event-stream') === true;
}

/** A tenant that was provisioned for a test, and its key. */
export interface TestTenant extends Caller {
  readonly slug: string;
  readonly id: string;
  readonly workspaceId: string;
}

/** A whole server in this process: its own database, its own data folder, the real embedded model. */
export class Loci {
  private tenants = 0;

  private constructor(
    readonly database: FreshDatabase,
    private readonly env: Environment,
    private running: RunningServer,
    private readonly dispose: () => Promise<void>,
  ) {}

  /** `given`: a database that is the caller's to drop. */
  static async start(env: Environment = {}, given?: FreshDatabase): Promise<Loci> {
    const database = given ?? (await freshDatabase());
    const folder = await scratchFolder();
    const whole: Environment = {
      NODE_ENV: 'test',
      LOG_LEVEL: 'fatal',
      PORT: '0',
      LOCI_DATA_DIR: `${folder.path}/data`,
      DATABASE_URL: urlOf(database),
      LOCI_MASTER_KEY: randomBytes(32).toString('base64'),
      ADMIN_API_TOKEN: ADMIN_TOKEN,
      // What it adds, and when, is its own suites' matter: others count what they stored themselves.
      LOCI_ENRICHMENT: 'false',
      ...env,
    };
    const dispose = async () => {
      if (given === undefined) await database.drop();
      await folder.remove();
    };
    const running = await serve(whole).catch(async (error: unknown) => {
      await dispose();
      throw error;
    });
    return new Loci(database, whole, running, dispose);
  }

  get url(): string {
    return this.running.url;
  }

  get server(): RunningServer {
    return this.running;
  }

  get databaseUrl(): string {
    return urlOf(this.database);
  }

  get dataFolder(): string {
    return this.running.stores.folder.path;
  }

  readonly operator = new Caller(() => this.url, ADMIN_TOKEN);

  as(token: string): Caller {
    return new Caller(() => this.url, token);
  }

  /** A new tenant with a slug of its own. */
  async tenant(order: Record<string, unknown> = {}): Promise<TestTenant> {
    const slug = `t${++this.tenants}-${randomBytes(3).toString('hex')}`;
    const { status, body } = await this.operator.post<{
      id: string;
      tenant_id: string;
      workspace_id: string;
      api_key: { key: string };
    }>('/admin/tenants', { tenant_id: slug, ...order });
    if (status !== 201) throw new Error(`No tenant could be made: ${status} ${JSON.stringify(body)}`);
    const caller = this.as(body.api_key.key);
    return Object.assign(caller, { slug: body.tenant_id, id: body.id, workspaceId: body.workspace_id });
  }

  /** Stops cleanly and starts again on the same stores. `between` runs while nothing does. */
  async restart(between?: () => Promise<void>, env: Environment = {}): Promise<void> {
    await this.running.stop();
    await between?.();
    this.running = await serve({ ...this.env, ...env });
  }

  async stop(): Promise<void> {
    await this.running.stop();
    await this.dispose();
  }
}

function serve(env: Environment): Promise<RunningServer> {
  const settings = parseSettings(env);
  return startServer(settings, openLog(settings));
}

export function urlOf({ host, port, user, password, database }: FreshDatabase): string {
  return `postgresql://${user}:${encodeURIComponent(password)}@${encodeURIComponent(host)}:${port}/${database}`;
}
