import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { PoolClient, QueryResult, QueryResultRow } from 'pg';
import type { Database } from '../platform/database/database.js';
import { sendTogether } from '../platform/database/send-together.js';
import type { PreparedStatements } from '../platform/database/prepared-statements.js';
import { ledgerId, type LedgerId } from '../spaces/projection.js';
import type { Tenant } from '../tenancy/principal.js';
import { isUuid, type TenantId, type WorkspaceId } from '../tenancy/tenant.js';
import { TenantDeleted, TenantSuspended, WorkspaceNotFound } from '../tenancy/tenancy-errors.js';
import { MasterKey } from '../tenancy/tenant-key.js';
import { CHAIN_START } from './audit-chain.js';
import type { Cause } from './cause.js';
import { HomeMirror } from './home-mirror.js';
import { Homes, MAIN } from './homes.js';
import { LedgerMoving } from './ledger-moving.js';
import { LedgerSignal } from './ledger-signal.js';
import { LedgerWrite } from './ledger-write.js';
import { inTransaction, oneStatement } from './transaction.js';

const REMEMBERED = 20_000;
/** Who asks while a ledger changes its home waits so long for it, looking again and again, before being sent away. */
const MOVING_WAIT_MS = 2_000;
const MOVING_LOOK_MS = 40;

/** Every workspace of the tenant: for what projects, exports or erases the whole of it. */
export const WHOLE_TENANT = '*';
export type LedgerScope = WorkspaceId | typeof WHOLE_TENANT;

/** One transaction as one tenant: row-level security lets nothing else through, whatever the statement says. */
export class LedgerRead {
  constructor(
    private readonly client: PoolClient,
    private readonly statements: PreparedStatements,
    readonly tenant: Tenant,
  ) {}

  async rows<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.client.query<Row>(this.statements.of(sql, values))).rows;
  }
}

/** What a database says of where a tenant's ledger is. */
export interface Whereabouts extends QueryResultRow {
  home: string;
  /** The last of it is on its way elsewhere: it is read, and not written. Reading does not ask. */
  frozen?: boolean | null;
}

/** What came of a write. */
export interface Written<T> {
  result: T;
  /** Which ledger it was, as the spaces of the tenant's placement know it; null where it has just become another. */
  ledger: LedgerId | null;
  /** The tenant's revision before and after it. */
  from: number;
  revision: number;
}

/** What a writing transaction found under its lock. */
interface LockedTenant extends Whereabouts {
  revision: string;
  epoch: string;
  placement: string;
  memory_count: string;
  state: string;
  audit_position: string;
  audit_hash: Buffer | null;
}

/**
 * The truth: the one way into the tables that hold what tenants stored.
 *
 * Each transaction takes the role and the tenant together with its BEGIN, in one round trip; there is no other way to
 * a tenant's connection, so there is nothing to forget.
 */
@Injectable()
export class Ledger {
  /** The revision of this process's last write for each tenant: a ledger that is behind it has been restored. */
  private readonly written = new LRUCache<TenantId, number>({ max: REMEMBERED });

  constructor(
    private readonly homes: Homes,
    private readonly mirror: HomeMirror,
    private readonly master: MasterKey,
    private readonly signal: LedgerSignal,
  ) {}

  /**
   * The opening and the first statement of `work` travel together: where the opening fails, what follows it in the
   * same transaction is refused. The answer waits for no COMMIT, as nothing was written.
   */
  read<T>(tenant: Tenant, scope: LedgerScope, work: (tx: LedgerRead) => Promise<T>): Promise<T> {
    return this.atHome(tenant, async (there, database) => {
      return this.readIn(database, there, scope, work);
    });
  }

  private async readIn<T>(
    database: Database,
    tenant: Tenant,
    scope: LedgerScope,
    work: (tx: LedgerRead) => Promise<T>,
  ): Promise<T> {
    const begin = this.beginReading(tenant, scope);
    const client = await database.tenantClient();
    sendTogether(client);
    const opened = client.query(database.statements.plain(begin));
    // Awaited below; until then nobody would be there to hear of it.
    opened.catch(() => undefined);
    try {
      // What `work` makes of a ledger that has left would be wrong, not late.
      if (this.homes.several) this.checkHome(tenant, await opened);
      const result = await work(new LedgerRead(client, database.statements, tenant));
      await opened;
      return result;
    } finally {
      // Sending it takes as long as a short statement does: the answer goes first.
      setImmediate(() => {
        client.query(database.statements.plain('COMMIT')).then(
          () => client.release(),
          () => client.release(true),
        );
      });
    }
  }

  /** A read of one statement: the whole transaction leaves in one write. */
  readRows<Row extends QueryResultRow>(
    tenant: Tenant,
    scope: LedgerScope,
    sql: string,
    values: unknown[],
  ): Promise<Row[]> {
    return this.atHome(tenant, async (there, database) => {
      const begin = this.beginReading(there, scope);
      const { opened, answered } = await oneStatement<Row>(database, begin, sql, values);
      if (this.homes.several) this.checkHome(there, opened);
      if (answered.status === 'rejected') throw answered.reason;
      return answered.value.rows;
    });
  }

  /** Likewise as this tenant in a database that need not be its ledger's home: for what stays where it was written. */
  async readRowsIn<Row extends QueryResultRow>(
    home: string,
    tenant: Tenant,
    sql: string,
    values: unknown[],
  ): Promise<Row[]> {
    const begin = opening(tenant, WHOLE_TENANT, 'BEGIN READ ONLY');
    const { answered } = await oneStatement<Row>(await this.homes.of(home), begin, sql, values);
    if (answered.status === 'rejected') throw answered.reason;
    return answered.value.rows;
  }

