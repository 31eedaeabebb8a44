import { SpaceUnavailable } from '../space-errors.js';

/** The connection ended, or could not be had. Whether a command that was under way was done is not known. */
export class ConnectionLost extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'ConnectionLost';
  }
}

/** Nothing came back in time, not even a refusal: the server is away or stopped. */
export class ServerSilent extends ConnectionLost {}

/** The last two are said to a query under way, whose graph was deleted, or deleted and made anew, before it could write. */
const MISSING =
  /Invalid graph operation on empty key|Encountered an empty key when opened key|Encountered different graph value when opened key/;
const INDEXED = 'is already indexed';
const REFUSED_LOGIN = /^(?:WRONGPASS|NOAUTH)\b/;
/**
 * What the server says when it is not able, or not set up, to answer anybody: never the fault of what it was asked.
 * `TIMEOUT parameter`: its TIMEOUT_MAX is below what we ask for.
 */
const UNABLE =
  /^(?:LOADING|OOM|BUSY|MISCONF|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|NOPERM|WRONGPASS|NOAUTH|UNBLOCKED|ERR max number of clients|ERR unknown command)\b|^Query timed out|TIMEOUT parameter|mem consumption exceeded|Max pending queries exceeded/i;

/** There is no graph under this name, or not the one any more that a query had begun on. Reading does not make one. */
export function isMissingGraph(error: unknown): boolean {
  return error instanceof Error && MISSING.test(error.message);
}

export function isIndexed(error: unknown): boolean {
  return error instanceof Error && error.message.includes(INDEXED);
}

/** The store does not know this user, or knows another password for it. */
export function isRefusedLogin(error: unknown): boolean {
  return error instanceof Error && REFUSED_LOGIN.test(error.message);
}

/** The same error in the words of the spaces: an outage, or what was asked could not be done as it is. */
export function spaceError(error: unknown, name: string): unknown {
  if (error instanceof SpaceUnavailable) return error;
  if (error instanceof ConnectionLost || (error instanceof Error && UNABLE.test(error.message))) {
    return new SpaceUnavailable(`FalkorDB, ${name}: ${error.message}`, error);
  }
  return error;
}
