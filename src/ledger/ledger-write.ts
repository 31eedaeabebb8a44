import type { PoolClient, QueryResultRow } from 'pg';
import { sendTogether } from '../platform/database/send-together.js';
import type { PreparedStatements } from '../platform/database/prepared-statements.js';
import type { Tenant } from '../tenancy/principal.js';
import type { WorkspaceId } from '../tenancy/tenant.js';
import { AuditChain, type AuditFact, type ChainEnd, type ChainSigner, uuidArrayText } from './audit-chain.js';
import type { Cause } from './cause.js';

export type ChangeKind = 'memory' | 'relation';

interface Change {
  workspace: WorkspaceId;
  kind: ChangeKind;
  id: string;
  revision: number;
  gone: boolean;
}

type AuditEntry = Pick<AuditFact, 'workspace' | 'action' | 'target' | 'targets' | 'detail'>;

/** What a writing transaction found in its tenant's row, under its lock. */
export interface LockedRow {
  revision: number;
  memoryCount: number;
  auditEnd: ChainEnd;
}

/**
 * A writing transaction. What is noted here (changes, usage, audit) is written by one closing statement, so that
 * it cannot be forgotten half-way and costs one round trip however much was changed.
 */
export class LedgerWrite {
  private revision: number;
  private readonly changes = new Map<string, Change>();
  private readonly usage = new Map<string, { workspace: WorkspaceId; meter: string; quantity: number }>();
  private readonly audit: AuditEntry[] = [];
  private readonly sent: Promise<unknown>[] = [];
  private memoriesAdded = 0;
  private failure: unknown = null;

  constructor(
    private readonly client: PoolClient,
    private readonly statements: PreparedStatements,
    readonly tenant: Tenant,
    private readonly cause: Cause,
    private readonly locked: LockedRow,
    private readonly signer: ChainSigner,
  ) {
    this.revision = locked.revision;
  }

  /** The tenant's revision before this transaction. */
  get revisionBefore(): number {
    return this.locked.revision;
  }

  /** The tenant's revision if it were to end now. */
  get revisionNow(): number {
    return this.revision;
  }

  /** How many memories the tenant holds, this transaction's included. */
  get memoryCount(): number {
    return this.locked.memoryCount + this.memoriesAdded;
  }

