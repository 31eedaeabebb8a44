import type { QueryResult, QueryResultRow } from 'pg';
import type { Database } from '../platform/database/database.js';
import { AS_LONG_AS_IT_TAKES } from '../platform/database/prepared-statements.js';
import { isUuid, type TenantId } from '../tenancy/tenant.js';
import { FOLLOWED_TABLES, LEDGER_TABLES, WHOLE_TABLES } from './ledger-tables.js';
import type { ChangeKind } from './ledger-write.js';

/** Whole items in one step: a transaction of some ten milliseconds on either side. */
const BATCH = 500;

interface ChangeRow extends QueryResultRow {
  workspace_id: string;
  kind: ChangeKind;
  id: string;
  revision: string;
  gone: boolean;
  at: Date | null;
}

/** A connection on which a statement may take its time. */
interface Patient {
  query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<QueryResult<Row>>;
}

/** Where something is: in which workspace, under which id. */
interface Places {
  workspaces: string[];
  ids: string[];
}

/**
 * A copy of one tenant's ledger, that follows the ledger as any projection does: its own revision is how far it is, and
 * what is applied is what changed since, tombstones too. Rows travel as they are, sealed, as JSON that PostgreSQL writes
 * on one side and reads on the other, under the tenant's role on both.
 */
export class LedgerCopy {
  private readonly upserts = new Map<string, string>();

  constructor(
    private readonly tenantId: TenantId,
    private readonly from: Database,
    private readonly to: Database,
    /** Which ledger it is a copy of. A copy of another one is begun anew. */
    private readonly source: string,
  ) {
    if (!isUuid(tenantId)) throw new Error('An id that is no UUID reached the ledger');
  }

  /** Up to all that had changed when it began; who goes on writing is not chased for ever. */
  async catchUp(): Promise<void> {
    for (let reached = await this.begin(); ;) {
      const batch = await this.read(reached);
      if (batch.to > reached) await this.apply(reached, batch);
      if (batch.changes.length < BATCH) return;
      reached = batch.to;
    }
  }

  /** What has no revision. Only where nothing is written any more is it the same on both sides afterwards. */
  async takeWhole(): Promise<void> {
    const rows = await this.reading(async (client) => {
      const found = new Map<string, string>();
      for (const table of WHOLE_TABLES) {
        found.set(
          table,
          await jsonOf(client, `SELECT * FROM ${table} WHERE tenant_id = $1`, [this.tenantId]),
        );
      }
      const models = await client.query<{ model: string }>(
        'SELECT DISTINCT model FROM embeddings WHERE tenant_id = $1',
        [this.tenantId],
      );
      return { found, models: models.rows.map(({ model }) => model) };
    });
    await this.writing(async (client) => {
      for (const [table, json] of rows.found) {
        await client.query(`DELETE FROM ${table} WHERE tenant_id = $1`, [this.tenantId]);
        await this.insert(client, table, json);
      }
      // Vectors of a model that was given up go without a change of their memory.
      await client.query(`DELETE FROM embeddings WHERE tenant_id = $1 AND NOT model = ANY($2)`, [
        this.tenantId,
        rows.models,
      ]);
    });
  }

  /** Throws where the two sides differ in any row's key or, in `changes`, revision. */
  async compare(): Promise<void> {
    const [here, there] = await Promise.all([this.digests(this.from), this.digests(this.to)]);
    const different = Object.keys(here).filter((table) => here[table] !== there[table]);
    if (different.length > 0) throw new Error(`The copy differs in ${different.join(', ')}`);
  }

  /** An empty copy, unless there is one of this ledger that can go on. Never where the ledger itself lives. */
  private async begin(): Promise<number> {
    const known = await this.to.asSystem(async (manager) => {
      const [row] = await manager.query<{ revision: string; copy_of: string | null }[]>(
        'SELECT revision, copy_of FROM tenants WHERE id = $1',
        [this.tenantId],
      );
      return row;
    });
    if (known?.copy_of === this.source) return Number(known.revision);
    await this.writing(async (client) => {
      for (const table of LEDGER_TABLES) {
        await client.query(`DELETE FROM ${table} WHERE tenant_id = $1`, [this.tenantId]);
      }
      await client.query('SET LOCAL ROLE loci_system');
      await client.query('UPDATE tenants SET revision = 0, copy_of = $2 WHERE id = $1', [
        this.tenantId,
        this.source,
      ]);
    });
    return 0;
  }

