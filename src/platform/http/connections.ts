import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Server as TlsServer } from 'node:tls';

const SENT_LOOK_MS = 20;

/** Who is connected, as far as a stop must know: Node waits for each that has begun a request, whether or not it ever ends. */
export class Connections {
  private readonly open = new Set<Socket>();

  /** Call it before the server listens. */
  constructor(server: Server) {
    server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.open.add(socket);
      socket.once('close', () => this.open.delete(socket));
    });
  }

  /** Resolves once all that was answered is sent, or after so long: a server that closes drops what is not. */
  async sent(withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    while (performance.now() < until && [...this.open].some(({ writableLength }) => writableLength > 0)) {
      await pause(SENT_LOOK_MS);
    }
  }

  /** Breaks off with those whose request has not arrived as a whole: nothing of it was accepted. */
  dropUnsent(): void {
    for (const socket of this.open) {
      // Node's own place for the answer that a connection waits for.
      const { _httpMessage: answer } = socket as { _httpMessage?: ServerResponse | null };
      if (answer?.req.complete !== true) socket.destroy();
    }
  }
}
