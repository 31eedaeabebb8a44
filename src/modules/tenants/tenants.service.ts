import { Injectable, Logger } from '@nestjs/common';
import { Brackets, QueryFailedError, type EntityManager } from 'typeorm';
import { AuditTrail } from '../../ledger/audit-trail.js';
import { changedMembers } from '../../ledger/changed-members.js';
import { HomeMirror } from '../../ledger/home-mirror.js';
import { Database } from '../../platform/database/database.js';
import { TenantNotFound } from '../../tenancy/tenancy-errors.js';
import type { TenantState } from '../../tenancy/principal.js';
import { PrincipalCache } from '../../tenancy/principal-cache.js';
import { tenantColumn } from '../../tenancy/tenant.js';
import { mergeSettings } from '../../tenancy/settings-merge.js';
import { MasterKey } from '../../tenancy/tenant-key.js';
import { announce } from './operator-audit.js';
import { MOVED, planMove, TENANT_MOVES, type TenantMove } from './tenant-states.js';
import { TenantEntity } from './tenant.entity.js';
import { InvalidTransition, TenantConflict } from './tenants.errors.js';

/** How long a deleted tenant can be restored. */
export const RESTORABLE_DAYS = 30;

/** Only what is present changes; settings are merged, member by member. */
export type TenantChange = Partial<
  Pick<
    TenantEntity,
    | 'name'
    | 'plan'
    | 'domain'
    | 'platform'
    | 'contactEmail'
    | 'contactName'
    | 'features'
    | 'featuresOff'
    | 'metadata'
    | 'settings'
  >
> & {
  credentials?: Record<string, unknown>;
  /** The settings are these alone, instead of being merged. */
  replacesSettings?: boolean;
};

/** A place in the list of tenants, newest first. */
export interface TenantPlace {
  createdAt: Date;
  id: string;
}

/** The life of tenants after they are provisioned. `ref` is a slug, a UUID or a domain. */
@Injectable()
export class TenantsService {
  private readonly logger = new Logger(TenantsService.name);

  constructor(
    private readonly database: Database,
    private readonly master: MasterKey,
    private readonly principals: PrincipalCache,
    private readonly audit: AuditTrail,
    private readonly mirror: HomeMirror,
  ) {}

  /** Throws `TenantNotFound`. */
  async get(ref: string): Promise<TenantEntity> {
    return this.database.asSystem((manager) => find(manager, ref));
  }

  async list(
    filter: { state?: TenantState },
    limit: number,
    after: TenantPlace | null,
  ): Promise<{ tenants: TenantEntity[]; next: TenantPlace | null }> {
    const tenants = await this.database.asSystem((manager) => {
      const query = manager
        .createQueryBuilder(TenantEntity, 't')
        .orderBy('t.createdAt', 'DESC')
        .addOrderBy('t.id', 'DESC')
        // One more than asked for tells whether there is a next page.
        .take(limit + 1);
      if (filter.state !== undefined) query.andWhere('t.state = :state', { state: filter.state });
      if (after !== null) {
        query.andWhere(
          new Brackets((where) =>
            where.where(`(date_trunc('milliseconds', t.created_at), t.id) < (:createdAt, :id)`, { ...after }),
          ),
        );
      }
      return query.getMany();
    });
    const page = tenants.slice(0, limit);
    const last = page.at(-1);
    const more = tenants.length > limit && last !== undefined;
    return { tenants: page, next: more ? { createdAt: last.createdAt, id: last.id } : null };
  }

  /**
   * `change`: what changes, or how that follows from what the tenant is. Throws `TenantNotFound`, `SettingsTooLarge`,
   * `TenantConflict` where the domain is another's.
   */
  async update(
    ref: string,
    change: TenantChange | ((tenant: TenantEntity) => TenantChange),
    requestId: string,
    actor = 'operator',
  ): Promise<TenantEntity> {
    return this.changing(async (manager) => {
      const tenant = await find(manager, ref, true);
      const decided = typeof change === 'function' ? change(tenant) : change;
      const { credentials, settings, replacesSettings = false, ...columns } = decided;
      const before = { ...tenant };
      Object.assign(tenant, columns);
      if (settings !== undefined)
        tenant.settings = replacesSettings ? settings : mergeSettings(tenant.settings, settings);
      if (credentials !== undefined) {
        const key = this.master.unwrap(tenant.id, tenant.wrappedKey);
        const place = { table: 'tenants', row: tenant.id, column: 'api_credentials' };
        tenant.apiCredentials = key.seal(JSON.stringify(credentials), place);
      }
      tenant.updatedAt = new Date();
      await save(manager, tenant, ['apiCredentials', 'settings', 'updatedAt', ...Object.keys(columns)]);
      await this.audit.record(manager, {
        action: 'tenant.update',
        tenantId: tenant.id,
        target: tenant.id,
        requestId,
        actor,
        detail: {
          ...changedMembers(pick(before, decided), pick(tenant, decided)),
          ...(credentials === undefined ? {} : { credentials: 'replaced' }),
        },
      });
      return tenant;
    });
  }

