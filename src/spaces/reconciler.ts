import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ChangeFeed } from '../ledger/change-feed.js';
import { MAIN } from '../ledger/homes.js';
import { LedgerConnection } from '../ledger/ledger-connection.js';
import type { Tenant } from '../tenancy/principal.js';
import { isLedgerAway } from '../platform/errors/ledger-away.js';
import { Settings } from '../platform/config/settings.js';
import { TenantDirectory } from '../tenancy/tenant-directory.js';
import type { GraphEngine } from './graph-space.js';
import { HotSpaces } from './hot-spaces.js';
import { Placements } from './placements.js';
import { Spaces } from './spaces.js';
import type { VectorEngine } from './vector-space.js';

const EVERY_MS = 5 * 60_000;
const ENGINES_EVERY_MS = 1_000;
const TENANTS_AT_ONCE = 200;

/**
 * Looks over all tenants: at the start, now and then, and whenever the ledger or an engine was away. A store that is
 * behind, or ahead because the ledger was restored to an older state, is brought to where the ledger is. Cold spaces
 * stay cold.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Reconciler.name);
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly away = new Set<VectorEngine | GraphEngine>();
  private running: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly directory: TenantDirectory,
    private readonly feed: ChangeFeed,
    private readonly spaces: Spaces,
    private readonly placements: Placements,
    private readonly hot: HotSpaces,
    private readonly connection: LedgerConnection,
    private readonly settings: Settings,
  ) {}

  /** An API process leaves it to the workers. */
  onApplicationBootstrap(): void {
    if (this.settings.role === 'api') return;
    this.timers.push(setInterval(() => this.look(), EVERY_MS).unref());
    this.timers.push(setInterval(() => void this.watch(), ENGINES_EVERY_MS).unref());
    this.connection.onReturn(() => this.look());
    this.look();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping = true;
    for (const timer of this.timers) clearInterval(timer);
    await this.running;
  }

  look(): void {
    this.running = this.running
      .then(async () => {
        await this.reconcile();
      })
      .catch((error: unknown) => this.logger.warn(`Reconciling goes on later: ${String(error)}`));
  }

  /** How many tenants were brought to where the ledger is. What keeps one tenant keeps no other. */
  async reconcile(): Promise<number> {
    let mended = 0;
    const left: unknown[] = [];
    for await (const tenant of this.directory.activeTenants(TENANTS_AT_ONCE)) {
      if (this.stopping) break;
      try {
        if (!(await this.lags(tenant))) continue;
        // Looking after a space is no use of it.
        await this.spaces.peek(tenant).catchUp();
        mended++;
      } catch (error) {
        // A database of a placement's own keeps only its own tenants.
        if (isLedgerAway(error) && tenant.home === MAIN) throw error;
        left.push(error);
      }
    }
    if (mended > 0) this.logger.log(`${mended} tenants' spaces were not where their ledger is, and are now`);
    if (left.length > 0)
      this.logger.warn(`${left.length} tenants' spaces could not be mended: ${String(left[0])}`);
    return mended;
  }

  /** An engine that was away may have come back with less than it had. */
  private async watch(): Promise<void> {
    const engines = new Set(this.placements.all.flatMap(({ vectors, graphs }) => [vectors, graphs]));
    const returned = await Promise.all(
      // An embedded one goes and comes with us.
      [...engines].filter(({ kind }) => kind !== 'embedded').map((engine) => this.hasReturned(engine)),
    );
    if (returned.includes(true)) this.look();
  }

  private async hasReturned(engine: VectorEngine | GraphEngine): Promise<boolean> {
    try {
      await engine.ping();
      return this.away.delete(engine);
    } catch {
      this.away.add(engine);
      return false;
    }
  }

  /** Cold is who has nothing anywhere: cooling takes both, a store that was lost takes one. */
  private async lags(tenant: Tenant): Promise<boolean> {
    const space = this.spaces.peek(tenant);
    const [head, ...watermarks] = await Promise.all([
      this.feed.head(tenant),
      space.vectors.watermark(),
      space.graph.watermark(),
    ]);
    if (watermarks.every(({ ledger }) => ledger === null)) return false;
    await this.hot.found(tenant);
    return watermarks.some(({ ledger, revision }) => ledger !== head.ledger || revision !== head.revision);
  }
}
