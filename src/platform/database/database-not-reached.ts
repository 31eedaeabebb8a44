import { isLedgerAway } from '../errors/ledger-away.js';

/** The database that `DATABASE_URL` names, and whose value nobody is told. */
export class DatabaseNotReached extends Error {}

/** PostgreSQL's classes 28 (nobody is let in) and 3D (no such database). */
const NOT_LET_IN = /^(?:28|3D)/;
/** A state that a server tells which takes nobody in: it starts, stops, or has no connection left. */
const TAKES_NOBODY = /^(?:08|57P0[123]|53300)/;

/** Rejects with `DatabaseNotReached` where it is for want of a database that `work` cannot be done. */
export async function reaching<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { code: told } = error as { code?: unknown };
    const code = typeof told === 'string' ? told : '';
    const why = code === '' ? '' : ` (${code})`;
    if (NOT_LET_IN.test(code)) {
      throw new DatabaseNotReached(
        `DATABASE_URL: the server has no such database, or does not let Loci in${why}.`,
        {
          cause: error,
        },
      );
    }
    // A full disk, or a table that nobody gives away, is told as it is: the database was reached.
    const reached = /^\d/.test(code) && !TAKES_NOBODY.test(code);
    if (reached || !isLedgerAway(error)) throw error;
    throw new DatabaseNotReached(`DATABASE_URL: the database cannot be reached${why}.`, { cause: error });
  }
}