  private async read(
    after: number,
  ): Promise<{ to: number; changes: ChangeRow[]; rows: Map<string, string> }> {
    return this.reading(async (client) => {
      const head = await client.query<{ revision: string }>('SELECT revision FROM tenants WHERE id = $1', [
        this.tenantId,
      ]);
      const { rows: changes } = await client.query<ChangeRow>(
        `SELECT workspace_id, kind, id, revision, gone, at FROM changes
         WHERE tenant_id = $1 AND revision > $2 ORDER BY revision LIMIT $3`,
        [this.tenantId, after, BATCH],
      );
      const rows = new Map<string, string>();
      for (const { name, kind, id } of FOLLOWED_TABLES) {
        const places = placesOf(changes.filter((change) => change.kind === kind && !change.gone));
        // Both ends of a relation, which may have changed since and come again in a later batch.
        const ends = name === 'memories' ? await this.endsOf(client, changes) : { workspaces: [], ids: [] };
        rows.set(
          name,
          await jsonOf(
            client,
            `SELECT t.* FROM ${name} t JOIN (SELECT DISTINCT * FROM unnest($2::uuid[], $3::uuid[]) AS i (w, id)) i
               ON t.workspace_id = i.w AND t.${id} = i.id WHERE t.tenant_id = $1`,
            [this.tenantId, [...places.workspaces, ...ends.workspaces], [...places.ids, ...ends.ids]],
          ),
        );
      }
      const cut = changes.length === BATCH;
      const to = cut ? Number(changes.at(-1)?.revision) : Number(head.rows[0]?.revision ?? after);
      return { to, changes, rows };
    });
  }

  private async endsOf(client: Patient, changes: ChangeRow[]): Promise<Places> {
    const { workspaces, ids } = placesOf(changes.filter(({ kind, gone }) => kind === 'relation' && !gone));
    const { rows } = await client.query<{ workspace_id: string; ends: string[] }>(
      `SELECT r.workspace_id, ARRAY[r.from_id, r.to_id] AS ends FROM relations r
       JOIN unnest($2::uuid[], $3::uuid[]) AS i (w, id) ON r.workspace_id = i.w AND r.id = i.id WHERE r.tenant_id = $1`,
      [this.tenantId, workspaces, ids],
    );
    return placesOf(rows.flatMap(({ workspace_id, ends }) => ends.map((id) => ({ workspace_id, id }))));
  }

  private async apply(
    after: number,
    { to, changes, rows }: { to: number; changes: ChangeRow[]; rows: Map<string, string> },
  ): Promise<void> {
    await this.writing(async (client) => {
      for (const kind of ['relation', 'memory'] as const) {
        const gone = placesOf(changes.filter((change) => change.kind === kind && change.gone));
        const table = kind === 'memory' ? 'memories' : 'relations';
        await client.query(
          `DELETE FROM ${table} t USING unnest($2::uuid[], $3::uuid[]) AS i (w, id)
           WHERE t.tenant_id = $1 AND t.workspace_id = i.w AND t.id = i.id`,
          [this.tenantId, gone.workspaces, gone.ids],
        );
      }
      const changed = placesOf(changes.filter(({ kind }) => kind === 'memory'));
      // What was replaced by none, because its text changed, leaves no row to say so.
      for (const table of ['embeddings', 'mentions']) {
        await client.query(
          `DELETE FROM ${table} t USING unnest($2::uuid[], $3::uuid[]) AS i (w, id)
           WHERE t.tenant_id = $1 AND t.workspace_id = i.w AND t.memory_id = i.id`,
          [this.tenantId, changed.workspaces, changed.ids],
        );
      }
      for (const [table, json] of rows) await this.insert(client, table, json);
      await this.insert(
        client,
        'changes',
        JSON.stringify(changes.map((change) => ({ tenant_id: this.tenantId, ...change }))),
      );
      await client.query('SET LOCAL ROLE loci_system');
      const { rowCount } = await client.query(
        'UPDATE tenants SET revision = $3 WHERE id = $1 AND revision = $2 AND copy_of = $4',
        [this.tenantId, after, to, this.source],
      );
      if (rowCount !== 1) throw new Error('Somebody else is copying this ledger, or it is gone');
    });
  }

