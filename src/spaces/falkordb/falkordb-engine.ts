import { GraphEngine, type GraphSpace } from '../graph-space.js';
import type { SpaceAddress } from '../projection.js';
import type { ConnectionLimits } from './connections.js';
import { deleteGraph, FalkorDbGraphSpace, type QueryTimeouts } from './falkordb-graph-space.js';
import { FalkorDbServer } from './falkordb-server.js';
import { parseServerAddress } from './server-address.js';
import { TenantUsers, type UserSecret } from './tenant-users.js';

export interface FalkorDbOptions {
  /** `falkor[s]://[user[:password]@]host[:port]`: the operator's login, who may make users (`ACL SETUSER`). */
  url: string;
  /** What the passwords of the tenants' users are derived from. At least 32 bytes that nobody else knows. */
  secret: UserSecret;
  /** Connections of this process: all together (default 256), for one tenant (4), the wait for one (1,000 ms). */
  connections?: Partial<ConnectionLimits>;
  /**
   * Milliseconds. Connecting (default 2,000); a reading query (1,500) and a writing one (8,000). The server takes none
   * above its TIMEOUT_MAX, and gives up writing queries only where it has one; elsewhere we stop waiting for it.
   */
  timeouts?: Partial<QueryTimeouts & { connectMs: number }>;
}

/**
 * One graph for each tenant in a FalkorDB server, `memories_<slug>`, each reached by a user of its own.
 * Nothing is connected before it is needed: the server may be away when we start.
 */
export class FalkorDbEngine extends GraphEngine {
  readonly kind = 'falkordb';
  private readonly server: FalkorDbServer;
  private readonly timeouts: QueryTimeouts;

  constructor({ url, secret, connections = {}, timeouts = {} }: FalkorDbOptions) {
    super();
    const { connectMs = 2_000, readMs = 1_500, writeMs = 8_000 } = timeouts;
    const limits = { total: 256, each: 4, waitMs: 1_000, ...connections };
    this.timeouts = { readMs, writeMs };
    this.server = new FalkorDbServer(parseServerAddress(url), new TenantUsers(secret), limits, connectMs);
  }

  /** Connections that are open now. */
  get connectionCount(): number {
    return this.server.connectionCount;
  }

  open(address: SpaceAddress): GraphSpace {
    return new FalkorDbGraphSpace(this.server, address, this.timeouts);
  }

  /** The graph, and the tenant's user. */
  async drop(address: SpaceAddress): Promise<void> {
    await this.server.remove(address, (graph) => deleteGraph(graph, this.timeouts.writeMs));
  }

  async ping(): Promise<void> {
    await this.server.ping();
  }

  /** Ends every connection, and what is under way on them. */
  close(): Promise<void> {
    this.server.close();
    return Promise.resolve();
  }
}
