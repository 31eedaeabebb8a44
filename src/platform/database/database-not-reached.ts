import { isLedgerAway } from '../errors/ledger-away.js';

/** The database that `DATABASE_URL` names, and whose value nobody is told. */
export class DatabaseNotReached extends Error {}

/** PostgreSQL's classes 28 (nobody is let in) and 3D (no such database). */
const NOT_LET_IN = /^(?:28|3D)/;

/** Rejects with `DatabaseNotReached` where it is for want of a database that `work` cannot be done. */
export async function reaching<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { code } = error as { code?: unknown };
    const why = typeof code === 'string' ? ` (${code})` : '';
    if (typeof code === 'string' && NOT_LET_IN.test(code)) {
      throw new DatabaseNotReached(
        `DATABASE_URL: the server has no such database, or does not let Loci in${why}.`,
        {
          cause: error,
        },
      );
    }
    if (!isLedgerAway(error)) throw error;
    throw new DatabaseNotReached(`DATABASE_URL: the database cannot be reached${why}.`, { cause: error });
  }
}
