import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Database } from '../platform/database/database.js';
import { PRINCIPALS_CHANNEL } from '../tenancy/principal-cache.js';
import type { Tenant } from '../tenancy/principal.js';
import type { TenantId } from '../tenancy/tenant.js';
import { Erasure } from './erasure.js';
import { HomeMirror } from './home-mirror.js';
import { Homes, MAIN } from './homes.js';
import { LedgerCopy } from './ledger-copy.js';

/** Nothing is written for at most so long: the rest is copied and compared meanwhile, which takes far less. */
const FREEZE_SECONDS = 30;
/** No transaction lasts so long: PostgreSQL ends those that do. */
const OUTLIVED_SECONDS = 90;

/** Where a tenant goes. */
export interface Destination {
  placement: string;
  home: string;
  /** 1 where its projections are built anew there, under the epoch that comes; 0 where they stay as they are. */
  raise: 0 | 1;
}

/** The tenant's row as its home has it. */
interface HomeRow {
  home: string;
  epoch: string;
  revision: string;
  memory_count: string;
  embedding_model: string;
  retired_model: string | null;
  retired_at: Date | null;
  last_active_at: Date | null;
}

/**
 * Moves a ledger to another database while its tenant reads and writes. It is copied until the copy has caught up; then
 * nothing is written for a moment, the rest is copied and compared, and the old home's row names the new one. That one
 * statement decides: from then on the old database serves nobody, and whatever is interrupted goes on towards the new one.
 * What lay in the old one is erased once nobody can be reading it any more.
 */
@Injectable()
export class LedgerMove {
  private readonly logger = new Logger(LedgerMove.name);

  constructor(
    private readonly homes: Homes,
    private readonly mirror: HomeMirror,
    private readonly erasure: Erasure,
  ) {}

  /** How far the ledger is, and its copy where there is one on its way; null there: none is. */
  async progress(tenant: Tenant, to: string): Promise<{ ledger: number; copy: number | null }> {
    const row = await rowIn(await this.homes.of(tenant.home), tenant.id);
    const moves = !this.homes.same(tenant.home, this.homes.nameFor(to));
    const there = moves ? await rowIn(await this.homes.of(this.homes.nameFor(to)), tenant.id) : null;
    return { ledger: Number(row?.revision ?? 0), copy: moves ? Number(there?.revision ?? 0) : null };
  }

  /** Where the ledger is stays as it is: in one step, if nobody else has changed either. */
  async rename(tenant: Tenant, to: Destination): Promise<boolean> {
    const home = await this.homes.of(tenant.home);
    if (home === this.homes.main) {
      return home.asSystem(async (manager) => {
        const [, changed] = await manager.query<[unknown, number]>(RENAME, renaming(tenant, to));
        await announce(manager, tenant.id);
        return changed === 1;
      });
    }
    const [, changed] = await home.asSystem<[unknown, number]>((manager) =>
      manager.query(RENAME, renaming(tenant, to)),
    );
    // Or somebody was interrupted between the two.
    if (changed !== 1 && (await rowIn(home, tenant.id))?.home !== to.home) return false;
    return this.homes.main.asSystem(async (manager) => {
      const [, told] = await manager.query<[unknown, number]>(
        `UPDATE tenants SET home = $2, placement = $3, moving_to = NULL, updated_at = now()
         WHERE id = $1 AND moving_to = $3`,
        [tenant.id, to.home, to.placement],
      );
      await announce(manager, tenant.id);
      return told === 1;
    });
  }

  /**
   * The long part of moving a ledger: the tenant goes on writing meanwhile. False where it has left already, and all
   * that is missing is `change`.
   */
  async follow(tenant: Tenant, to: Destination): Promise<boolean> {
    const { from, into, row } = await this.bothEnds(tenant, to);
    if (row.home !== tenant.home) return false;
    if (to.home !== MAIN) {
      await this.homes.main.asSystem((manager) => this.mirror.settle(manager, tenant.id, into));
    }
    await this.copyOf(tenant, row, from, into).catchUp();
    return true;
  }

