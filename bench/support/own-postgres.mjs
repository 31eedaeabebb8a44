import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { ROOT, scratchFolder } from './server.mjs';

/** A PostgreSQL that the benchmark holds itself, so that it can write to it beside the server. */
export class OwnPostgres {
  #postgres;
  #folder;
  #scratch;

  static async start() {
    const of = (path) => import(pathToFileURL(join(ROOT, 'dist', path)).href);
    const { DataFolder } = await of('platform/config/data-folder.js');
    const { EmbeddedPostgres } = await of('platform/database/embedded-postgres.js');
    const { postgresUser } = await of('platform/database/postgres-user.js');
    const own = new OwnPostgres();
    own.#scratch = scratchFolder();
    try {
      own.#folder = await DataFolder.open({
        path: join(own.#scratch.path, 'data'),
        databaseUser: await postgresUser(),
      });
      own.#postgres = await EmbeddedPostgres.start(own.#folder);
      return own;
    } catch (error) {
      await own.stop();
      throw error;
    }
  }

  /** What a server needs to keep its ledger here. */
  get environment() {
    const { host, port, user, password, database } = this.#postgres.connection;
    const at = `${encodeURIComponent(host)}:${port}`;
    return {
      DATABASE_URL: `postgresql://${user}:${encodeURIComponent(password)}@${at}/${database}`,
      LOCI_MASTER_KEY: randomBytes(32).toString('base64'),
    };
  }

  /**
   * Tables like the ledger's, with its indexes but without policies, and the rows of the newest memories to fill
   * them with. Read as the superuser: no role of the server sees several tenants' rows.
   */
  async plainTables(rows) {
    const admin = new pg.Client({ ...this.#postgres.admin, database: this.#postgres.connection.database });
    await admin.connect();
    try {
      await admin.query(`CREATE SCHEMA plain AUTHORIZATION ${this.#postgres.connection.user}`);
      for (const table of ['memories', 'embeddings']) {
        await admin.query(`CREATE TABLE plain.${table} (LIKE ${table} INCLUDING ALL)`);
        await admin.query(`ALTER TABLE plain.${table} OWNER TO ${this.#postgres.connection.user}`);
      }
      const memories = await admin.query('SELECT * FROM memories ORDER BY created_at DESC LIMIT $1', [rows]);
      const embeddings = await admin.query(
        `SELECT * FROM embeddings WHERE part = 'alone' AND memory_id = ANY($1)`,
        [memories.rows.map(({ id }) => id)],
      );
      const vectors = new Map(embeddings.rows.map((row) => [row.memory_id, row]));
      const pairs = memories.rows.flatMap((memory) => {
        const embedding = vectors.get(memory.id);
        return embedding === undefined ? [] : [{ memory, embedding }];
      });
      return new PlainTables(this.#postgres.connection, pairs);
    } finally {
      await admin.end();
    }
  }

  async stop() {
    await this.#postgres?.stop();
    this.#folder?.close();
    this.#scratch.remove();
  }
}

/** Inserts a memory's two rows by one statement that commits by itself: the least that durable SQL can cost. */
class PlainTables {
  #connection;
  #pairs;
  #next = 0;

  constructor(connection, pairs) {
    this.#connection = connection;
    this.#pairs = pairs;
  }

  /** `writers` connections insert `total` memories between them; inserts a second. */
  async insert(writers, total) {
    const clients = Array.from({ length: writers }, () => new pg.Client(this.#connection));
    await Promise.all(clients.map((client) => client.connect()));
    try {
      await Promise.all(clients.map((client) => this.#one(client)));
      let left = total;
      const startedAt = performance.now();
      await Promise.all(
        clients.map(async (client) => {
          while (left-- > 0) await this.#one(client);
        }),
      );
      return total / ((performance.now() - startedAt) / 1_000);
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  }

  #one(client) {
    const { memory, embedding } = this.#pairs[this.#next++ % this.#pairs.length];
    const id = randomUUID();
    const first = Object.entries({ ...memory, id });
    const second = Object.entries({ ...embedding, memory_id: id });
    const names = (columns) => columns.map(([name]) => `"${name}"`).join(', ');
    const places = (columns, from) => columns.map((_, at) => `$${from + at + 1}`).join(', ');
    return client.query({
      name: 'plain',
      text: `WITH memory AS (INSERT INTO plain.memories (${names(first)}) VALUES (${places(first, 0)}))
             INSERT INTO plain.embeddings (${names(second)}) VALUES (${places(second, first.length)})`,
      values: [...first, ...second].map(([, value]) => value),
    });
  }
}
