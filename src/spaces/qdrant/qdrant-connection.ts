import { QdrantClient } from '@qdrant/js-client-rest';
import { LRUCache } from 'lru-cache';
import type { Agent } from 'undici';
import type { SpaceName } from '../../tenancy/tenant.js';
import { SpaceUnavailable } from '../space-errors.js';
import { connectionBroke, hasAnswered, isAway, qdrantError } from './qdrant-errors.js';
import { QdrantLine } from './qdrant-line.js';
import { TOKEN_LIFE, tenantToken } from './tenant-token.js';

export interface QdrantOptions {
  /** `http://qdrant:6333`. Without a port: 6333. A path goes before every route. */
  url: string;
  /** The server's read-write key. Null: the server asks for none, and then only Loci itself keeps tenants apart. */
  apiKey: string | null;
  /** Connections that all tenants together hold open at the most. Default 32. */
  connections?: number;
  /** After so long without an answer a read is given up, and a write. Milliseconds; default 5,000 and 8,000. */
  readTimeout?: number;
  writeTimeout?: number;
  /**
   * A batch is sent in requests of roughly so many bytes. Default 1 MB: some 100 memories, few enough that writing them
   * as JSON lets other requests through in between. A server takes 32 MB by default.
   */
  requestBytes?: number;
}

export type QdrantApi = ReturnType<QdrantClient['api']>;
export type Patience = 'read' | 'write';

/** A server that was away is asked again by a question that costs it nothing, and for no longer than this. */
const KNOCK_MS = 1_000;

/** One identity's way into Qdrant. */
export class QdrantCaller {
  constructor(
    private readonly api: QdrantApi,
    private readonly line: QdrantLine,
    private readonly timeouts: Record<Patience, number>,
  ) {}

  /**
   * Asks, and once more where the connection broke: everything that Loci asks of Qdrant, writes too, has the same
   * effect once or twice. Rejects with `QdrantRefusal` where the server says no, else with `SpaceUnavailable`,
   * and at once where the server was away a moment ago.
   */
  async call<Result>(
    what: string,
    patience: Patience,
    ask: (api: QdrantApi, init: RequestInit) => Promise<{ data: { result?: Result } }>,
  ): Promise<Result> {
    if (!(await this.line.admits(() => this.knock())))
      throw new SpaceUnavailable(`Qdrant could not ${what}: it was away a moment ago`);
    const init = this.within(this.timeouts[patience]);
    for (let attempt = 1; ; attempt++) {
      try {
        const { data } = await ask(this.api, init);
        if (data.result === undefined) throw new Error('an answer without a result');
        return data.result;
      } catch (error) {
        if (attempt === 1 && connectionBroke(error)) continue;
        if (isAway(error)) this.line.fellSilent();
        throw qdrantError(error, what);
      }
    }
  }

  private async knock(): Promise<void> {
    try {
      await this.api.root({}, this.within(KNOCK_MS));
    } catch (error) {
      if (!hasAnswered(error)) throw error;
    }
  }

  private within(milliseconds: number): RequestInit & { dispatcher: Agent } {
    // Node's fetch takes the dispatcher of any undici of its own generation.
    return { signal: AbortSignal.timeout(milliseconds), dispatcher: this.line.agent };
  }
}

const CLIENTS_KEPT = 2_000;

/**
 * One pool of connections, and an identity for each caller: the operator's key makes and deletes collections, a tenant
 * gets a client of its own whose token opens its own collection and nothing else. No client ever changes identity.
 */
export class QdrantConnection {
  readonly operator: QdrantCaller;
  readonly requestBytes: number;
  private readonly line: QdrantLine;
  private readonly tenants = new LRUCache<SpaceName, { caller: QdrantCaller; until: number }>({
    max: CLIENTS_KEPT,
  });

  /** `now` in milliseconds since 1970. */
  constructor(
    private readonly options: QdrantOptions,
    private readonly now: () => number,
  ) {
    this.requestBytes = options.requestBytes ?? 2 ** 20;
    this.line = new QdrantLine(options.connections ?? 32);
    this.operator = this.caller(options.apiKey === null ? {} : { 'api-key': options.apiKey });
  }

  tenant(collection: SpaceName): QdrantCaller {
    const { apiKey } = this.options;
    if (apiKey === null) return this.operator;
    const now = this.now();
    const known = this.tenants.get(collection);
    if (known !== undefined && now < known.until) return known.caller;
    const caller = this.caller({ authorization: `Bearer ${tenantToken(apiKey, collection, now)}` });
    // Left behind well before it ends, so that no request under way outlives it.
    this.tenants.set(collection, { caller, until: now + (TOKEN_LIFE / 2) * 1000 });
    return caller;
  }

  close(): Promise<void> {
    return this.line.close();
  }

  private caller(headers: Record<string, string>): QdrantCaller {
    const { origin, pathname } = new URL(this.options.url);
    const client = new QdrantClient({
      url: origin,
      // The client looks for keys in headers too, but only shouts about plain HTTP where it is given one by name.
      headers,
      ...(pathname === '/' ? {} : { prefix: pathname.replace(/\/$/, '') }),
      checkCompatibility: false,
      timeout: Number.POSITIVE_INFINITY,
    });
    const { readTimeout: read = 5_000, writeTimeout: write = 8_000 } = this.options;
    return new QdrantCaller(client.api(), this.line, { read, write });
  }
}
