import type { Database } from './database.js';

/** A database that may be away when the server starts: opened when it is first needed, and tried again until it answers. */
export class LazyDatabase {
  private opened: Database | null = null;
  private opening: Promise<Database> | null = null;
  private closed = false;

  constructor(private readonly open: () => Promise<Database>) {}

  /** Rejects where it cannot be opened just now. */
  get(): Database | Promise<Database> {
    if (this.opened !== null) return this.opened;
    if (this.closed) throw new Error('The database was closed');
    this.opening ??= this.open()
      .then((database) => (this.opened = database))
      .finally(() => (this.opening = null));
    return this.opening;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.opening?.catch(() => undefined);
    await this.opened?.close();
  }
}