  /** The short part: true once the tenant lives there, false where others are at work. */
  async change(tenant: Tenant, to: Destination): Promise<boolean> {
    const { from, into, row } = await this.bothEnds(tenant, to);
    if (row.home === tenant.home && !(await this.leave(tenant, to, from, into))) return false;
    // It has left, whether just now or before somebody was interrupted: what follows can be done again and again.
    const left = await rowIn(from, tenant.id);
    if (left?.home !== to.home) return false;
    const arriving = [
      tenant.id,
      tenant.home,
      to.home,
      to.placement,
      Number(left.epoch) + to.raise,
      left.revision,
      left.memory_count,
      left.embedding_model,
      left.retired_model,
      left.retired_at,
      left.last_active_at,
    ];
    if (to.home !== MAIN) await into.asSystem((manager) => manager.query(ARRIVE, arriving));
    const told = await this.homes.main.asSystem(async (manager) => {
      // Where the main database is the new home, it becomes it in the same step in which it says so.
      if (to.home === MAIN) await manager.query(ARRIVE, arriving);
      const [, changed] = await manager.query<[unknown, number]>(TELL, [
        tenant.id,
        to.home,
        to.placement,
        tenant.home,
      ]);
      await announce(manager, tenant.id);
      return changed === 1;
    });
    // Whatever an operator has changed meanwhile.
    await this.mirror.push(tenant.id);
    return told;
  }

  /** What is left in homes that tenants have moved out of; of those that this process reaches. */
  async eraseLeft(): Promise<void> {
    const left = await this.homes.main.readAsSystem<{
      id: TenantId;
      leaving: string;
      usage_carried: boolean;
    }>(
      `SELECT id, leaving, usage_carried FROM tenants WHERE leaving = ANY($1) AND moving_to IS NULL ORDER BY id LIMIT 20`,
      [this.homes.names],
    );
    for (const { id, leaving, usage_carried: carried } of left) {
      try {
        const database = await this.homes.of(leaving);
        if (!(await isQuiet(database, id))) continue;
        if (leaving !== MAIN && !carried) await this.carryUsage(id, leaving, database);
        await this.erasure.eraseLedger(database, id);
        if (leaving !== MAIN) await this.erasure.forgetGuest(database, id);
        await this.homes.main.asSystem((manager) =>
          manager.query(
            'UPDATE tenants SET leaving = NULL WHERE id = $1 AND leaving = $2 AND moving_to IS NULL',
            [id, leaving],
          ),
        );
      } catch (error) {
        this.logger.warn(`What is left of ${id} in ${leaving} is erased later: ${String(error)}`);
      }
    }
  }

  private async bothEnds(
    tenant: Tenant,
    to: Destination,
  ): Promise<{ from: Database; into: Database; row: HomeRow }> {
    const [from, into] = [await this.homes.of(tenant.home), await this.homes.of(to.home)];
    const row = await rowIn(from, tenant.id);
    if (row === null) throw new Error(`${tenant.home} does not know ${tenant.slug}`);
    return { from, into, row };
  }

  private copyOf(tenant: Tenant, { epoch }: HomeRow, from: Database, into: Database): LedgerCopy {
    return new LedgerCopy(tenant.id, from, into, `${tenant.home}:${epoch}`);
  }

  /** Freezes, copies the rest, compares, and lets the old home's row name the new one. */
  private async leave(tenant: Tenant, to: Destination, from: Database, into: Database): Promise<boolean> {
    const [frozen] = await from.asSystem<[{ frozen_until: string; epoch: string }[], number]>((manager) =>
      manager.query(FREEZE, [tenant.id, tenant.home, FREEZE_SECONDS]),
    );
    const [freeze] = frozen;
    if (freeze === undefined) return false;
    const frozenAt = performance.now();
    try {
      const row = await rowIn(from, tenant.id);
      if (row === null) return false;
      const copy = this.copyOf(tenant, row, from, into);
      await copy.catchUp();
      await copy.takeWhole();
      await copy.compare();
      const [, changed] = await from.asSystem<[unknown, number]>((manager) =>
        manager.query(LEAVE, [tenant.id, tenant.home, to.home, freeze.frozen_until, row.epoch, row.revision]),
      );
      if (changed === 1) {
        const ms = Math.round(performance.now() - frozenAt);
        this.logger.log(
          `${tenant.space} left ${tenant.home} for ${to.home}; nothing was written for ${ms} ms`,
        );
        return true;
      }
      throw new Error('The ledger changed while nothing was to be written');
    } catch (error) {
      await from.asSystem((manager) => manager.query(THAW, [tenant.id, tenant.home, freeze.frozen_until]));
      throw error;
    }
  }

