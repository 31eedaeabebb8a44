/** The embedded database does not start, or does not stop. `message` is one line for whoever started Loci. */
export class PostgresCannotRun extends Error {
  constructor(message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = 'PostgresCannotRun';
  }
}