  private async insert(client: Patient, table: string, json: string): Promise<void> {
    let upsert = this.upserts.get(table);
    if (upsert === undefined) {
      upsert = await upsertInto(client, table);
      this.upserts.set(table, upsert);
    }
    await client.query(upsert, [json]);
  }

  private async digests(database: Database): Promise<Record<string, string>> {
    return this.reading(async (client) => {
      const digests: Record<string, string> = {};
      for (const table of LEDGER_TABLES) {
        const keys = await keysOf(client, table);
        const compared = table === 'changes' ? [...keys, 'revision', 'gone'] : keys;
        const { rows } = await client.query<{ digest: string }>(
          `SELECT count(*) || '/' || coalesce(sum(hashtextextended(ROW(${compared.join(', ')})::text, 0)), 0) AS digest
           FROM ${table} WHERE tenant_id = $1`,
          [this.tenantId],
        );
        digests[table] = rows[0]?.digest ?? '';
      }
      return digests;
    }, database);
  }

  private reading<T>(work: (client: Patient) => Promise<T>, database = this.from): Promise<T> {
    return this.transaction(database, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work);
  }

  /** Where the ledger lives already, nothing of it is touched, whoever thinks that it is to be copied there. */
  private writing<T>(work: (client: Patient) => Promise<T>): Promise<T> {
    return this.transaction(this.to, 'BEGIN', async (client) => {
      await client.query('SET LOCAL ROLE loci_system');
      const { rows } = await client.query(
        `SELECT FROM tenants WHERE id = $1 AND home = $2 AND state <> 'deleted' FOR NO KEY UPDATE`,
        [this.tenantId, this.source.slice(0, this.source.lastIndexOf(':'))],
      );
      if (rows.length !== 1) throw new Error('There is no room for a copy of this ledger');
      await client.query('SET LOCAL ROLE loci_tenant');
      return work(client);
    });
  }

  private async transaction<T>(
    database: Database,
    begin: string,
    work: (client: Patient) => Promise<T>,
  ): Promise<T> {
    const client = await database.tenantClient();
    let clean = false;
    try {
      await client.query(
        `${begin}; SET LOCAL ROLE loci_tenant; SET LOCAL app.tenant = '${this.tenantId}'; SET LOCAL app.workspace = '*'; SET LOCAL statement_timeout = 0`,
      );
      const result = await work({
        query: (text, values = []) => client.query({ text, values, ...AS_LONG_AS_IT_TAKES }),
      });
      const { command } = await client.query('COMMIT');
      if (command !== 'COMMIT') throw new Error(`The ledger answered COMMIT with ${command}`);
      clean = true;
      return result;
    } finally {
      client.release(!clean);
    }
  }
}

function placesOf(rows: { workspace_id: string; id: string }[]): Places {
  return { workspaces: rows.map((row) => row.workspace_id), ids: rows.map((row) => row.id) };
}

async function jsonOf(client: Patient, select: string, values: unknown[]): Promise<string> {
  const { rows } = await client.query<{ json: string }>(
    // No column has this name: one that had would be taken for the row.
    `SELECT coalesce(json_agg(a_whole_row), '[]')::text AS json FROM (${select}) a_whole_row`,
    values,
  );
  return rows[0]?.json ?? '[]';
}

/** The columns of a table's primary key, as PostgreSQL knows them. */
async function keysOf(client: Patient, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT quote_ident(a.attname) AS name FROM pg_index i
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
     WHERE i.indrelid = $1::regclass AND i.indisprimary ORDER BY a.attnum`,
    [table],
  );
  return rows.map(({ name }) => name);
}

/** Both databases have the same tables, so a row of one is a row of the other; what they are made of need not be told here. */
async function upsertInto(client: Patient, table: string): Promise<string> {
  const keys = await keysOf(client, table);
  const { rows } = await client.query<{ name: string }>(
    `SELECT quote_ident(attname) AS name FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [table],
  );
  const others = rows.flatMap(({ name }) => (keys.includes(name) ? [] : name));
  const update =
    others.length === 0
      ? 'NOTHING'
      : `UPDATE SET ${others.map((name) => `${name} = excluded.${name}`).join(', ')}`;
  return `INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1::json)
    ON CONFLICT (${keys.join(', ')}) DO ${update}`;
}
