import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Client } from 'pg';
import { LedgerConnection } from '../ledger/ledger-connection.js';
import type { LedgerWrite } from '../ledger/ledger-write.js';
import { Database } from '../platform/database/database.js';
import { isPlausible } from './api-key.js';
import { JwtBearers, looksLikeJwt } from './jwt-bearers.js';
import type { TenantPrincipal } from './principal.js';
import { TenantDirectory } from './tenant-directory.js';
import { MasterKey } from './tenant-key.js';
import type { TenantId } from './tenant.js';

/** PostgreSQL's channel; the payload is the id of the tenant whose keys or state changed. */
export const PRINCIPALS_CHANNEL = 'loci_principals';

/** Tells every replica, once this transaction commits, that what its tenant's callers may do has changed. */
export async function announceChange(tx: LedgerWrite, tenantId: TenantId): Promise<void> {
  await tx.rows('SELECT pg_notify($1, $2)', [PRINCIPALS_CHANNEL, tenantId]);
}

/** What its session in PostgreSQL is called; the names of its master keys follow, for whoever rotates them. */
export const LISTENER = 'loci-listener';

/** Counted from before the query, so that what is served is never older than this. */
const FRESH_MS = 800;
const RECONNECT_MS = 1_000;

interface Entry {
  principal: TenantPrincipal;
  until: number;
}

/**
 * Principals by token, for at most 800 ms, and dropped at once when PostgreSQL says that their tenant changed.
 * So a revoked key or a suspended tenant is out within a second on every replica, also where NOTIFY fails.
 * Tokens are known here by their hash alone; unknown ones are not remembered.
 */
@Injectable()
export class PrincipalCache implements OnModuleInit, OnApplicationShutdown {
  private readonly entries = new LRUCache<string, Entry>({ max: 10_000 });
  private readonly loading = new Map<string, Promise<TenantPrincipal | null>>();
  /** Grows with every invalidation: what was read before one is not kept after it. */
  private generation = 0;
  private listener: Client | null = null;
  private closed = false;

  constructor(
    private readonly directory: TenantDirectory,
    private readonly jwts: JwtBearers,
    private readonly database: Database,
    private readonly connection: LedgerConnection,
    private readonly master: MasterKey,
  ) {}

  /** `hash`: the token's (`hashToken`). Null also for a token that can be none: the ledger is not asked. */
  async principalOf(token: string, hash: Buffer): Promise<TenantPrincipal | null> {
    const key = hash.toString('latin1');
    const entry = this.entries.get(key);
    if (entry !== undefined && entry.until > performance.now()) return entry.principal;
    const underWay = this.loading.get(key);
    if (underWay !== undefined) return underWay;
    if (!isPlausible(token) && !looksLikeJwt(token)) return null;
    const load = this.load(key, token, hash).finally(() => this.loading.delete(key));
    this.loading.set(key, load);
    return load;
  }

  /** Forgets a tenant's principals, or all of them. */
  forget(tenantId?: string): void {
    this.generation++;
    this.loading.clear();
    if (tenantId === undefined) {
      this.entries.clear();
      return;
    }
    for (const [key, entry] of this.entries) {
      if (entry.principal.tenant.id === tenantId) this.entries.delete(key);
    }
  }

  async onModuleInit(): Promise<void> {
    await this.listen();
  }

  async onApplicationShutdown(): Promise<void> {
    this.closed = true;
    await this.listener?.end().catch(() => undefined);
  }

  private async load(key: string, token: string, hash: Buffer): Promise<TenantPrincipal | null> {
    const now = performance.now();
    const generation = this.generation;
    const member = looksLikeJwt(token) ? await this.jwts.bearerOf(token, key) : null;
    const principal =
      member?.principal ?? (isPlausible(token) ? await this.directory.principalOf(hash) : null);
    if (principal !== null && generation === this.generation) {
      const believed = member === null ? FRESH_MS : Math.min(FRESH_MS, member.until - Date.now());
      this.entries.set(key, { principal, until: now + believed });
    }
    return principal;
  }

  private async listen(): Promise<void> {
    const client = new Client({
      ...this.database.connection,
      application_name: `${LISTENER}/${this.master.names.map((name) => name.toString('hex')).join('+')}`,
      keepAlive: true,
    });
    client.on('notification', (message) => this.forget(message.payload));
    client.on('error', () => undefined);
    client.on('end', () => {
      this.listener = null;
      if (!this.closed) setTimeout(() => void this.reconnect(), RECONNECT_MS).unref();
    });
    await client.connect();
    await client.query(`LISTEN ${PRINCIPALS_CHANNEL}`);
    this.listener = client;
    // What was said while nobody listened is lost.
    this.forget();
  }

  private async reconnect(): Promise<void> {
    if (this.closed) return;
    await this.listen().then(
      () => this.connection.returned(),
      () => undefined,
    );
  }
}
