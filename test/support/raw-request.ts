import { request, type Agent } from 'node:http';
import { connect } from 'node:net';
import type { Reply } from './loci.js';

/** One request exactly as it is written here: no client of a kind that corrects or completes it. */
export interface RawRequest {
  method?: string;
  /** Sent as it is, even where it is no valid URL. */
  path: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

/**
 * Where the answer was no JSON, its text is under `unreadable`. `agent`: whose connections are used; without one each
 * request has a connection of its own.
 */
export function sendRaw(base: string, raw: RawRequest, agent: Agent | false = false): Promise<Reply> {
  const { hostname, port } = new URL(base);
  const body = raw.body === undefined ? undefined : Buffer.from(raw.body);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: hostname,
        port,
        method: raw.method ?? 'GET',
        path: raw.path,
        headers: { ...(body === undefined ? {} : { 'Content-Length': String(body.length) }), ...raw.headers },
        agent,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const headers = new Headers();
          for (const [name, value] of Object.entries(response.headers))
            for (const one of [value ?? []].flat()) headers.append(name, one);
          resolve({ status: response.statusCode ?? 0, headers, body: jsonOf(Buffer.concat(chunks)) });
        });
      },
    );
    // A server that has answered already may stop reading the rest of a body that is too large.
    sent.on('error', reject);
    sent.end(body);
  });
}

/** All that the server sends back to these bytes, until it closes the connection. */
export function overWire(base: string, sent: string): Promise<string> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(sent));
    socket.setEncoding('utf8').on('data', (text) => (answer += String(text)));
    socket.on('error', reject).on('close', () => resolve(answer));
  });
}

function jsonOf(bytes: Buffer): Record<string, unknown> {
  try {
    return JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
  } catch {
    return { unreadable: bytes.toString('utf8') };
  }
}