  /** Throws `TenantNotFound`, `InvalidTransition`. Repeating a move is no error; `restore` is possible for 30 days. */
  async move(
    ref: string,
    move: TenantMove,
    requestId: string,
    reason: string | null = null,
    actor = 'operator',
  ): Promise<TenantEntity> {
    // A store that was kept from before must not be taken for this tenant's.
    const raises = move === 'restore' || move === 'purge';
    return this.changing(async (manager) => {
      const tenant = await find(manager, ref, true);
      const plan = planMove(tenant.state, move);
      if (plan === 'refused' || (move === 'restore' && !restorable(tenant))) {
        throw new InvalidTransition(`A tenant that is ${tenant.state} cannot be ${MOVED[move]}.`);
      }
      if (plan === 'done') return tenant;
      const { to } = TENANT_MOVES[move];
      const before = { state: tenant.state };
      tenant.state = to;
      tenant.suspendedReason = to === 'suspended' ? reason : null;
      tenant.deletedAt = to === 'deleted' ? new Date() : null;
      if (raises) tenant.epoch = String(Number(tenant.epoch) + 1);
      tenant.updatedAt = new Date();
      await save(manager, tenant, ['state', 'suspendedReason', 'deletedAt', 'epoch', 'updatedAt']);
      await this.audit.record(manager, {
        action: `tenant.${move}`,
        tenantId: tenant.id,
        target: tenant.id,
        requestId,
        actor,
        detail: { before, after: { state: to, ...(reason === null ? {} : { reason }) } },
      });
      return tenant;
    }, raises);
  }

  private async changing(
    work: (manager: EntityManager) => Promise<TenantEntity>,
    raiseEpoch = false,
  ): Promise<TenantEntity> {
    try {
      const tenant = await this.database.asSystem(async (manager) => {
        const changed = await work(manager);
        await announce(manager, changed.id);
        return changed;
      });
      this.principals.forget(tenant.id);
      // A home elsewhere that is away hears of it later: keys are looked up here, so that they are refused already.
      await this.mirror
        .push(tenant.id, { raiseEpoch })
        .catch((error: unknown) => this.logger.warn(`${tenant.home} was not told: ${String(error)}`));
      return tenant;
    } catch (error) {
      if (error instanceof QueryFailedError && (error.driverError as { code?: string }).code === '23505') {
        throw new TenantConflict('This domain is that of another tenant.');
      }
      throw error;
    }
  }
}

/** By slug, UUID or domain. `lock`: until the transaction ends. */
async function find(manager: EntityManager, ref: string, lock = false): Promise<TenantEntity> {
  const column = tenantColumn(ref);
  const tenant = await manager.findOne(TenantEntity, {
    where: { [column]: column === 'slug' ? ref : ref.toLowerCase() },
    ...(lock ? { lock: { mode: 'for_no_key_update' as const } } : {}),
  });
  if (tenant === null) throw new TenantNotFound();
  return tenant;
}

/** The members that a change is about; credentials are told to nobody. */
function pick(tenant: TenantEntity, change: TenantChange): Partial<TenantEntity> {
  return Object.fromEntries(Object.entries(tenant).filter(([name]) => name in change));
}

/** Only these columns: the ledger writes others of the same row, revision above all. */
async function save(manager: EntityManager, tenant: TenantEntity, columns: string[]): Promise<void> {
  const values = Object.fromEntries(Object.entries(tenant).filter(([name]) => columns.includes(name)));
  await manager.update(TenantEntity, { id: tenant.id }, values);
}

function restorable(tenant: TenantEntity): boolean {
  if (tenant.deletedAt === null) return false;
  return Date.now() - tenant.deletedAt.getTime() < RESTORABLE_DAYS * 86_400_000;
}
