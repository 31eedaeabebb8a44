import { createHash } from 'node:crypto';
import type { TenantId, WorkspaceId } from '../tenancy/tenant.js';
import type { Place } from '../tenancy/tenant-key.js';

/** Something that was done, or refused. Secrets belong in none of it. */
export interface AuditFact {
  /** `noun.verb`. */
  action: string;
  actor: string;
  workspace: WorkspaceId | null;
  target: string | null;
  /** Where there are several, instead of `target`. */
  targets: readonly string[] | null;
  outcome: 'done' | 'refused';
  requestId: string | null;
  /** `before` and `after` of what changed, and what else explains it. Sealed. Null: the action says it all. */
  detail: unknown;
}

/** A record as the ledger keeps it. `at` is UTC with microseconds, as `auditInstant` and `AUDIT_INSTANT` write it. */
export interface AuditRow {
  position: number;
  at: string;
  action: string;
  actor: string;
  workspace: string | null;
  target: string | null;
  targets: readonly string[] | null;
  outcome: string;
  requestId: string | null;
  detail: Buffer | null;
}

/** The last record of a chain. */
export interface ChainEnd {
  position: number;
  /** 32 bytes. */
  hash: Buffer;
}

/** Before the first record. */
export const CHAIN_START: ChainEnd = { position: 0, hash: Buffer.alloc(32) };

/** A record's time as its hash reads it, in SQL: whatever else is in the row, this is all of it. */
export const AUDIT_INSTANT = `to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

export function auditInstant(at: Date): string {
  return at.toISOString().replace('Z', '000Z');
}

/** SHA-256 over the hash of the record before and everything that this one says. */
export function auditHash(previous: Buffer, tenant: TenantId | null, row: AuditRow): Buffer {
  const said = [
    tenant,
    row.position,
    row.at,
    row.workspace,
    row.action,
    row.actor,
    row.target,
    row.targets,
    row.outcome,
    row.requestId,
    row.detail?.toString('base64') ?? null,
  ];
  return createHash('sha256').update(previous).update(JSON.stringify(said)).digest();
}

export function auditDetailPlace(position: number): Place {
  return { table: 'audit_records', row: String(position), column: 'detail' };
}

/** Signs where a chain ends: without the installation's key nobody can make a shorter or another chain look whole. */
export interface ChainSigner {
  hash(purpose: string, ...parts: string[]): Buffer;
}

export function endSignature(signer: ChainSigner, tenant: TenantId | null, end: ChainEnd): Buffer {
  return signer.hash('audit chain', tenant ?? '', String(end.position), end.hash.toString('hex'));
}

export function checkpointSignature(
  signer: ChainSigner,
  tenant: TenantId | null,
  reason: 'retention' | 'purge',
  end: ChainEnd,
): Buffer {
  return signer.hash(
    'audit checkpoint',
    reason,
    tenant ?? '',
    String(end.position),
    end.hash.toString('hex'),
  );
}

/** Appends to one chain, whose end is locked meanwhile. */
export class AuditChain {
  readonly rows: (AuditRow & { hash: Buffer })[] = [];

  constructor(
    private readonly tenant: TenantId | null,
    private end: ChainEnd,
    private readonly sealer: { seal(plain: string, place: Place): Buffer },
    private readonly signer: ChainSigner,
  ) {}

  append(fact: AuditFact, now: Date): void {
    const position = this.end.position + 1;
    const row: AuditRow = {
      ...fact,
      position,
      at: auditInstant(now),
      // As PostgreSQL gives them back.
      target: fact.target === null ? null : Buffer.from(fact.target).toString(),
      targets: fact.targets?.map((id) => id.toLowerCase()) ?? null,
      detail:
        fact.detail === null || fact.detail === undefined
          ? null
          : this.sealer.seal(JSON.stringify(fact.detail), auditDetailPlace(position)),
    };
    const hash = auditHash(this.end.hash, this.tenant, row);
    this.rows.push({ ...row, hash });
    this.end = { position, hash };
  }

  /** Where the chain ends now, and that signed. */
  head(): { position: number; hash: Buffer; signature: Buffer } {
    return { ...this.end, signature: endSignature(this.signer, this.tenant, this.end) };
  }
}

/** An array of arrays of different lengths is nothing that PostgreSQL has: each travels as its own text. */
export function uuidArrayText(ids: readonly string[] | null): string | null {
  return ids === null ? null : `{${ids.join(',')}}`;
}
