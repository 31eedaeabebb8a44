import { createClient, ErrorReply } from '@redis/client';
import { ConnectionLost, ServerSilent } from './falkordb-errors.js';
import type { Login, ServerAddress } from './server-address.js';

/** A connection that nobody used for so long is closed, so that idle tenants cost the server nothing. */
const IDLE_MS = 300_000;

type Client = ReturnType<typeof clientOf>;

/**
 * One authenticated connection, for one command at a time.
 *
 * It ends with the first command that takes too long, so that a late reply has nobody left to be handed to, and it
 * never reconnects by itself: who needs another one opens it.
 *
 * Made by the Redis client and not by `FalkorDB.connect()`: that one has no listener for errors until it is
 * connected, so a connection that is reset during the handshake ends the whole process (falkordb 6.6.2).
 */
export class Connection {
  private ended: ConnectionLost | null = null;
  private readonly endings: (() => void)[] = [];

  private constructor(private readonly client: Client) {
    client.on('error', (error: Error) => this.end(error.message, error));
    client.on('end', () => this.end('closed'));
  }

  /** Rejects with `ConnectionLost` where the server is away or silent, with the server's own error where it refuses. */
  static async open(address: ServerAddress, login: Login, timeoutMs: number): Promise<Connection> {
    const client = clientOf(address, login, timeoutMs);
    const connection = new Connection(client);
    try {
      await connection.within(timeoutMs, client.connect());
    } catch (error) {
      connection.close();
      throw error instanceof ErrorReply ? error : lost(error);
    }
    return connection;
  }

  get isOpen(): boolean {
    return this.ended === null && this.client.isReady;
  }

  onEnd(ending: () => void): void {
    if (this.ended === null) this.endings.push(ending);
    else ending();
  }

  /** Rejects with `ConnectionLost`, or with the error that the server answered. */
  async send(args: string[], timeoutMs: number): Promise<unknown> {
    if (this.ended !== null) throw this.ended;
    try {
      return await this.within(timeoutMs, this.client.sendCommand(args));
    } catch (error) {
      if (error instanceof ErrorReply) throw error;
      this.close();
      throw lost(error);
    }
  }

  close(): void {
    this.end('closed');
    if (this.client.isOpen) this.client.destroy();
  }

  private end(reason: string, cause?: Error): void {
    if (this.ended !== null) return;
    this.ended = new ConnectionLost(reason, { cause });
    for (const ending of this.endings.splice(0)) ending();
  }

  private async within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new ServerSilent(`no answer within ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
      // Whichever came too late has been answered for.
      work.catch(() => undefined);
    }
  }
}

/**
 * Never connected, only duplicated: to make a client from options that were not seen before takes the Redis client
 * 20 ms or more of this process's time, since it attaches every command to a new class (@redis/client 5.12.1).
 */
const template = createClient({
  disableOfflineQueue: true,
  // A tenant's user may do what a tenant needs, and telling the client's name is not that.
  disableClientInfo: true,
  maintNotifications: 'disabled',
});

function clientOf({ host, port, tls }: ServerAddress, { username, password }: Login, connectTimeout: number) {
  const common = { host, port, connectTimeout, socketTimeout: IDLE_MS, reconnectStrategy: false } as const;
  return template.duplicate({
    socket: tls ? { ...common, tls: true } : common,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
  });
}

function lost(error: unknown): ConnectionLost {
  if (error instanceof ConnectionLost) return error;
  return new ConnectionLost(error instanceof Error ? error.message : String(error), { cause: error });
}
