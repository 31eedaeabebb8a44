/**
 * Conditions under which PostgreSQL is there but takes no work: stopping, starting, full, or out of time; out of disk
 * (53100, or the file system's own error, 58030) or memory.
 */
const AWAY_STATES = new Set([
  ...['57P01', '57P02', '57P03', '57014', '25P03', '53300', '55P03', '40001', '40P01'],
  ...['53100', '53200', '58030'],
]);

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EPIPE',
]);

/** What pg and its pool say without any code. */
const MESSAGES =
  /timeout exceeded when trying to connect|query read timeout|connection terminated|client has encountered a connection error|client was closed|called end on the pool|connection ended unexpectedly/i;

/**
 * Whether this error of pg, its pool or TypeORM means that the ledger cannot be reached at the moment,
 * so that trying again makes sense. Errors of other clients have been turned into the domain's before.
 */
export function isLedgerAway(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  // TypeORM wraps the driver's error.
  if ('driverError' in error && error.driverError !== error && isLedgerAway(error.driverError)) return true;
  const { code, syscall, message } = error as { code?: unknown; syscall?: unknown; message?: unknown };
  if (typeof code === 'string') {
    if (AWAY_STATES.has(code) || /^08...$/.test(code) || SOCKET_CODES.has(code)) return true;
    // The embedded ledger's socket file, gone while it restarts.
    return code === 'ENOENT' && syscall === 'connect';
  }
  return typeof message === 'string' && MESSAGES.test(message);
}
