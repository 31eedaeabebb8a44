import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { TenantId } from '../tenancy/tenant.js';
import { MasterKey, type TenantKey } from '../tenancy/tenant-key.js';
import {
  AuditChain,
  CHAIN_START,
  type AuditFact,
  type ChainEnd,
  checkpointSignature,
  endSignature,
  uuidArrayText,
} from './audit-chain.js';

/** What is put on record outside of a tenant's own transaction; what is left out is null, `done`, or the operator's. */
export type AuditEntry = Pick<AuditFact, 'action' | 'target' | 'requestId'> &
  Partial<AuditFact> & {
    /** Null: the installation's own chain. */
    tenantId: TenantId | null;
  };

interface EndRow {
  audit_position: string;
  audit_hash: Buffer | null;
  wrapped_key: Buffer | null;
}

/** Puts on record what is done in a transaction that looks across tenants; a tenant's own uses `LedgerWrite.record`. */
@Injectable()
export class AuditTrail {
  constructor(private readonly master: MasterKey) {}

  /** For a transaction that locks other rows before it records: two that wait for each other would both be lost. */
  async lock(manager: EntityManager, tenantId: TenantId): Promise<void> {
    await manager.query('SELECT FROM tenants WHERE id = $1 FOR NO KEY UPDATE', [tenantId]);
  }

  /**
   * In the transaction that does it, whose first lock must be the tenant's row, by `lock` or by this.
   * A tenant that is not there has no chain, and nothing is written. `key`: where this database does not have it.
   */
  async record(
    manager: EntityManager,
    { tenantId, ...entry }: AuditEntry,
    key: TenantKey | null = null,
  ): Promise<void> {
    const [row] = await manager.query<EndRow[]>(
      tenantId === null
        ? `SELECT audit_position, audit_hash, NULL AS wrapped_key FROM installation FOR NO KEY UPDATE`
        : `SELECT audit_position, audit_hash, wrapped_key FROM tenants WHERE id = $1 FOR NO KEY UPDATE`,
      tenantId === null ? [] : [tenantId],
    );
    if (row === undefined) return;
    const end = await this.endOf(manager, tenantId, row);
    const wrapped = row.wrapped_key;
    const sealer =
      key ?? (tenantId === null || wrapped === null ? this.master : this.master.unwrap(tenantId, wrapped));
    const chain = new AuditChain(tenantId, end, sealer, this.master);
    chain.append(
      {
        actor: entry.requestId === null ? 'system:start' : 'operator',
        workspace: null,
        targets: null,
        outcome: 'done',
        detail: null,
        ...entry,
      },
      new Date(),
    );
    await this.write(manager, tenantId, chain);
  }

  /** Before a tenant's row goes: a signed checkpoint keeps where its chain ends, and the chain can be verified on. */
  async close(manager: EntityManager, tenantId: TenantId): Promise<void> {
    const [row] = await manager.query<EndRow[]>(
      'SELECT audit_position, audit_hash, NULL AS wrapped_key FROM tenants WHERE id = $1 FOR UPDATE',
      [tenantId],
    );
    if (row?.audit_hash === null || row?.audit_hash === undefined) return;
    const end = { position: Number(row.audit_position), hash: row.audit_hash };
    await manager.query(
      `INSERT INTO audit_checkpoints (tenant_id, reason, position, hash, signature) VALUES ($1, 'purge', $2, $3, $4)`,
      [tenantId, end.position, end.hash, checkpointSignature(this.master, tenantId, 'purge', end)],
    );
  }

  /** The row of a tenant that is new in this database: where a purge has closed a chain there, it goes on from there. */
  async resume(manager: EntityManager, tenantId: TenantId): Promise<void> {
    const end = await this.closedEnd(manager, tenantId);
    if (end === null) return;
    await manager.query(
      `UPDATE tenants SET audit_position = $2, audit_hash = $3, audit_signature = $4 WHERE id = $1 AND audit_hash IS NULL`,
      [tenantId, end.position, end.hash, endSignature(this.master, tenantId, end)],
    );
  }

  /** A tenant that was purged and made again under its id goes on where the purge has closed its chain. */
  private async endOf(manager: EntityManager, tenantId: TenantId | null, row: EndRow): Promise<ChainEnd> {
    const position = Number(row.audit_position);
    if (row.audit_hash !== null) return { position, hash: row.audit_hash };
    return (await this.closedEnd(manager, tenantId)) ?? CHAIN_START;
  }

  private async closedEnd(manager: EntityManager, tenantId: TenantId | null): Promise<ChainEnd | null> {
    const [closed] = await manager.query<{ position: string; hash: Buffer }[]>(
      `SELECT position, hash FROM audit_checkpoints WHERE tenant_id = $1 AND reason = 'purge' ORDER BY position DESC LIMIT 1`,
      [tenantId],
    );
    return closed === undefined ? null : { position: Number(closed.position), hash: closed.hash };
  }

  private async write(manager: EntityManager, tenantId: TenantId | null, chain: AuditChain): Promise<void> {
    const { position, hash, signature } = chain.head();
    const end = 'SET audit_position = $2, audit_hash = $3, audit_signature = $4';
    await manager.query(
      tenantId === null
        ? `UPDATE installation ${end} WHERE $1::uuid IS NULL`
        : `UPDATE tenants ${end} WHERE id = $1`,
      [tenantId, position, hash, signature],
    );
    for (const row of chain.rows) {
      await manager.query(
        `INSERT INTO audit_records (tenant_id, workspace_id, position, at, action, actor, target, targets, outcome, request_id, detail, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::uuid[], $9, $10, $11, $12)`,
        [
          tenantId,
          row.workspace,
          row.position,
          row.at,
          row.action,
          row.actor,
          row.target,
          uuidArrayText(row.targets),
          row.outcome,
          row.requestId,
          row.detail,
          row.hash,
        ],
      );
    }
  }
}
