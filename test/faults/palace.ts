import { randomBytes } from 'node:crypto';
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import { DataFolder } from '../../src/platform/config/data-folder.js';
import { EmbeddedPostgres } from '../../src/platform/database/embedded-postgres.js';
import { postgresUser } from '../../src/platform/database/postgres-user.js';
import { ServerProcess } from '../e2e/server-process.js';
import { EmbeddingsEndpoint } from '../models/embeddings-endpoint.js';
import { FalkorDbServerForTests } from '../support/falkordb.js';
import { ADMIN_TOKEN, Caller } from '../support/loci.js';
import { QdrantStandIn } from '../support/qdrant/stand-in.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { TcpProxy } from './tcp-proxy.js';

/** A tenant of a palace, and its key. */
export interface Dweller extends Caller {
  readonly slug: string;
}

/** A server, and the line through which Loci reaches it. */
interface Reached<Server> {
  server: Server;
  line: TcpProxy;
}

/** The servers beside Loci. Qdrant's stand-in lives in this process: what kills it is the cutting of its line. */
export interface Servers {
  postgres: Reached<EmbeddedPostgres>;
  falkordb: Reached<FalkorDbServerForTests>;
  qdrant: Reached<QdrantStandIn> | null;
}

/**
 * A whole Loci as `npm start` runs it, a process of its own, on stores that can be hurt. Its embedding model is an
 * endpoint that costs nothing: the drills are about stores.
 */
export class Palace {
  private readonly closers: (() => Promise<unknown>)[] = [];
  private running: ServerProcess | null = null;
  private tenants = 0;

  private constructor(
    readonly folder: string,
    private readonly env: Record<string, string>,
    private readonly beside: Servers | null,
  ) {}

  /** Nothing but Loci: PostgreSQL and the projections are its own. `prepare`: its data folder, which is not there yet. */
  static embedded(prepare: (data: string) => Promise<void> = () => Promise.resolve()): Promise<Palace> {
    return Palace.build(() => Promise.resolve({ env: {}, servers: null, closers: [] }), prepare);
  }

  /**
   * PostgreSQL and FalkorDB beside it, and Qdrant's stand-in where that is wanted: it is exact and so slow that only
   * drills about it take it. Elsewhere vectors are embedded.
   */
  static onServers({ qdrant = false } = {}): Promise<Palace> {
    return Palace.build(async (folder) => {
      const closers: (() => Promise<unknown>)[] = [];
      const reached = async <Server>(server: Server, at: Parameters<typeof TcpProxy.to>[0]) => {
        const line = await TcpProxy.to(at);
        closers.push(() => line.close());
        return { server, line };
      };
      const { postgres, close } = await startPostgres(join(folder, 'postgres'));
      closers.push(close);
      const { user, password, database, host } = postgres.connection;
      const graphs = await FalkorDbServerForTests.start({ persistent: true });
      closers.push(() => graphs.stop());
      const vectors = qdrant ? await QdrantStandIn.start({ validate: false }) : null;
      if (vectors !== null) closers.push(() => vectors.close());
      const servers: Servers = {
        postgres: await reached(postgres, { path: join(host, '.s.PGSQL.5432') }),
        falkordb: await reached(graphs, { port: graphs.port }),
        qdrant: vectors === null ? null : await reached(vectors, { port: Number(new URL(vectors.url).port) }),
      };
      const { line } = servers.postgres;
      const env = {
        DATABASE_URL: `postgresql://${user}:${password}@127.0.0.1:${line.port}/${database}`,
        FALKORDB_URL: graphs.url.replace(String(graphs.port), String(servers.falkordb.line.port)),
        LOCI_MASTER_KEY: randomBytes(32).toString('base64'),
        ...(servers.qdrant && { QDRANT_URL: `http://127.0.0.1:${servers.qdrant.line.port}` }),
      };
      return { env, servers, closers };
    });
  }

