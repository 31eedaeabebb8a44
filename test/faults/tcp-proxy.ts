import {
  connect,
  createServer,
  type AddressInfo,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net';

/**
 * What the line does to bytes: `open` passes them on, `late` after a while, `silent` takes connections and bytes and
 * passes nothing on (a half-open line: nobody is told), `shut` refuses.
 */
export type Line = 'open' | 'silent' | 'shut' | { lateMs: number };

interface Pair {
  near: Socket;
  far: Socket;
  /** What the line was when it was turned; a line that fell silent stays so. */
  dead: boolean;
}

/** A server as seen through a line that can be cut. On the loopback. */
export class TcpProxy {
  private line: Line = 'open';
  private readonly pairs = new Set<Pair>();
  private readonly server: Server;

  private constructor(private readonly target: NetConnectOpts) {
    this.server = createServer((near) => this.take(near));
  }

  /** `target`: a port of the loopback, or the path of a socket. */
  static async to(target: { port: number } | { path: string }): Promise<TcpProxy> {
    const proxy = new TcpProxy('port' in target ? { ...target, host: '127.0.0.1' } : target);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Connections that pass through now. */
  get size(): number {
    return this.pairs.size;
  }

  /** From now on, for those that are there and those that come. */
  turn(line: Line): void {
    this.line = line;
    if (line === 'shut') this.cut();
  }

  /** Breaks every connection, in the middle of whatever they carry. */
  cut(): void {
    for (const { near, far } of this.pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  }

  /** Those that are there fall silent and stay so, as where a router has forgotten them; new ones pass. */
  forget(): void {
    for (const pair of this.pairs) pair.dead = true;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take(near: Socket): void {
    near.on('error', () => undefined);
    if (this.line === 'shut') return void near.resetAndDestroy();
    const far = connect(this.target);
    const pair: Pair = { near, far, dead: false };
    this.pairs.add(pair);
    far.on('error', () => undefined);
    this.pass(pair, near, far);
    this.pass(pair, far, near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('close', () => {
        // Whoever is at a silent line's other end is not told.
        if (!pair.dead && this.line !== 'silent') other.destroy();
        if (near.destroyed && far.destroyed) this.pairs.delete(pair);
      });
    }
  }

  private pass(pair: Pair, from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      const { line } = this;
      if (line === 'silent') pair.dead = true;
      if (pair.dead || to.destroyed) return;
      if (typeof line === 'object') setTimeout(() => void (to.destroyed || to.write(bytes)), line.lateMs);
      else to.write(bytes);
    });
  }
}
