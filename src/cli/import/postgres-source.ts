import { Client, escapeIdentifier, types, type QueryResultRow } from 'pg';
import { CommandFailed, EXIT } from '../command-failed.js';
import { fieldValue } from './field-values.js';
import { ImportSource, KINDS, noCounts, type ImportRecord, type Kind, type Survey } from './import-source.js';
import type { Mapping, TableMapping } from './table-mapping.js';

const PAGE = 500;

/** A table as it is: what is read of it, and how. */
interface FoundTable {
  name: string;
  /** Field by field, the column. */
  columns: [field: string, column: string][];
  where: string;
  values: unknown[];
}

/**
 * A PostgreSQL database of one tenant. Everything is read in one transaction that cannot write and that sees the
 * database as it was at the beginning, whoever goes on writing there.
 */
export class PostgresSource extends ImportSource {
  private constructor(
    private readonly client: Client,
    private readonly tables: ReadonlyMap<Kind, FoundTable>,
  ) {
    super();
  }

  static async open(url: string, mapping: Mapping): Promise<PostgresSource> {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: 10_000,
      application_name: 'loci-import',
      types: { getTypeParser: parserOf },
    });
    // A connection that breaks rejects what is under way; there is nobody else to tell.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await client.query(`SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'`);
      const tables = new Map<Kind, FoundTable>();
      for (const kind of KINDS) {
        const found = await tableOf(client, mapping[kind]);
        if (found !== null) tables.set(kind, found);
      }
      if (tables.size === 0) {
        throw new CommandFailed(
          EXIT.usage,
          'The database has no table agents, memories, relations or documents.',
          '--map names tables and columns that are called otherwise.',
        );
      }
      return new PostgresSource(client, tables);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error instanceof CommandFailed ? error : unreadable(error);
    }
  }

  async survey(): Promise<Survey> {
    const counts = noCounts();
    for (const [kind, { name, where, values }] of this.tables) {
      const [row] = await this.rows<{ n: string }>(`SELECT count(*) AS n FROM ${name} ${where}`, values);
      counts[kind] = Number(row?.n ?? 0);
    }
    return { counts, refused: [], notes: [] };
  }

  async *records(kind: Kind): AsyncIterable<ImportRecord> {
    const table = this.tables.get(kind);
    if (table === undefined) return;
    const columns = table.columns.map(([, column], at) => `${escapeIdentifier(column)} AS c${at}`);
    const cursor = `loci_${kind}`;
    await this.rows(
      `DECLARE ${cursor} NO SCROLL CURSOR FOR SELECT ${columns.join(', ')} FROM ${table.name} ${table.where}`,
      table.values,
    );
    let place = 0;
    for (;;) {
      const rows = await this.rows(`FETCH ${PAGE} FROM ${cursor}`);
      for (const row of rows) {
        place++;
        const fields: Record<string, unknown> = {};
        table.columns.forEach(([field], at) => {
          const value = fieldValue(field, row[`c${at}`]);
          if (value !== undefined) fields[field] = value;
        });
        const { id } = fields;
        yield { kind, place: `${table.name} ${typeof id === 'string' ? id : `row ${place}`}`, fields };
      }
      if (rows.length < PAGE) break;
    }
    await this.rows(`CLOSE ${cursor}`);
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }

  private async rows<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    try {
      return (await this.client.query<Row>(sql, values)).rows;
    } catch (error) {
      throw unreadable(error);
    }
  }
}

/** Null where the usual tables are not there. */
async function tableOf(client: Client, mapping: TableMapping | null): Promise<FoundTable | null> {
  if (mapping === null) return null;
  for (const table of mapping.tables) {
    const name = table.split('.').map(escapeIdentifier).join('.');
    const { rows } = await client.query<{ attname: string }>(
      `SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
      [name],
    );
    if (rows.length === 0) continue;
    const there = new Set(rows.map(({ attname }) => attname));
    const known = (column: string): string => {
      if (there.has(column)) return column;
      throw new CommandFailed(EXIT.usage, `The table ${name} has no column ${column}.`);
    };
    const columns = [...new Set([...Object.keys(mapping.usual), ...Object.keys(mapping.named)])].flatMap(
      (field): [string, string][] => {
        const named = mapping.named[field];
        const column = named === undefined ? mapping.usual[field]?.find((each) => there.has(each)) : named;
        return column === undefined || column === null ? [] : [[field, known(column)]];
      },
    );
    const conditions = Object.entries(mapping.where);
    const where = conditions.map(
      ([column], at) => `${escapeIdentifier(known(column))}::text IS NOT DISTINCT FROM $${at + 1}::text`,
    );
    return {
      name,
      columns,
      where: where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`,
      values: conditions.map(([, value]) => (value === null ? null : String(value))),
    };
  }
  if (!mapping.required) return null;
  throw new CommandFailed(EXIT.usage, `The database has no table ${mapping.tables.join(', ')}.`);
}

const TIMESTAMP = 1114;
const DATE = 1082;

type Parser = (text: string) => unknown;

/** Times without a zone are taken for UTC: pg would take them for this machine's. */
function parserOf(oid: number): Parser {
  if (oid === TIMESTAMP) return (text) => `${text.replace(' ', 'T')}Z`;
  if (oid === DATE) return (text) => `${text}T00:00:00Z`;
  return types.getTypeParser(oid, 'text') as Parser;
}

/** PostgreSQL's own words name tables and columns; the address and its password are never repeated. */
function unreadable(error: unknown): CommandFailed {
  const { message, code } = error as { message?: unknown; code?: unknown };
  return new CommandFailed(
    EXIT.away,
    `The database that is brought over cannot be read: ${String(message)}${typeof code === 'string' ? ` (${code})` : ''}.`,
  );
}
