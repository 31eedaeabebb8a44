import type { Connection } from './connection.js';
import { ConnectionLost } from './falkordb-errors.js';
import type { Login } from './server-address.js';

export interface ConnectionLimits {
  /** Connections of all logins together. */
  total: number;
  /** Connections of one login. */
  each: number;
  /** How long a caller waits for one, milliseconds. */
  waitMs: number;
}

interface Waiting {
  login: Login;
  grant: (connection: Promise<Connection>) => void;
}

/**
 * Connections, each of one login for its whole life: none is ever switched to another. The one that was idle for
 * longest makes room where the limit is reached.
 */
export class Connections {
  /** Idle ones, the longest idle first. */
  private readonly idle = new Map<Connection, Login>();
  /** How many each login has: idle, in use, or being opened. */
  private readonly held = new Map<string, number>();
  private readonly inUse = new Set<Connection>();
  private waiting: Waiting[] = [];
  private total = 0;
  private closed = false;

  constructor(
    private readonly open: (login: Login) => Promise<Connection>,
    private readonly limits: ConnectionLimits,
  ) {}

  /** How many there are. */
  get size(): number {
    return this.total;
  }

  /** Rejects with `ConnectionLost` where none becomes free in time. The connection is the work's alone meanwhile. */
  async use<T>(login: Login, work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.acquire(login);
    this.inUse.add(connection);
    try {
      return await work(connection);
    } finally {
      this.inUse.delete(connection);
      this.release(connection, login);
    }
  }

  /** Idle ones at once, those in use with what they are used for. */
  close(): void {
    this.closed = true;
    this.closeIdle();
    for (const connection of this.inUse) connection.close();
    for (const { grant } of this.waiting.splice(0)) grant(Promise.reject(new ConnectionLost('closed')));
  }

  closeIdle(): void {
    for (const connection of [...this.idle.keys()]) connection.close();
  }

  private acquire(login: Login): Promise<Connection> {
    return this.tryAcquire(login) ?? this.wait(login);
  }

  private wait(login: Login): Promise<Connection> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        login,
        grant: (connection) => {
          clearTimeout(timer);
          resolve(connection);
        },
      };
      const timer = setTimeout(() => {
        this.waiting = this.waiting.filter((other) => other !== waiting);
        resolve(Promise.reject(new ConnectionLost(`no connection was free within ${this.limits.waitMs} ms`)));
      }, this.limits.waitMs);
      this.waiting.push(waiting);
    });
  }

  /** Null: the limits are reached. */
  private tryAcquire(login: Login): Promise<Connection> | null {
    if (this.closed) return Promise.reject(new ConnectionLost('closed'));
    const own = this.idleOf(login);
    if (own !== undefined) {
      this.idle.delete(own);
      return Promise.resolve(own);
    }
    if (this.heldBy(login) >= this.limits.each) return null;
    if (this.total >= this.limits.total) {
      const longest = this.idle.keys().next().value;
      if (longest === undefined) return null;
      longest.close();
      // Its end may have served somebody who waited.
      if (this.total >= this.limits.total) return null;
    }
    return this.make(login);
  }

  private idleOf(login: Login): Connection | undefined {
    // The one used last: the others may grow old and be given up.
    let found: Connection | undefined;
    if (this.heldBy(login) === 0) return found;
    for (const [connection, { key }] of this.idle) if (key === login.key) found = connection;
    return found;
  }

  private async make(login: Login): Promise<Connection> {
    this.count(login, 1);
    try {
      const connection = await this.open(login);
      connection.onEnd(() => {
        this.idle.delete(connection);
        this.count(login, -1);
        this.serve();
      });
      return connection;
    } catch (error) {
      this.count(login, -1);
      this.serve();
      throw error;
    }
  }

  private release(connection: Connection, login: Login): void {
    if (!connection.isOpen || this.closed) connection.close();
    else this.idle.set(connection, login);
    this.serve();
  }

  /** Whoever can be served, first come first. One that waits for its own login's limit holds up nobody else. */
  private serve(): void {
    for (const waiting of [...this.waiting]) {
      if (!this.waiting.includes(waiting)) continue;
      const connection = this.tryAcquire(waiting.login);
      if (connection === null) continue;
      this.waiting = this.waiting.filter((other) => other !== waiting);
      waiting.grant(connection);
    }
  }

  private heldBy(login: Login): number {
    return this.held.get(login.key) ?? 0;
  }

  private count(login: Login, change: 1 | -1): void {
    this.total += change;
    const held = this.heldBy(login) + change;
    if (held === 0) this.held.delete(login.key);
    else this.held.set(login.key, held);
  }
}
