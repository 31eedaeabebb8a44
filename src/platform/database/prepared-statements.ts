import type { QueryConfig } from 'pg';

/** More different texts than the code has; beyond it, one that is put together anew each time would fill every connection. */
const MOST = 500;

/**
 * Names for statements, so that PostgreSQL parses and plans each of them once for a connection and not at every
 * call: under row-level security planning a short statement takes longer than running it.
 *
 * Named statements live in a session. A pooler between us and PostgreSQL hands sessions from one transaction to the
 * next, so they are used over direct connections alone (`directly`).
 */
export class PreparedStatements {
  private readonly names = new Map<string, string>();

  constructor(readonly directly: boolean) {}

  of(text: string, values: unknown[]): QueryConfig {
    if (!this.directly) return { text, values };
    let name = this.names.get(text);
    if (name === undefined) {
      if (this.names.size >= MOST) return { text, values };
      name = `loci_${this.names.size + 1}`;
      this.names.set(text, name);
    }
    return { name, text, values };
  }
}
