import { Client, type ClientConfig, type Pool, type PoolClient, type QueryResultRow } from 'pg';
import { DataSource, type EntityManager, type EntityTarget, type ObjectLiteral } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { typeOrmConnection } from './migrations.js';
import { ANSWERED_WITHIN_MS, PreparedStatements } from './prepared-statements.js';
import { sendTogether } from './send-together.js';
import { SoundConnections } from './sound-connections.js';

/** The roles of `roles.ts`; each transaction takes one, and none owns a table. */
export type DatabaseRole = 'loci_tenant' | 'loci_system' | 'loci_retention';

/** How many connections each pool holds at the most, and how patient it is, in milliseconds. */
export interface PoolLimits {
  tenants: number;
  system: number;
  /** For a connection: one that becomes free, or a new one. Default 5,000. */
  connectMs?: number;
  /** For a statement: those that take longer are a fault, and PostgreSQL ends them itself. Default 30,000. */
  statementMs?: number;
}

/**
 * A server that does not even end a statement in time is silent. Its connection is then closed, with everything that was
 * sent over it: nobody ever hears an answer that was another's.
 */
const SILENT_MS = 3_000;
/**
 * A transaction whose client has fallen silent keeps its tenant's row locked for so long. Ours have nothing slow
 * inside: between two statements of one lies the work of some milliseconds.
 */
const IDLE_IN_TRANSACTION_MS = ANSWERED_WITHIN_MS;
/** Shorter, so that sessions of the same dead line do not wait for that lock only to keep it in turn. */
const LOCKED_MS = ANSWERED_WITHIN_MS - 1_000;

/**
 * Two pools on one PostgreSQL: one for tenants' transactions, one for the few things that look across tenants, so that
 * neither can starve the other. Outside a transaction that has taken a role, a connection may read and write nothing.
 */
export class Database {
  private readonly tenantClients: SoundConnections;
  private readonly systemClients: SoundConnections;

  private constructor(
    private readonly tenants: DataSource,
    private readonly system: DataSource,
    readonly connection: ClientConfig,
    readonly statements: PreparedStatements,
  ) {
    this.tenantClients = new SoundConnections(poolOf(tenants));
    this.systemClients = new SoundConnections(poolOf(system));
  }

  static async open(
    connection: ClientConfig,
    entities: EntityTarget<ObjectLiteral>[],
    { tenants: most, system: few, connectMs = 5_000, statementMs = 30_000 }: PoolLimits,
  ): Promise<Database> {
    const source = (name: string, size: number) =>
      new DataSource({
        type: 'postgres',
        ...typeOrmConnection(connection),
        entities: entities as never[],
        poolSize: size,
        applicationName: `loci-${name}`,
        connectTimeoutMS: connectMs,
        extra: {
          statement_timeout: statementMs,
          query_timeout: statementMs + SILENT_MS,
          lock_timeout: Math.min(LOCKED_MS, statementMs),
          idle_in_transaction_session_timeout: Math.min(IDLE_IN_TRANSACTION_MS, statementMs),
          idleTimeoutMillis: 60_000,
          keepAlive: true,
          // A transaction's opening and its first statement travel together.
          pipeline: true,
        },
      });
    const tenants = source('tenants', most);
    const system = source('system', few);
    await tenants.initialize();
    await system.initialize();
    const answeredWithinMs = Math.min(ANSWERED_WITHIN_MS, statementMs + SILENT_MS);
    const statements = new PreparedStatements(await isDirect(poolOf(tenants)), answeredWithinMs);
    return new Database(tenants, system, connection, statements);
  }

  /** TypeORM's manager inside a transaction that may look across tenants, on the tables its policies name. */
  asSystem<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.system.transaction(async (manager) => {
      await manager.query('SET LOCAL ROLE loci_system');
      return work(manager);
    });
  }

  /** Likewise, for reading alone: all of its statements see the ledger as it was at the first. */
  asSystemAtOnce<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.system.transaction('REPEATABLE READ', async (manager) => {
      await manager.query('SET TRANSACTION READ ONLY; SET LOCAL ROLE loci_system');
      return work(manager);
    });
  }

  /** Goes on as another role until the transaction ends. */
  async become(manager: EntityManager, role: DatabaseRole): Promise<void> {
    await manager.query(`SET LOCAL ROLE ${role}`);
  }

  /** One statement that looks across tenants and changes nothing, in one round trip. */
  async readAsSystem<Row extends QueryResultRow>(sql: string, values: unknown[]): Promise<Row[]> {
    const client = await this.systemClients.take();
    sendTogether(client);
    const sent = [
      client.query(this.statements.plain('BEGIN READ ONLY; SET LOCAL ROLE loci_system')),
      client.query<Row>(this.statements.of(sql, values)),
      client.query(this.statements.plain('COMMIT')),
    ] as const;
    const [, answered] = await Promise.allSettled(sent);
    client.release(answered.status === 'rejected');
    if (answered.status === 'rejected') throw answered.reason;
    return answered.value.rows;
  }

  /** A plain connection of the tenants' pool, for the ledger alone: it opens every transaction as its tenant. */
  tenantClient(): Promise<PoolClient> {
    return this.tenantClients.take();
  }

  /** Resolves where PostgreSQL answers. */
  async ping(): Promise<void> {
    const client = await this.systemClients.take();
    await client.query(this.statements.plain('SELECT 1')).finally(() => client.release());
  }

  /** How many of this database's sessions, of the same login, are in a transaction that began before this time. */
  async transactionsSince(time: Date): Promise<number> {
    const { rows } = await poolOf(this.system).query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity
       WHERE datname = current_database() AND usename = session_user AND pid <> pg_backend_pid() AND xact_start <= $1`,
      [time],
    );
    return rows[0]?.n ?? 0;
  }

  /**
   * Does `work` unless somebody does something under the same name, here or in another process; then null, at once.
   * Held by a connection of its own: `work` needs the pool's, and would wait for them in a circle.
   */
  async exclusively<T>(name: string, work: () => Promise<T>): Promise<T | null> {
    const holder = new Client({ ...this.connection, application_name: 'loci-exclusive', keepAlive: true });
    holder.on('error', () => undefined);
    await holder.connect();
    try {
      const lock = 'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS held';
      const { rows } = await holder.query<{ held: boolean }>(lock, [name]);
      return rows[0]?.held === true ? await work() : null;
    } finally {
      // A session that ends gives back its locks, whatever state it is in.
      await holder.end().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.tenants.destroy(), this.system.destroy()]);
  }
}

/** A pooler tells every client a process id of its own making; PostgreSQL tells the session's. */
async function isDirect(pool: Pool): Promise<boolean> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return rows[0]?.pid === (client as PoolClient & { processID?: unknown }).processID;
  } finally {
    client.release();
  }
}

function poolOf(source: DataSource): Pool {
  return (source.driver as PostgresDriver).master as Pool;
}