  /**
   * Commits once: what `work` changes, the tenant's next revisions, usage, audit and the idempotency answer.
   * The tenant's row is the first lock taken, and is held to the commit, so commit order is revision order:
   * nothing slow (no embedding, no other store) belongs inside.
   *
   * `revision` is the tenant's after this write; projections that have reached it show the write.
   */
  write<T>(
    tenant: Tenant,
    scope: LedgerScope,
    cause: Cause,
    work: (tx: LedgerWrite) => Promise<T>,
  ): Promise<Written<T>> {
    return this.atHome(tenant, (there, database) => this.writeIn(database, there, scope, cause, work));
  }

  private writeIn<T>(
    database: Database,
    tenant: Tenant,
    scope: LedgerScope,
    cause: Cause,
    work: (tx: LedgerWrite) => Promise<T>,
  ): Promise<Written<T>> {
    return inTransaction(database, async (client) => {
      const begin = `${opening(tenant, scope, 'BEGIN')};
         SELECT revision, epoch, placement, memory_count, state, audit_position, audit_hash, home, frozen_until > clock_timestamp() AS frozen
         FROM tenants WHERE id = '${uuid(tenant.id)}' FOR NO KEY UPDATE`;
      const opened = (await client.query(
        database.statements.plain(begin),
      )) as unknown as QueryResult<LockedTenant>[];
      const locked = opened.at(-1)?.rows[0];
      this.checkHome(tenant, opened);
      if (locked === undefined || locked.state === 'deleted') throw new TenantDeleted(tenant);
      if (locked.state === 'suspended') throw new TenantSuspended();
      const found = {
        revision: Number(locked.revision),
        memoryCount: Number(locked.memory_count),
        auditEnd:
          locked.audit_hash === null
            ? CHAIN_START
            : { position: Number(locked.audit_position), hash: locked.audit_hash },
      };
      const tx = new LedgerWrite(client, database.statements, tenant, cause, found, this.master);
      const restored = Number(locked.revision) < (this.written.get(tenant.id) ?? 0);
      if (restored) await client.query(NEW_EPOCH, [tenant.id]);
      const result = await work(tx);
      const revision = await tx.close(result);
      const sameSpaces = !restored && locked.placement === tenant.placement;
      const ledger = sameSpaces ? ledgerId(tenant.id, Number(locked.epoch)) : null;
      return { result, ledger, from: found.revision, revision, restored };
    }).then(({ restored, ...written }) => {
      const before = restored ? 0 : (this.written.get(tenant.id) ?? 0);
      this.written.set(tenant.id, Math.max(before, written.revision));
      if (written.revision > written.from)
        this.signal.wrote({ tenant, revision: written.revision, actor: cause.actor });
      return written;
    });
  }

  /** The database of the tenant's ledger, by its name. */
  protected homeOf(tenant: Tenant): string {
    return tenant.home;
  }

  /** Whether the database that has this row of the tenant is the one to ask. */
  protected livesHere(tenant: Tenant, { home, frozen }: Whereabouts): boolean {
    return this.homes.same(home, tenant.home) && frozen !== true;
  }

  /**
   * Does `work` in the database of the tenant's ledger. Where that is changing just now, waits for it: what was refused
   * has done nothing. Throws `LedgerMoving` where that takes too long.
   */
  private async atHome<T>(
    tenant: Tenant,
    work: (tenant: Tenant, database: Database) => Promise<T>,
  ): Promise<T> {
    if (!this.homes.several) return work(tenant, this.homes.main);
    const deadline = performance.now() + MOVING_WAIT_MS;
    let mirrored = false;
    for (let there = tenant; ;) {
      try {
        return await work(there, await this.homes.of(this.homeOf(there)));
      } catch (error) {
        if (error instanceof WorkspaceNotFound && !mirrored && this.homeOf(there) !== MAIN) {
          // Made since the last look: the main database knows it, and this one is about to.
          mirrored = true;
          await this.mirror.push(there.id);
        } else if (error instanceof LedgerMoving && performance.now() < deadline) {
          await pause(MOVING_LOOK_MS);
          there = { ...there, ...(await this.mirror.whereabouts(there)) };
        } else throw error;
      }
    }
  }

  private beginReading(tenant: Tenant, scope: LedgerScope): string {
    const begin = opening(tenant, scope, 'BEGIN READ ONLY');
    return this.homes.several ? `${begin}; SELECT home FROM tenants WHERE id = '${uuid(tenant.id)}'` : begin;
  }

  private checkHome(tenant: Tenant, opened: unknown): void {
    const [row] = (opened as QueryResult<Whereabouts>[]).at(-1)?.rows ?? [];
    // The main database knows every tenant; one that it does not know was purged.
    const here = row === undefined ? this.homeOf(tenant) === MAIN : this.livesHere(tenant, row);
    if (!here) throw new LedgerMoving(tenant);
  }
}

/** Projections that were built from what the ledger has lost are then another ledger's. */
const NEW_EPOCH = `UPDATE tenants SET epoch = greatest(epoch + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) WHERE id = $1`;

/**
 * Several statements in one round trip can carry no parameters, so the ids are checked again here: they are
 * branded, and a brand is only a promise of the compiler's.
 */
function opening(tenant: Tenant, scope: LedgerScope, begin: string): string {
  const workspace = scope === WHOLE_TENANT ? scope : uuid(scope);
  return `${begin}; SET LOCAL ROLE loci_tenant; SET LOCAL app.tenant = '${uuid(tenant.id)}'; SET LOCAL app.workspace = '${workspace}'`;
}

function uuid(text: string): string {
  if (!isUuid(text)) throw new Error('An id that is no UUID reached the ledger');
  return text;
}
