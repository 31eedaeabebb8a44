import { Backoff } from '../backoff.js';
import type { SpaceAddress } from '../projection.js';
import { Connection } from './connection.js';
import { Connections, type ConnectionLimits } from './connections.js';
import { ConnectionLost, isRefusedLogin, ServerSilent, spaceError } from './falkordb-errors.js';
import { GraphCommands } from './graph-commands.js';
import type { ServerAddress } from './server-address.js';
import type { TenantUsers } from './tenant-users.js';

/** A server as its tenants and its operator reach it. Rejects with `SpaceUnavailable` where it is away. */
export class FalkorDbServer {
  private readonly backoff = new Backoff();
  private readonly connections: Connections;

  constructor(
    private readonly address: ServerAddress,
    private readonly users: TenantUsers,
    limits: ConnectionLimits,
    private readonly connectMs: number,
  ) {
    this.connections = new Connections((login) => this.connect(login), limits);
  }

  /** Connections that are open now. */
  get connectionCount(): number {
    return this.connections.size;
  }

  /**
   * Works on one tenant's graph, as that tenant's own user of the store: whatever the work asks for, the store gives
   * it nothing else. The user is made where the store does not know it: new, lost in a restart, or rotated.
   */
  async asTenant<T>(address: SpaceAddress, work: (graph: GraphCommands) => Promise<T>): Promise<T> {
    const login = this.users.login(address);
    const use = () => this.connections.use(login, (own) => work(new GraphCommands(own, address.name)));
    return this.guarded(address.name, async () => {
      try {
        return await use();
      } catch (error) {
        if (!isRefusedLogin(error)) throw error;
        await this.send(this.users.making(address));
        return use();
      }
    });
  }

  /** The same for work that changes nothing: a connection that had ended unnoticed is replaced, once. */
  async readAsTenant<T>(address: SpaceAddress, work: (graph: GraphCommands) => Promise<T>): Promise<T> {
    const once = async (graph: GraphCommands): Promise<{ done: T } | null> => {
      try {
        return { done: await work(graph) };
      } catch (error) {
        if (error instanceof ConnectionLost && !(error instanceof ServerSilent)) return null;
        throw error;
      }
    };
    const first = await this.asTenant(address, once);
    return first === null ? this.asTenant(address, work) : first.done;
  }

  /** Removes a tenant's graph and its user. */
  async remove(address: SpaceAddress, removeGraph: (graph: GraphCommands) => Promise<void>): Promise<void> {
    await this.guarded(address.name, async () => {
      await this.connections.use(this.address.operator, (operator) =>
        removeGraph(new GraphCommands(operator, address.name)),
      );
      await this.send(this.users.removing(address));
    });
  }

  async ping(): Promise<void> {
    await this.guarded('ping', () => this.send(['PING']));
  }

  close(): void {
    this.connections.close();
  }

  private send(command: string[]): Promise<unknown> {
    return this.connections.use(this.address.operator, (operator) => operator.send(command, this.connectMs));
  }

  private async connect(login: Parameters<typeof Connection.open>[1]): Promise<Connection> {
    try {
      return await Connection.open(this.address, login, this.connectMs);
    } catch (error) {
      if (error instanceof ConnectionLost) this.backoff.failed();
      throw error;
    }
  }

  /** Says at once that the server is away where it was found so a moment ago. */
  private async guarded<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      if (!(await this.backoff.admits(() => this.send(['PING']))))
        throw new ConnectionLost('found away a moment ago');
      const done = await work();
      this.backoff.succeeded();
      return done;
    } catch (error) {
      if (error instanceof ServerSilent) {
        this.backoff.failed();
        // Those that lie idle have as likely been forgotten by whatever lies between.
        this.connections.closeIdle();
      }
      throw spaceError(error, name);
    }
  }
}
