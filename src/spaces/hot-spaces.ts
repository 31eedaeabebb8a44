import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SpaceEpochs } from '../ledger/space-epochs.js';
import { Database } from '../platform/database/database.js';
import type { Tenant } from '../tenancy/principal.js';
import { TenantDirectory } from '../tenancy/tenant-directory.js';
import type { TenantId } from '../tenancy/tenant.js';
import { Placements } from './placements.js';

/** So long a replica keeps to itself that a space which all know of was used again. */
const TELL_EVERY_MS = 10_000;

/**
 * Which tenants' spaces are in use, for placements that hold only so many. The longest idle one beyond that is
 * cooled: its epoch changes, so that nothing of it can be taken for current, and its stores are dropped. The next
 * touch wakes it by replay; the ledger keeps embeddings, so waking embeds nothing.
 *
 * The main database knows who is hot, so that the count is one for all replicas and outlives them. A space that a process
 * touches for the first time is told at once; that it goes on being used, every ten seconds.
 */
@Injectable()
export class HotSpaces implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(HotSpaces.name);
  /** By placement, since when this process knows of a space, and whether its last touch was told. */
  private readonly touched = new Map<string, Map<TenantId, { at: Date; told: boolean }>>();
  /** One after the other for each placement: what is counted is then what was told. */
  private readonly trimming = new Map<string, Promise<void>>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly placements: Placements,
    private readonly epochs: SpaceEpochs,
    private readonly database: Database,
    private readonly directory: TenantDirectory,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.tellAll(), TELL_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.tellAll();
  }

  touch({ id, placement }: Tenant): void {
    if (this.placements.of(placement).maxHotSpaces === null) return;
    const known = this.known(placement);
    const isNew = !known.has(id);
    known.set(id, { at: new Date(), told: false });
    if (isNew) void this.trim(placement);
  }

  /** A store that was found, whoever made it: one from before there was a limit, or before anybody remembered. */
  async found({ id, placement }: Tenant): Promise<void> {
    if (this.placements.of(placement).maxHotSpaces === null || this.known(placement).has(id)) return;
    await this.database.asSystem((manager) =>
      manager.query(
        `INSERT INTO hot_spaces (placement, tenant_id, touched_at) VALUES ($1, $2, 'epoch') ON CONFLICT DO NOTHING`,
        [placement, id],
      ),
    );
    await this.trim(placement);
  }

  /** Nothing of a tenant is kept hot where it was: it moved. */
  async forget({ id, placement }: Tenant): Promise<void> {
    this.known(placement).delete(id);
    await this.database.asSystem((manager) =>
      manager.query('DELETE FROM hot_spaces WHERE placement = $1 AND tenant_id = $2', [placement, id]),
    );
  }

  private known(placement: string): Map<TenantId, { at: Date; told: boolean }> {
    const known = this.touched.get(placement) ?? new Map<TenantId, { at: Date; told: boolean }>();
    this.touched.set(placement, known);
    return known;
  }

  private async tellAll(): Promise<void> {
    const withNews = [...this.touched].filter(([, known]) => [...known.values()].some(({ told }) => !told));
    await Promise.all(withNews.map(([placement]) => this.trim(placement)));
  }

  /** Tells what was touched, and cools what is then beyond the limit. */
  private trim(placement: string): Promise<void> {
    const before = this.trimming.get(placement) ?? Promise.resolve();
    const next = before
      .then(() => this.trimNow(placement))
      .catch((error: unknown) => {
        this.logger.warn(`What ${placement} holds cannot be looked after just now: ${String(error)}`);
      });
    this.trimming.set(placement, next);
    return next;
  }

  private async trimNow(placement: string): Promise<void> {
    const { maxHotSpaces } = this.placements.of(placement);
    const known = this.known(placement);
    const news = [...known].filter(([, { told }]) => !told);
    const beyond = await this.database.asSystem(async (manager) => {
      // Two that count at once would each miss what the other tells.
      await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`hot ${placement}`]);
      await manager.query(TELL, [placement, news.map(([id]) => id), news.map(([, { at }]) => at)]);
      const [rows] = await manager.query<[{ tenant_id: TenantId }[], number]>(TRIM, [
        placement,
        maxHotSpaces,
      ]);
      return rows.map((row) => row.tenant_id);
    });
    for (const [id, touch] of news) {
      if (known.get(id) === touch) known.set(id, { ...touch, told: true });
    }
    await Promise.all(beyond.map((id) => this.cool(id, placement)));
  }

  private async cool(id: TenantId, placement: string): Promise<void> {
    this.known(placement).delete(id);
    try {
      const tenant = await this.directory.tenantById(id);
      if (tenant === null || tenant.placement !== placement) return;
      // One that is moving is dropped by its mover.
      if (!(await this.epochs.advance(tenant))) return;
      const { vectors, graphs } = this.placements.of(placement);
      const address = { tenant: tenant.id, name: tenant.space };
      await vectors.drop(address);
      await graphs.drop(address);
    } catch (error) {
      this.logger.warn(`A space in ${placement} could not be cooled: ${String(error)}`);
      // It is still there, so it still counts.
      await this.database.asSystem((manager) => manager.query(TELL, [placement, [id], [new Date(0)]]));
    }
  }
}

/** In one order, so that replicas do not wait for each other in a circle; without tenants that were purged meanwhile. */
const TELL = `
INSERT INTO hot_spaces (placement, tenant_id, touched_at)
SELECT $1, t.id, n.at FROM unnest($2::uuid[], $3::timestamptz[]) AS n (id, at) JOIN tenants t ON t.id = n.id AND t.placement = $1
ORDER BY t.id
ON CONFLICT (placement, tenant_id) DO UPDATE SET touched_at = greatest(hot_spaces.touched_at, excluded.touched_at)`;

/** The longest idle beyond the limit; pinned ones count, and stay. */
const TRIM = `
DELETE FROM hot_spaces WHERE placement = $1 AND tenant_id IN (
  SELECT h.tenant_id FROM hot_spaces h JOIN tenants t ON t.id = h.tenant_id
  WHERE h.placement = $1 AND t.settings -> 'pinned' IS DISTINCT FROM 'true'::jsonb
  ORDER BY h.touched_at, h.tenant_id
  LIMIT greatest(0, (SELECT count(*) FROM hot_spaces WHERE placement = $1) - $2)
) RETURNING tenant_id`;
