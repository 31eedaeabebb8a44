import { createConnection, type Socket } from 'node:net';

/** When its caller goes: so many milliseconds after it was sent, half-way through sending it, as it is answered, or never. */
export type Goes = number | 'half-way' | 'as it is answered' | 'never';

export interface Heard {
  /** Null: no answer had begun. */
  status: number | null;
  /** Everything that arrived until the caller went. */
  text: string;
}

/** One request over a connection of its own, whose caller may go away at any moment. What arrived is told. */
export function sendAndGo(url: string, request: string, goes: Goes): Promise<Heard> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let text = '';
    const socket: Socket = createConnection({ host: hostname, port: Number(port), noDelay: true });
    const go = (): void => void socket.resetAndDestroy();
    socket.setEncoding('utf8');
    socket.on('data', (some: string) => {
      text += some;
      if (goes === 'as it is answered') go();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      resolve({ status: status === undefined ? null : Number(status), text });
    });
    socket.on('connect', () => {
      if (goes === 'half-way') socket.write(request.slice(0, Math.ceil(request.length / 2)), go);
      else {
        socket.write(request);
        if (goes === 0) setImmediate(go);
        else if (typeof goes === 'number') setTimeout(go, goes);
      }
    });
  });
}

/** As it is sent; the server ends the connection after its answer. */
export function requestText(method: string, path: string, token: string, body?: unknown): string {
  const json = body === undefined ? '' : JSON.stringify(body);
  const head = [
    `${method} ${path} HTTP/1.1`,
    'Host: loci',
    `Authorization: Bearer ${token}`,
    'Connection: close',
    ...(body === undefined
      ? []
      : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(json)}`]),
  ];
  return `${head.join('\r\n')}\r\n\r\n${json}`;
}
