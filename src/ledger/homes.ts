import type { Database } from '../platform/database/database.js';
import type { LazyDatabase } from '../platform/database/lazy-database.js';
import { PlacementElsewhere, PlacementMissing } from '../spaces/placements.js';

/** The home of tenants whose placement has no database of its own. */
export const MAIN = 'main';

/** What a placement says of its database. */
export interface HomePlan {
  placement: string;
  /** Null: another process serves it. Placements on the same server and database share one. */
  database: LazyDatabase | null;
}

/**
 * Where ledgers are kept. The main database knows every tenant: who they are, their keys, workspaces and settings. It is
 * also the home of their ledgers, save for those whose placement has a database of its own.
 */
export class Homes {
  private readonly own: ReadonlyMap<string, LazyDatabase | null>;

  constructor(
    readonly main: Database,
    own: readonly HomePlan[] = [],
  ) {
    this.own = new Map(own.map(({ placement, database }) => [placement, database]));
  }

  /** Whether ledgers may be anywhere but in the main database. */
  get several(): boolean {
    return this.own.size > 0;
  }

  /** Every home that this process reaches. */
  get names(): string[] {
    return [MAIN, ...[...this.own].flatMap(([name, database]) => (database === null ? [] : name))];
  }

  /** One name for each database beside the main one. */
  get others(): string[] {
    const seen = new Map([...this.own].map(([name, database]) => [database, name]));
    seen.delete(null);
    return [...seen.values()];
  }

  /** Whether there is such a home at all, here or for other processes. */
  knows(home: string): boolean {
    return home === MAIN || this.own.has(home);
  }

  /** The home that a placement gives its tenants. */
  nameFor(placement: string): string {
    return this.own.has(placement) ? placement : MAIN;
  }

  /** Throws `PlacementElsewhere`, `PlacementMissing`; rejects where the database is away. */
  of(home: string): Database | Promise<Database> {
    if (home === MAIN) return this.main;
    const database = this.own.get(home);
    if (database === undefined) throw new PlacementMissing(home);
    if (database === null) throw new PlacementElsewhere(home);
    return database.get();
  }

  /** Whether two names are of one database. */
  same(one: string, other: string): boolean {
    if (one === other) return true;
    const database = this.own.get(one);
    return database !== undefined && database !== null && database === this.own.get(other);
  }
}