  private static async build(
    make: (folder: string) => Promise<{
      env: Record<string, string>;
      servers: Servers | null;
      closers: (() => Promise<unknown>)[];
    }>,
    prepare: (data: string) => Promise<void> = () => Promise.resolve(),
  ): Promise<Palace> {
    const scratch = await scratchFolder();
    const model = await EmbeddingsEndpoint.start();
    const { env, servers, closers } = await make(scratch.path);
    const data = join(scratch.path, 'data');
    await prepare(data);
    const whole = {
      LOCI_DATA_DIR: data,
      // Faults of its own alone: what it says of stores that are away is no news.
      LOG_LEVEL: 'error',
      OPENAI_BASE_URL: model.baseUrl,
      OPENAI_API_KEY: 'test',
      EMBEDDING_MODEL: 'words',
      ...env,
    };
    const palace = new Palace(scratch.path, whole, servers);
    palace.closers.push(scratch.remove, () => model.stop(), ...closers);
    await palace.serve();
    return palace;
  }

  get servers(): Servers {
    if (this.beside === null) throw new Error('This palace has no servers');
    return this.beside;
  }

  get qdrant(): Reached<QdrantStandIn> {
    const { qdrant } = this.servers;
    if (qdrant === null) throw new Error('This palace has no Qdrant');
    return qdrant;
  }

  get server(): ServerProcess {
    if (this.running === null) throw new Error('Loci does not run');
    return this.running;
  }

  get dataFolder(): string {
    return this.env['LOCI_DATA_DIR'] ?? '';
  }

  /** Reads the ledger as PostgreSQL's superuser: to see what is really there. */
  async ledgerRows<Row extends QueryResultRow>(sql: string): Promise<Row[]> {
    const client = new Client(
      this.beside === null
        ? {
            host: await realpath(join(this.dataFolder, 'pg', 'socket')),
            user: 'loci_admin',
            password: (await readFile(join(this.dataFolder, 'keys', 'postgres-admin'), 'utf8')).trim(),
            database: 'loci',
          }
        : { ...this.beside.postgres.server.admin, database: this.beside.postgres.server.connection.database },
    );
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Starts Loci, which has ended or was killed. Resolves once it answers. */
  async serve(): Promise<void> {
    this.running = await ServerProcess.start({ cwd: this.folder, env: this.env });
  }

  /** As in a power cut. */
  async killLoci(): Promise<void> {
    this.server.kill('SIGKILL');
    await this.server.ended;
  }

  /** Stops Loci in good order, and starts it again; `between` runs while it does not. */
  async restart(between: () => Promise<void>): Promise<void> {
    await this.server.stop();
    await between();
    await this.serve();
  }

  readonly operator = new Caller(() => this.server.url, ADMIN_TOKEN);

  async tenant(): Promise<Dweller> {
    const slug = `dweller-${++this.tenants}`;
    const { status, body } = await this.operator.post<{ api_key: { key: string } }>('/admin/tenants', {
      tenant_id: slug,
      plan_tier: 'enterprise',
    });
    if (status !== 201) throw new Error(`No tenant could be made: ${status} ${JSON.stringify(body)}`);
    return Object.assign(new Caller(() => this.server.url, body.api_key.key), { slug });
  }

  /** When Loci has ended, before its stores are. */
  beforeClose(closer: () => Promise<unknown>): void {
    this.closers.push(closer);
  }

  async close(): Promise<void> {
    await this.running?.stop();
    for (const close of this.closers.reverse()) await close();
  }
}

async function startPostgres(path: string): Promise<{ postgres: EmbeddedPostgres; close(): Promise<void> }> {
  await mkdir(path, { mode: 0o711 });
  const folder = await DataFolder.open({ path: join(path, 'data'), databaseUser: await postgresUser() });
  const postgres = await EmbeddedPostgres.start(folder);
  const close = async () => {
    await postgres.stop();
    folder.close();
  };
  return { postgres, close };
}
