import * as DELETE from 'falkordb/dist/src/commands/DELETE.js';
import * as QUERY from 'falkordb/dist/src/commands/QUERY.js';
import * as RO_QUERY from 'falkordb/dist/src/commands/RO_QUERY.js';
import type { Connection } from './connection.js';

export type Scalar = string | number | boolean | null;
/**
 * What a query is given. The client pastes names of parameters and keys of objects into the query as they are: so
 * names are our constants, and there are no objects, only scalars and (rows of) lists of them, which it quotes.
 */
export type QueryParameters = Record<string, Scalar | Scalar[] | Scalar[][]>;
/** What comes back: scalars and lists, never nodes or edges, whose names would take queries of their own. */
export type Value = Scalar | Value[];

/** The server gives up first and says so; where it says nothing for so much longer, it is silent. */
const GRACE_MS = 500;

/** Commands on one graph, by its owner's connection. Errors are the server's own or `ConnectionLost`. */
export class GraphCommands {
  constructor(
    private readonly connection: Connection,
    private readonly name: string,
  ) {}

  /** One query is one transaction: all or nothing. Makes the graph where it is missing. */
  async query(text: string, parameters: QueryParameters, timeoutMs: number): Promise<Value[][]> {
    const options = { params: parameters, TIMEOUT: timeoutMs };
    return this.rows(QUERY.transformArguments(this.name, text, options, true), timeoutMs);
  }

  /** Fails where the graph is missing, and makes none. */
  async read(text: string, parameters: QueryParameters, timeoutMs: number): Promise<Value[][]> {
    const options = { params: parameters, TIMEOUT: timeoutMs };
    return this.rows(RO_QUERY.transformArguments(this.name, text, options, true), timeoutMs);
  }

  async delete(timeoutMs: number): Promise<void> {
    await this.connection.send(DELETE.transformArguments(this.name), timeoutMs + GRACE_MS);
  }

  private async rows(args: unknown[], timeoutMs: number): Promise<Value[][]> {
    const reply = await this.connection.send(args.map(String), timeoutMs + GRACE_MS);
    const { data } = QUERY.transformReply(reply as RawReply);
    return (data ?? []).map((row) => (row as unknown as Cell[]).map(valueOf));
  }
}

type RawReply = Parameters<typeof QUERY.transformReply>[0];

/** A value in the compact form: its type's number, then what it is. */
type Cell = [type: number, value: unknown];
const [NULL, STRING, INTEGER, BOOLEAN, DOUBLE, ARRAY] = [1, 2, 3, 4, 5, 6];

function valueOf([type, value]: Cell): Value {
  switch (type) {
    case NULL:
      return null;
    case STRING:
    case INTEGER:
      return value as string | number;
    case BOOLEAN:
      return value === 'true';
    case DOUBLE:
      return Number(value);
    case ARRAY:
      return (value as Cell[]).map(valueOf);
    default:
      throw new TypeError(`a value of type ${type} was not asked for`);
  }
}
