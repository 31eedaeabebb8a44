import type { QueryConfig } from 'pg';

/** More different texts than the code has; beyond it, one that is put together anew each time would fill every connection. */
const MOST = 500;
/**
 * A tenant's statement that is not answered within this time has lost its connection: the server stands still, or the
 * line has fallen silent, which no timer of TCP's would tell. The connection is given up, and with it the transaction.
 * What may take longer (erasing, copying, migrating) does not go this way.
 */
export const ANSWERED_WITHIN_MS = 8_000;

/** For what is not timed: the longest that a timer of Node's can be. Without it the pool's own limit holds. */
export const AS_LONG_AS_IT_TAKES = { query_timeout: 2 ** 31 - 1 };

/** A statement with its own time, in milliseconds. */
export interface TimedStatement extends QueryConfig {
  query_timeout: number;
}

/**
 * Names for statements, so that PostgreSQL parses and plans each of them once for a connection and not at every
 * call: under row-level security planning a short statement takes longer than running it.
 *
 * Named statements live in a session. A pooler between us and PostgreSQL hands sessions from one transaction to the
 * next, so they are used over direct connections alone (`directly`).
 */
export class PreparedStatements {
  private readonly names = new Map<string, string>();

  constructor(
    readonly directly: boolean,
    private readonly answeredWithinMs = ANSWERED_WITHIN_MS,
  ) {}

  of(text: string, values: unknown[]): TimedStatement {
    const statement = { text, values, query_timeout: this.answeredWithinMs };
    if (!this.directly) return statement;
    let name = this.names.get(text);
    if (name === undefined) {
      if (this.names.size >= MOST) return statement;
      name = `loci_${this.names.size + 1}`;
      this.names.set(text, name);
    }
    return { name, ...statement };
  }

  /** Without parameters, and so one or several: BEGIN with what belongs to it, COMMIT. */
  plain(text: string): TimedStatement {
    return { text, query_timeout: this.answeredWithinMs };
  }
}
