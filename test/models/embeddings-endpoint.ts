import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How the endpoint misbehaves, once for each entry in its list, before it behaves again. */
export type Fault =
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: string }
  /** Takes the request and says nothing. */
  | { kind: 'hang' }
  /** Sends headers and the beginning of a reply, then nothing. */
  | { kind: 'hang in the body' }
  | { kind: 'cut the connection' }
  /** A good reply, changed. */
  | { kind: 'change'; change: (data: { index: number; embedding: number[] }[]) => unknown };

export interface SeenRequest {
  at: number;
  input: string[];
  model: string;
  authorization: string | undefined;
}

export const DIMENSIONS = 32;

/**
 * A server on loopback that speaks OpenAI's embeddings protocol. A vector is a function of its text alone,
 * not of unit length; a reply lists them last text first, as the protocol allows. It takes 1 ms for each text.
 */
export class EmbeddingsEndpoint {
  readonly seen: SeenRequest[] = [];
  readonly faults: Fault[] = [];
  /** Requests being answered at this moment, and the most there ever were. */
  readonly load = { now: 0, most: 0 };
  /** Requests in which one of these is found are refused with 400. */
  refuses: (text: string) => boolean = () => false;

  private readonly server = createServer((request, response) => {
    this.load.most = Math.max(this.load.most, ++this.load.now);
    response.on('close', () => this.load.now--);
    void this.answer(request, response);
  });

  static async start(): Promise<EmbeddingsEndpoint> {
    const endpoint = new EmbeddingsEndpoint();
    await new Promise<void>((resolve) => endpoint.server.listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) text += piece;
    const { input, model } = JSON.parse(text) as { input: string[]; model: string };
    this.seen.push({ at: Date.now(), input, model, authorization: request.headers.authorization });

    const fault = this.faults.shift();
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'cut the connection') return void request.socket.destroy();
    if (fault?.kind === 'status') {
      return void response
        .writeHead(fault.status, fault.headers)
        .end(fault.body ?? '{"error": {"message": "no"}}');
    }
    if (request.url !== '/v1/embeddings' || request.method !== 'POST')
      return void response.writeHead(404).end();
    if (input.some((one) => one === '' || this.refuses(one))) {
      return void response.writeHead(400).end('{"error": {"message": "refused", "code": "invalid_input"}}');
    }
    await sleep(input.length);
    const data = input
      .map((one, index) => ({ object: 'embedding', index, embedding: vectorOf(one) }))
      .reverse();
    const reply = JSON.stringify({
      object: 'list',
      model,
      data: fault?.kind === 'change' ? fault.change(data) : data,
      usage: { prompt_tokens: 1, total_tokens: 1 },
    });
    response.writeHead(200, { 'content-type': 'application/json' });
    if (fault?.kind === 'hang in the body') return void response.write(reply.slice(0, 20));
    response.end(reply);
  }
}

function vectorOf(text: string): number[] {
  return [...createHash('sha256').update(text).digest()].map((byte) => byte / 16 - 8);
}
