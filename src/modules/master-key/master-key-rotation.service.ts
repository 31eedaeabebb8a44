import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditTrail } from '../../ledger/audit-trail.js';
import { MasterKeyFile } from '../../platform/config/master-key-file.js';
import { Database } from '../../platform/database/database.js';
import { LISTENER } from '../../tenancy/principal-cache.js';
import { MasterKey } from '../../tenancy/tenant-key.js';
import type { TenantId } from '../../tenancy/tenant.js';
import { MasterKeyNotReady, MasterKeyRotating } from './master-key.errors.js';

const AT_ONCE = 200;

export interface MasterKeyState {
  /** The master key that wraps new tenants' keys. */
  key: Buffer;
  /** Those that this process has, the one that a rotation leads to first. */
  known: Buffer[];
  /** Tenants whose keys are not wrapped by `key`, or not known to be. */
  remaining: number;
}

/**
 * Puts another master key in the place of the present one, while servers run: they accept what either has wrapped. Only
 * wrappings are made anew: no tenant's key changes, and nothing that is sealed is touched. A rotation that was cut off
 * goes on where it was when it is asked for again.
 */
@Injectable()
export class MasterKeyRotation {
  constructor(
    private readonly database: Database,
    private readonly master: MasterKey,
    @Inject(MasterKeyFile) private readonly file: MasterKeyFile | null,
    private readonly audit: AuditTrail,
  ) {}

  state(): Promise<MasterKeyState> {
    return this.database.asSystem(async (manager) => {
      const [row] = await manager.query<{ wrapped_by: Buffer; remaining: number }[]>(
        `SELECT wrapped_by, (SELECT count(*)::int FROM tenants t WHERE t.wrapped_by IS DISTINCT FROM i.wrapped_by) AS remaining
         FROM installation i`,
      );
      if (row === undefined) throw new Error('There is no installation in this ledger');
      return { key: row.wrapped_by, known: this.master.names, remaining: row.remaining };
    });
  }

  /** How many tenants' keys were wrapped anew. Throws `MasterKeyNotReady`, `MasterKeyRotating`. */
  async rotate(requestId: string): Promise<number> {
    const rewrapped = await this.database.exclusively('loci master key', () => this.rotateAlone(requestId));
    if (rewrapped === null) throw new MasterKeyRotating();
    return rewrapped;
  }

  private async rotateAlone(requestId: string): Promise<number> {
    if (this.file === null) await this.checkReady();
    // A process with a data folder of its own is the only one.
    else this.master.succeed(await this.file.next());
    await this.database.asSystem((manager) => this.begin(manager, requestId));
    let rewrapped = 0;
    for (let some = AT_ONCE; some === AT_ONCE; rewrapped += some) {
      some = await this.database.asSystem((manager) => this.rewrapSome(manager));
    }
    await this.file?.settle();
    return rewrapped;
  }

  /** From here on new tenants' keys are wrapped by the new one: whoever makes one has read which, or waits for this. */
  private async begin(manager: EntityManager, requestId: string): Promise<void> {
    const [row] = await manager.query<{ wrapped_by: Buffer }[]>(
      'SELECT wrapped_by FROM installation FOR UPDATE',
    );
    const { target } = this.master;
    if (row === undefined || row.wrapped_by.equals(target)) return;
    await manager.query('UPDATE installation SET wrapped_key = $1, wrapped_by = $2', [
      this.master.wrapInstallation(),
      target,
    ]);
    const names = { before: { key: row.wrapped_by.toString('hex') }, after: { key: target.toString('hex') } };
    const entry = { tenantId: null, action: 'master_key.rotate', target: null, requestId };
    await this.audit.record(manager, { ...entry, detail: names });
  }

  /** Deleted tenants too: they can be restored. */
  private async rewrapSome(manager: EntityManager): Promise<number> {
    const { target } = this.master;
    const rows = await manager.query<{ id: TenantId; wrapped_key: Buffer }[]>(
      `SELECT id, wrapped_key FROM tenants WHERE wrapped_by IS DISTINCT FROM $1 ORDER BY id LIMIT ${AT_ONCE} FOR NO KEY UPDATE`,
      [target],
    );
    await manager.query(
      `UPDATE tenants t SET wrapped_key = n.wrapped_key, wrapped_by = $1
       FROM unnest($2::uuid[], $3::bytea[]) AS n (id, wrapped_key) WHERE t.id = n.id`,
      [target, rows.map(({ id }) => id), rows.map((row) => this.master.rewrap(row.id, row.wrapped_key))],
    );
    return rows.length;
  }

  /** Every process that listens says which master keys it has: one without the new key would lose every tenant. */
  private async checkReady(): Promise<void> {
    if (this.master.names.length === 1) {
      throw new MasterKeyNotReady(
        'Start every server with the new key in LOCI_MASTER_KEY and the present one in LOCI_MASTER_KEY_PREVIOUS, then ask again.',
      );
    }
    const rows = await this.database.asSystem<{ application_name: string }[]>((manager) =>
      manager.query(
        `SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, $1)`,
        [LISTENER],
      ),
    );
    const wanted = this.master.target.toString('hex');
    const behind = rows.filter(({ application_name: name }) => !name.includes(wanted)).length;
    if (behind > 0) {
      throw new MasterKeyNotReady(
        `${behind} of the servers on this ledger do not have the new key yet: it belongs in LOCI_MASTER_KEY of every one.`,
      );
    }
  }
}