  /** Added to what the main database counts, once: the mark is set in the same transaction. */
  private async carryUsage(id: TenantId, leaving: string, database: Database): Promise<void> {
    const [counted] = await database.readAsSystem<{ json: string }>(
      `SELECT coalesce(json_agg(u), '[]')::text AS json FROM usage_counters u WHERE tenant_id = $1`,
      [id],
    );
    await this.homes.main.asSystem(async (manager) => {
      const [, marked] = await manager.query<[unknown, number]>(
        'UPDATE tenants SET usage_carried = true WHERE id = $1 AND leaving = $2 AND NOT usage_carried',
        [id, leaving],
      );
      if (marked !== 1) return;
      await manager.query(
        `INSERT INTO usage_counters SELECT * FROM json_populate_recordset(NULL::usage_counters, $1::json)
         ON CONFLICT (tenant_id, workspace_id, meter, hour) DO UPDATE SET quantity = usage_counters.quantity + excluded.quantity`,
        [counted?.json ?? '[]'],
      );
    });
  }
}

async function rowIn(database: Database, id: TenantId): Promise<HomeRow | null> {
  const [row] = await database.asSystem<HomeRow[]>((manager) =>
    manager.query(
      `SELECT home, epoch, revision, memory_count, embedding_model, retired_model, retired_at, last_active_at
       FROM tenants WHERE id = $1`,
      [id],
    ),
  );
  return row ?? null;
}

function renaming(tenant: Tenant, to: Destination): unknown[] {
  return [tenant.id, tenant.home, to.home, to.placement, to.raise, tenant.placement];
}

async function announce(manager: EntityManager, id: TenantId): Promise<void> {
  await manager.query('SELECT pg_notify($1, $2)', [PRINCIPALS_CHANNEL, id]);
}

/** Nobody reads there any more who began before the tenant left. */
async function isQuiet(database: Database, id: TenantId): Promise<boolean> {
  const [row] = await database.asSystem<{ left_at: Date; outlived: boolean }[]>((manager) =>
    manager.query(
      `SELECT updated_at AS left_at, updated_at < now() - make_interval(secs => $2) AS outlived FROM tenants WHERE id = $1`,
      [id, OUTLIVED_SECONDS],
    ),
  );
  if (row === undefined || row.outlived) return true;
  // PostgreSQL counts microseconds, a Date does not.
  return (await database.transactionsSince(new Date(row.left_at.getTime() + 1))) === 0;
}

/** Whoever froze it before has been interrupted, or will find that it is theirs no more. */
const FREEZE = `
UPDATE tenants SET frozen_until = clock_timestamp() + make_interval(secs => $3) WHERE id = $1 AND home = $2
RETURNING frozen_until::text, epoch`;

const THAW = `UPDATE tenants SET frozen_until = NULL WHERE id = $1 AND home = $2 AND frozen_until = $3::timestamptz`;

/** Only while nothing could be written: the copy is then all there is. `leaving` remembers from where it goes. */
const LEAVE = `
UPDATE tenants SET home = $3, leaving = $2, frozen_until = NULL, updated_at = clock_timestamp()
WHERE id = $1 AND home = $2 AND frozen_until = $4::timestamptz AND frozen_until > clock_timestamp()
  AND epoch = $5 AND revision = $6`;

/** The new home's row becomes the ledger's. */
const ARRIVE = `
UPDATE tenants SET home = $3, placement = $4, epoch = $5, revision = $6, memory_count = $7, embedding_model = $8,
  retired_model = $9, retired_at = $10, last_active_at = $11, copy_of = NULL, frozen_until = NULL, leaving = NULL
WHERE id = $1 AND home = $2`;

/** The main database says where the tenant is, and where something is left of it. */
const TELL = `
UPDATE tenants SET home = $2, placement = $3, moving_to = NULL, leaving = $4, usage_carried = false, updated_at = now()
WHERE id = $1 AND home IN ($2, $4) AND moving_to = $3`;

const RENAME = `
UPDATE tenants SET home = $3, placement = $4, moving_to = NULL, epoch = epoch + $5, updated_at = now()
WHERE id = $1 AND home = $2 AND moving_to = $4 AND placement = $6`;
