import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AUDIT_INSTANT } from '../../ledger/audit-chain.js';
import { ChainCheck, type ChainProblem, type FoundRow, type SignedEnd } from '../../ledger/chain-check.js';
import { Homes, MAIN } from '../../ledger/homes.js';
import { MasterKey } from '../../tenancy/tenant-key.js';
import type { TenantId } from '../../tenancy/tenant.js';

const PAGE = 500;

export interface ChainReport {
  /** The database that it is in. */
  home: string;
  /** Null: the installation's own chain. */
  tenantId: TenantId | null;
  /** Records whose hash holds. */
  records: number;
  /** From before there was a chain: nothing vouches for them. */
  unchained: number;
  /** Up to here retention has removed the records, and its checkpoint stands for them. */
  checkpoint: number | null;
  problems: ChainProblem[];
}

interface EndRow {
  position: string;
  hash: Buffer;
  signature: Buffer | null;
}

type RecordRow = Omit<FoundRow, 'position' | 'requestId'> & {
  position: string | null;
  request_id: string | null;
};

/** Does each chain of audit records still say what was written? */
@Injectable()
export class AuditVerification {
  constructor(
    private readonly homes: Homes,
    private readonly master: MasterKey,
  ) {}

  /** Every chain there is: of tenants that are, of those that were purged, and the installation's own. */
  async *all(): AsyncGenerator<ChainReport> {
    yield await this.chain(MAIN, null);
    for (const home of [MAIN, ...this.homes.others]) {
      const database = await this.homes.of(home);
      for (let after = '00000000-0000-0000-0000-000000000000'; ;) {
        const page = await database.readAsSystem<{ id: TenantId }>(TENANTS, [after, PAGE]);
        for (const { id } of page) yield await this.chain(home, id);
        const last = page.at(-1);
        if (last === undefined) break;
        after = last.id;
      }
    }
  }

  /** A tenant's chains: one in the main database, and one in each other that its ledger has been kept in. */
  async *of(tenantId: TenantId): AsyncGenerator<ChainReport> {
    for (const home of [MAIN, ...this.homes.others]) {
      const report = await this.chain(home, tenantId);
      const { records, unchained, checkpoint, problems } = report;
      const begun = records + unchained + problems.length > 0 || checkpoint !== null;
      if (home === MAIN || begun) yield report;
    }
  }

  /** One chain, as it lies there at this moment. */
  private async chain(home: string, tenantId: TenantId | null): Promise<ChainReport> {
    const database = await this.homes.of(home);
    return database.asSystemAtOnce(async (manager) => {
      const checkpoint = await this.checkpoint(manager, tenantId, 'retention');
      const check = new ChainCheck(tenantId, checkpoint, this.master);
      for await (const row of this.rows(manager, tenantId)) check.next(row);
      const end = await this.endOf(manager, tenantId);
      const purge = end === null ? await this.checkpoint(manager, tenantId, 'purge') : null;
      // A tenant's making is on record in the main database, so there is always one.
      check.finish(end ?? purge, end === null ? 'purge' : 'chain', home === MAIN && tenantId !== null);
      return {
        home,
        tenantId,
        records: check.intact,
        unchained: check.unchained,
        checkpoint: checkpoint?.position ?? null,
        problems: check.problems,
      };
    });
  }

  /** Where the tenant's row says that the chain ends; null where it says nothing, or is gone. */
  private async endOf(manager: EntityManager, tenantId: TenantId | null): Promise<SignedEnd | null> {
    const columns = 'audit_position AS position, audit_hash AS hash, audit_signature AS signature';
    const [row] = await manager.query<(Omit<EndRow, 'hash'> & { hash: Buffer | null })[]>(
      tenantId === null
        ? `SELECT ${columns} FROM installation`
        : `SELECT ${columns} FROM tenants WHERE id = $1`,
      tenantId === null ? [] : [tenantId],
    );
    if (row === undefined) return null;
    // A chain that has not begun has nothing to sign.
    if (row.hash === null) return null;
    return { position: Number(row.position), hash: row.hash, signature: row.signature };
  }

  private async checkpoint(
    manager: EntityManager,
    tenantId: TenantId | null,
    reason: 'retention' | 'purge',
  ): Promise<SignedEnd | null> {
    const [row] = await manager.query<EndRow[]>(
      `SELECT position, hash, signature FROM audit_checkpoints WHERE tenant_id = $1 AND reason = $2
       ORDER BY position DESC LIMIT 1`,
      [tenantId, reason],
    );
    return row === undefined ? null : { ...row, position: Number(row.position) };
  }

  private async *rows(manager: EntityManager, tenantId: TenantId | null): AsyncGenerator<FoundRow> {
    for (let after = '0'; ;) {
      const page = await manager.query<RecordRow[]>(
        `SELECT id, position, ${AUDIT_INSTANT} AS at, workspace_id AS workspace, action, actor, target, targets, outcome,
           request_id, detail, hash
         FROM audit_records WHERE ${tenantId === null ? '$3::uuid IS NULL AND tenant_id IS NULL' : 'tenant_id = $3'} AND id > $1
         ORDER BY id LIMIT $2`,
        [after, PAGE, tenantId],
      );
      for (const { position, request_id: requestId, ...row } of page) {
        yield { ...row, requestId, position: position === null ? null : Number(position) };
      }
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.id;
    }
  }
}

/** Also those of which only records are left. Each branch is bounded, so that a page reads no more than it must. */
const TENANTS = `
SELECT id FROM (SELECT id FROM tenants WHERE id > $1 ORDER BY id LIMIT $2) AS here
UNION SELECT * FROM (SELECT DISTINCT tenant_id FROM audit_checkpoints WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2) AS closed
UNION SELECT * FROM (SELECT DISTINCT tenant_id FROM audit_records WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2) AS recorded
ORDER BY id LIMIT $2`;
