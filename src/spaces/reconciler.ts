import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ChangeFeed } from '../ledger/change-feed.js';
import { LedgerConnection } from '../ledger/ledger-connection.js';
import type { Tenant } from '../tenancy/principal.js';
import { Settings } from '../platform/config/settings.js';
import { TenantDirectory } from '../tenancy/tenant-directory.js';
import { Spaces } from './spaces.js';

const EVERY_MS = 5 * 60_000;
const TENANTS_AT_ONCE = 200;

/**
 * Looks over all tenants, now and then and whenever the ledger was away: a store that is behind, or ahead because the
 * ledger was restored to an older state, is brought to where the ledger is. Cold spaces stay cold.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Reconciler.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly directory: TenantDirectory,
    private readonly feed: ChangeFeed,
    private readonly spaces: Spaces,
    private readonly connection: LedgerConnection,
    private readonly settings: Settings,
  ) {}

  /** An API process leaves it to the workers. */
  onApplicationBootstrap(): void {
    if (this.settings.role === 'api') return;
    this.timer = setInterval(() => this.look(), EVERY_MS).unref();
    this.connection.onReturn(() => this.look());
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    await this.running;
  }

  look(): void {
    this.running = this.running
      .then(async () => {
        await this.reconcile();
      })
      .catch((error: unknown) => this.logger.warn(`Reconciling goes on later: ${String(error)}`));
  }

  /** How many tenants were brought to where the ledger is. */
  async reconcile(): Promise<number> {
    let mended = 0;
    for await (const tenant of this.directory.activeTenants(TENANTS_AT_ONCE)) {
      if (this.stopping) break;
      if (await this.lags(tenant)) {
        await this.spaces.open(tenant).catchUp();
        mended++;
      }
    }
    if (mended > 0) this.logger.log(`${mended} tenants' spaces were not where their ledger is, and are now`);
    return mended;
  }

  private async lags(tenant: Tenant): Promise<boolean> {
    const space = this.spaces.peek(tenant);
    const [head, vectors, graph] = await Promise.all([
      this.feed.head(tenant),
      space.vectors.watermark(),
      space.graph.watermark(),
    ]);
    return [vectors, graph].some(
      ({ ledger, revision }) => ledger !== null && (ledger !== head.ledger || revision !== head.revision),
    );
  }
}
