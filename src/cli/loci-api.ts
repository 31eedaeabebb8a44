import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { version } from '../platform/version.js';
import { CommandFailed, EXIT, type Refusal } from './command-failed.js';

const CONNECT_WITHIN_MS = 10_000;

export interface Reply<Body> {
  status: number;
  body: Body;
  /** The body as it came: what `--json` prints. */
  text: string;
}

/** What of a problem document (RFC 9457) is told to people. */
interface Problem {
  detail?: unknown;
  code?: unknown;
  request_id?: unknown;
  errors?: unknown;
}

type Query = Record<string, string | number | boolean | undefined>;

/**
 * The server's routes with one token. Every method rejects with `CommandFailed`: `refused` for a 4xx, `away` where
 * nothing answers or the server fails.
 *
 * Not `fetch`: that gives an answer five minutes, and rebuilding a large tenant may take longer.
 */
export class LociApi {
  constructor(
    private readonly base: string,
    private readonly token: string | null,
    /** Whose things an operator's request is about, where its path does not say. */
    private readonly tenant: string | null = null,
  ) {}

  get<Body>(path: string, query: Query = {}): Promise<Reply<Body>> {
    return this.call('GET', path, query);
  }

  /** With an `Idempotency-Key` the server does it once, however often it is sent. */
  post<Body>(path: string, body: object = {}, idempotencyKey?: string): Promise<Reply<Body>> {
    return this.call('POST', path, {}, JSON.stringify(body), idempotencyKey);
  }

  delete<Body>(path: string, query: Query = {}): Promise<Reply<Body>> {
    return this.call('DELETE', path, query);
  }

  private async call<Body>(
    method: string,
    path: string,
    query: Query,
    body?: string,
    idempotencyKey?: string,
  ): Promise<Reply<Body>> {
    const url = new URL(this.base.replace(/\/+$/, '') + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers = {
      Accept: 'application/json',
      'User-Agent': `loci-cli/${version}`,
      ...(this.token === null ? {} : { Authorization: `Bearer ${this.token}` }),
      ...(this.tenant === null ? {} : { 'X-Tenant-ID': this.tenant }),
      ...(body === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
      ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
    };
    const { status, text, retryAfter } = await send(url, { method, headers }, body).catch(
      (error: unknown) => {
        throw new CommandFailed(
          EXIT.away,
          `No server answers at ${this.base} (${reasonOf(error)}).`,
          'LOCI_URL says where it is; `npm start` starts one here.',
        );
      },
    );
    const parsed = parse(text);
    if (status >= 400) throw failureOf(status, parsed, retryAfter);
    if (status < 200 || status >= 300 || typeof parsed !== 'object' || parsed === null) {
      throw new CommandFailed(
        EXIT.away,
        `What answers at ${this.base} is not Loci: ${status} without JSON.`,
        'LOCI_URL says where the server is.',
      );
    }
    return { status, body: parsed as Body, text };
  }
}

interface Answer {
  status: number;
  text: string;
  retryAfter: string | undefined;
}

function send(url: URL, options: RequestOptions, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const answer = (response: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
          retryAfter: response.headers['retry-after'],
        }),
      );
    };
    const sent =
      url.protocol === 'https:' ? httpsRequest(url, options, answer) : httpRequest(url, options, answer);
    sent.once('error', reject);
    sent.once('socket', (socket) => {
      // Long work is long silence: a router between must not take it for a dead connection.
      socket.setKeepAlive(true, 30_000);
      if (!socket.connecting) return;
      const late = setTimeout(() => sent.destroy(new Error('no connection in time')), CONNECT_WITHIN_MS);
      socket.once('connect', () => clearTimeout(late)).once('close', () => clearTimeout(late));
    });
    sent.end(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function failureOf(status: number, body: unknown, retryAfter: string | undefined): CommandFailed {
  const exitCode = status >= 500 ? EXIT.away : EXIT.refused;
  const problem: Problem = typeof body === 'object' && body !== null ? body : {};
  if (typeof problem.detail !== 'string' || typeof problem.code !== 'string') {
    return new CommandFailed(exitCode, `The answer was ${status}, in words that are not Loci's.`);
  }
  const errors = Array.isArray(problem.errors) ? problem.errors.filter(isFieldError) : [];
  const fields = errors.map(({ location, message }) => `${location} ${message}`);
  const detail = fields.length === 0 ? problem.detail : `${problem.detail} ${fields.join('; ')}.`;
  const id = typeof problem.request_id === 'string' ? `, request ${problem.request_id}` : '';
  const retryAfterMs = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) * 1_000 : null;
  const refusal: Refusal = { status, code: problem.code, errors, retryAfterMs };
  return new CommandFailed(exitCode, detail, `${problem.code} (${status})${id}`, refusal);
}

function isFieldError(error: unknown): error is Refusal['errors'][number] {
  const { location, message } = (error ?? {}) as { location?: unknown; message?: unknown };
  return typeof location === 'string' && typeof message === 'string';
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return typeof code === 'string' ? code : String(message);
}
