import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LedgerSignal } from '../../ledger/ledger-signal.js';
import { TenantRevisions } from '../../ledger/tenant-revisions.js';
import type { TenantId } from '../../tenancy/tenant.js';

const LOOK_EVERY_MS = 500;

interface Watched {
  /** As last heard. Null: not yet. */
  revision: number | null;
  listeners: Set<() => void>;
}

/**
 * Tells when a tenant's ledger has changed: at once where this process wrote, and within half a second where another did.
 * One question for all tenants who are listened to, whatever the number of listeners. It is asked, and not announced by
 * the writers: PostgreSQL lets only one transaction at a time commit that has something to announce.
 */
@Injectable()
export class RevisionWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(RevisionWatch.name);
  private readonly watched = new Map<TenantId, Watched>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | null = null;
  private stopListening: () => void = () => undefined;

  constructor(
    private readonly signal: LedgerSignal,
    private readonly revisions: TenantRevisions,
  ) {}

  onApplicationBootstrap(): void {
    this.stopListening = this.signal.onWrite(({ tenant, revision }) => this.heard(tenant.id, revision));
    this.timer = setInterval(() => {
      this.looking ??= this.look().finally(() => (this.looking = null));
    }, LOOK_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.stopListening();
    await this.looking;
  }

  /** `listener` is called whenever the revision is another one than before; it may be called in vain. */
  watch(tenant: TenantId, listener: () => void): () => void {
    const watched = this.watched.get(tenant) ?? { revision: null, listeners: new Set() };
    this.watched.set(tenant, watched);
    watched.listeners.add(listener);
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size === 0 && this.watched.get(tenant) === watched) this.watched.delete(tenant);
    };
  }

  private async look(): Promise<void> {
    if (this.watched.size === 0) return;
    try {
      for (const [tenant, revision] of await this.revisions.of([...this.watched.keys()]))
        this.heard(tenant, revision);
    } catch (error) {
      this.logger.debug(`The ledgers will be looked at again: ${String(error)}`);
    }
  }

  private heard(tenant: TenantId, revision: number): void {
    const watched = this.watched.get(tenant);
    if (watched === undefined || watched.revision === revision) return;
    watched.revision = revision;
    for (const listener of watched.listeners) listener();
  }
}
