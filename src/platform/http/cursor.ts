import { isUuid } from '../../tenancy/tenant.js';
import { RequestInvalid } from './request.errors.js';

/** A place in a list sorted by time, then id. */
export interface CursorPlace {
  time: Date;
  id: string;
}

/** Times that are ever stored lie in the years 0 to 10000; PostgreSQL refuses some of those that JavaScript knows. */
const EARLIEST = Date.parse('0000-01-01T00:00:00Z');
const LATEST = Date.parse('+010000-12-31T00:00:00Z');

/** Opaque to clients; the next version may write it otherwise. */
export function writeCursor({ time, id }: CursorPlace): string {
  return Buffer.from(`${time.getTime()}/${id}`).toString('base64url');
}

/** Throws `RequestInvalid` for anything that `writeCursor` did not write. */
export function readCursor(cursor: string): CursorPlace {
  const [time = '', id = '', ...rest] = Buffer.from(cursor, 'base64url').toString('utf8').split('/');
  const at = new Date(/^-?\d{1,16}$/.test(time) ? Number(time) : NaN);
  const stored = at.getTime() >= EARLIEST && at.getTime() <= LATEST;
  if (rest.length > 0 || !stored || !isUuid(id)) {
    throw new RequestInvalid([{ location: 'query.cursor', message: 'is no cursor of this list' }]);
  }
  return { time: at, id };
}
