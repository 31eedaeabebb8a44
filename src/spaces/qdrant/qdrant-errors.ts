import { SpaceUnavailable } from '../space-errors.js';

/** Qdrant understood the request and says no: it would say so again. */
export class QdrantRefusal extends Error {
  constructor(
    readonly status: number,
    readonly what: string,
    readonly reason: string,
  ) {
    super(`Qdrant refused to ${what} (${status}): ${reason}`);
    this.name = 'QdrantRefusal';
  }
}

/** There is no such collection (or, from an older server, no such route). */
export function isMissing(error: unknown): boolean {
  return error instanceof QdrantRefusal && error.status === 404;
}

/** It is there already: somebody else was quicker. Before 1.12 or so that was a 400. */
export function isThereAlready(error: unknown): boolean {
  return error instanceof QdrantRefusal && (error.status === 409 || /already exists/i.test(error.reason));
}

/** What asking the same again could only repeat. Everything else is an outage: the ledger has it all, try again later. */
const FINAL = new Set([400, 404, 409, 413, 422]);
/** The connection broke, maybe before the request was read, as kept-alive connections do when the server closes them. */
const BROKEN = /\b(SocketError|UND_ERR_SOCKET|ECONNRESET|EPIPE)\b/;

/** No connection could be had, or nothing came back in time: our deadline, or the connection's. */
const AWAY =
  /\b(?:TimeoutError|UND_ERR_CONNECT_TIMEOUT|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)\b|aborted due to timeout/;

export function qdrantError(error: unknown, what: string): QdrantRefusal | SpaceUnavailable {
  const status = statusOf(error);
  if (status !== null && FINAL.has(status)) return new QdrantRefusal(status, what, reasonOf(error));
  const hint = status === 401 || status === 403 ? ' (is the API key right, and service.jwt_rbac on?)' : '';
  return new SpaceUnavailable(`Qdrant could not ${what}: ${status ?? ''} ${reasonOf(error)}${hint}`, error);
}

export function connectionBroke(error: unknown): boolean {
  return BROKEN.test(story(error));
}

/** Whatever it said: it is there. */
export function hasAnswered(error: unknown): boolean {
  return statusOf(error) !== null;
}

export function isAway(error: unknown): boolean {
  return AWAY.test(story(error));
}

function statusOf(error: unknown): number | null {
  const { status } = fieldsOf(error);
  return typeof status === 'number' ? status : null;
}

/** Qdrant's own words, `{status: {error}}`, or the connection's. */
function reasonOf(error: unknown): string {
  const { error: said } = fieldsOf(fieldsOf(fieldsOf(error)['data'])['status']);
  if (typeof said === 'string') return said;
  return story(error);
}

/** What is said of an error and of what caused it. By their fields, as they may be of Node's own making, not of ours. */
function story(error: unknown): string {
  const said: string[] = [];
  for (let at = fieldsOf(error); Object.keys(at).length > 0; at = fieldsOf(at['cause'])) {
    said.push([at['message'], at['code']].filter((field) => typeof field === 'string').join(' '));
  }
  return said.length > 0 ? said.join(': ') : String(error);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return {};
  const { status, data, error, message, code, cause } = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries({ status, data, error, message, code, cause }).filter(([, field]) => field !== undefined),
  );
}
