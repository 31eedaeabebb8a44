import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorCodes } from '../errors/error-codes.js';
import { problemOf, type Refusal } from './problem.js';
import type { Reply } from './request-facts.js';
import { securityHeaders } from './security-headers.js';

/** Why Node's parser gives a request up, by its codes (https://nodejs.org/api/errors.html); anything else is no HTTP. */
const REFUSALS = new Map<string | undefined, Refusal>([
  [
    'HPE_HEADER_OVERFLOW',
    { code: 'request.headers_too_large', detail: 'The URL and headers together are larger than 16 KB.' },
  ],
  [
    'HPE_CHUNK_EXTENSIONS_OVERFLOW',
    { code: 'request.too_large', detail: 'The chunks of the body say too much of themselves.' },
  ],
  ['ERR_HTTP_REQUEST_TIMEOUT', { code: 'request.timeout', detail: 'The request did not arrive in time.' }],
]);
const NO_HTTP: Refusal = { code: 'request.malformed', detail: 'This is no HTTP request.' };

/**
 * Answers what Node itself cannot read as everything else is answered: such a request never comes to Express, and Node
 * would send a bare status. `done` is told of each as of any other reply.
 */
export function answerUnreadable(server: Server, done: (reply: Reply) => void): void {
  const headers = securityHeaders().api;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Node's own handler looks there, too. A second answer within one would be read as part of it.
    const { _httpMessage: begun } = socket as { _httpMessage?: ServerResponse | null };
    if (error.code === 'ECONNRESET' || !socket.writable || begun?.headersSent === true) {
      socket.destroy();
      return;
    }
    const refusal = REFUSALS.get(error.code) ?? NO_HTTP;
    const { status } = errorCodes[refusal.code];
    const requestId = randomUUID();
    const body = JSON.stringify(problemOf(refusal, requestId));
    const lines = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `X-Request-Id: ${requestId}`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
      'Cache-Control: no-store',
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    socket.destroySoon();
    // One whose body broke off is known already, and told of as one whose caller left.
    if (begun) return;
    const facts = { requestId, startedAt: performance.now(), problem: { code: refusal.code } };
    done({ method: '?', route: 'unreadable', status, ms: 0, facts });
  });
}