  async rows<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    try {
      return (await this.client.query<Row>(this.statements.of(sql, values))).rows;
    } catch (error) {
      // All that follows a failure in its transaction is told of the transaction, and not of what failed.
      this.failure ??= error;
      throw this.failure;
    }
  }

  /** A statement whose rows nobody needs: it is on its way at once, and `close` waits for it. */
  send(sql: string, values: unknown[]): void {
    sendTogether(this.client);
    const sent = this.rows(sql, values);
    // Heard in `close`; until then nobody would be there to hear of a failure.
    sent.catch(() => undefined);
    this.sent.push(sent);
  }

  /** Gives an item the tenant's next revision: from here on the projections will see it. */
  changed(workspace: WorkspaceId, kind: ChangeKind, id: string, gone = false): number {
    const revision = ++this.revision;
    this.changes.set(`${workspace}/${kind}/${id}`, { workspace, kind, id, revision, gone });
    return revision;
  }

  /** Negative where memories went. */
  countMemories(difference: number): void {
    this.memoriesAdded += difference;
  }

  meter(workspace: WorkspaceId, meter: string, quantity: number): void {
    const key = `${workspace}/${meter}`;
    const counted = this.usage.get(key) ?? { workspace, meter, quantity: 0 };
    counted.quantity += quantity;
    this.usage.set(key, counted);
  }

  /**
   * One record for one thing that was done, however many ids it was done to; none where it was done to none.
   * `detail` is sealed under the tenant's key; secrets do not belong in it.
   */
  record(
    action: string,
    workspace: WorkspaceId | null,
    target: string | readonly string[] | null,
    detail: unknown = null,
  ): void {
    if (target === null || typeof target === 'string') {
      this.audit.push({ action, workspace, target, targets: null, detail });
    } else if (target.length > 0) {
      const [only] = target;
      const single = target.length === 1 && only !== undefined;
      this.audit.push({
        action,
        workspace,
        target: single ? only : null,
        targets: single ? null : target,
        detail,
      });
    }
  }

  /** Writes what was noted; the tenant's revision afterwards. */
  async close(result: unknown): Promise<number> {
    const claim = this.cause.claim;
    const answer = claim?.answer(result);
    if (this.changes.size > 0 || this.audit.length > 0 || this.usage.size > 0 || claim) {
      const changes = [...this.changes.values()];
      const usage = [...this.usage.values()];
      const { records, end } = this.chained();
      this.send(CLOSING, [
        this.tenant.id,
        this.revision,
        this.memoriesAdded,
        changes.map((c) => c.workspace),
        changes.map((c) => c.kind),
        changes.map((c) => c.id),
        changes.map((c) => c.revision),
        changes.map((c) => c.gone),
        usage.map((u) => u.workspace),
        usage.map((u) => u.meter),
        usage.map((u) => u.quantity),
        records[0]?.at ?? null,
        records.map((a) => a.position),
        records.map((a) => a.workspace),
        records.map((a) => a.action),
        records.map((a) => a.target),
        records.map((a) => uuidArrayText(a.targets)),
        records.map((a) => a.detail),
        records.map((a) => a.hash),
        end?.hash ?? null,
        end?.signature ?? null,
        this.cause.actor,
        this.cause.requestId,
        claim?.route ?? null,
        claim?.keyHash ?? null,
        answer?.status ?? null,
        answer?.body ?? null,
      ]);
    }
    await Promise.all(this.sent);
    return this.revision;
  }

  /** What was recorded, each linked to the one before it, and where the chain ends now. */
  private chained() {
    if (this.audit.length === 0) return { records: [], end: null };
    const now = new Date();
    const chain = new AuditChain(this.tenant.id, this.locked.auditEnd, this.tenant.key, this.signer);
    const { actor, requestId } = this.cause;
    for (const entry of this.audit) chain.append({ ...entry, actor, requestId, outcome: 'done' }, now);
    return { records: chain.rows, end: chain.head() };
  }
}

const CLOSING = `
WITH tenant AS (
  UPDATE tenants SET revision = $2, memory_count = memory_count + $3, last_active_at = now(),
    audit_position = audit_position + cardinality($13::bigint[]), audit_hash = COALESCE($20, audit_hash),
    audit_signature = COALESCE($21, audit_signature)
  WHERE id = $1
), feed AS (
  INSERT INTO changes (tenant_id, workspace_id, kind, id, revision, gone)
  SELECT $1, * FROM unnest($4::uuid[], $5::text[], $6::uuid[], $7::bigint[], $8::boolean[])
  ON CONFLICT (tenant_id, workspace_id, kind, id) DO UPDATE
    SET revision = excluded.revision, gone = excluded.gone, at = excluded.at
), used AS (
  INSERT INTO usage_counters (tenant_id, workspace_id, meter, hour, quantity)
  SELECT $1, u.workspace_id, u.meter, date_trunc('hour', now()), u.quantity
  FROM unnest($9::uuid[], $10::text[], $11::bigint[]) AS u (workspace_id, meter, quantity)
  ON CONFLICT (tenant_id, workspace_id, meter, hour) DO UPDATE SET quantity = usage_counters.quantity + excluded.quantity
), audited AS (
  INSERT INTO audit_records (tenant_id, at, position, workspace_id, action, target, targets, detail, hash, actor, request_id)
  SELECT $1, $12::timestamptz, a.position, a.workspace_id, a.action, a.target, a.targets::uuid[], a.detail, a.hash, $22, $23
  FROM unnest($13::bigint[], $14::uuid[], $15::text[], $16::text[], $17::text[], $18::bytea[], $19::bytea[])
    AS a (position, workspace_id, action, target, targets, detail, hash)
)
UPDATE idempotency_keys SET status = $26, answer = $27
WHERE tenant_id = $1 AND route = $24 AND key_hash = $25`;
