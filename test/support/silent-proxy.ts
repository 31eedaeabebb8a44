import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP proxy whose server can fall silent: connections stay open, questions arrive, and answers are held back. */
export class SilentProxy {
  private readonly answers = new Set<Socket>();
  private silent = false;

  private constructor(private readonly server: Server) {}

  /** `to`: what `net.createConnection` takes. */
  static async start(to: { host: string; port: number } | { path: string }): Promise<SilentProxy> {
    const server = createServer();
    const proxy = new SilentProxy(server);
    server.on('connection', (caller) => proxy.join(caller, createConnection(to)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  fallSilent(): void {
    this.silent = true;
    for (const answers of this.answers) answers.pause();
  }

  /** What was held back arrives now. */
  speak(): void {
    this.silent = false;
    for (const answers of this.answers) answers.resume();
  }

  async stop(): Promise<void> {
    for (const answers of this.answers) answers.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(caller: Socket, server: Socket): void {
    this.answers.add(server);
    caller.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => caller.write(bytes));
    if (this.silent) server.pause();
    for (const [one, other] of [
      [caller, server],
      [server, caller],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => {
        this.answers.delete(server);
        other.destroy();
      });
    }
  }
}
