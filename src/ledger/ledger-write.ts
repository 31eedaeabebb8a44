import type { PoolClient, QueryResultRow } from 'pg';
import { sendTogether } from '../platform/database/send-together.js';
import type { PreparedStatements } from '../platform/database/prepared-statements.js';
import type { Tenant } from '../tenancy/principal.js';
import type { WorkspaceId } from '../tenancy/tenant.js';
import type { Cause } from './cause.js';

export type ChangeKind = 'memory' | 'relation';

interface Change {
  workspace: WorkspaceId;
  kind: ChangeKind;
  id: string;
  revision: number;
  gone: boolean;
}

interface AuditEntry {
  workspace: WorkspaceId | null;
  action: string;
  target: string | null;
  targets: readonly string[] | null;
  detail: unknown;
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

  constructor(
    private readonly client: PoolClient,
    private readonly statements: PreparedStatements,
    readonly tenant: Tenant,
    private readonly cause: Cause,
    private readonly locked: { revision: number; memoryCount: number },
  ) {
    this.revision = locked.revision;
  }

  /** How many memories the tenant holds, this transaction's included. */
  get memoryCount(): number {
    return this.locked.memoryCount + this.memoriesAdded;
  }

  async rows<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.client.query<Row>(this.statements.of(sql, values))).rows;
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
        this.audit.map((a) => a.workspace),
        this.audit.map((a) => a.action),
        this.audit.map((a) => a.target),
        // PostgreSQL has no arrays of arrays of different lengths: each travels as its own text.
        this.audit.map((a) => (a.targets === null ? null : `{${a.targets.join(',')}}`)),
        this.audit.map((a) => this.sealDetail(a)),
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

  private sealDetail(entry: AuditEntry): Buffer | null {
    if (entry.detail === null) return null;
    return this.tenant.key.seal(JSON.stringify(entry.detail), {
      table: 'audit_records',
      row: `${entry.action}/${entry.target ?? ''}`,
      column: 'detail',
    });
  }
}

const CLOSING = `
WITH tenant AS (
  UPDATE tenants SET revision = $2, memory_count = memory_count + $3, last_active_at = now() WHERE id = $1
), feed AS (
  INSERT INTO changes (tenant_id, workspace_id, kind, id, revision, gone)
  SELECT $1, * FROM unnest($4::uuid[], $5::text[], $6::uuid[], $7::bigint[], $8::boolean[])
  ON CONFLICT (tenant_id, workspace_id, kind, id) DO UPDATE SET revision = excluded.revision, gone = excluded.gone
), used AS (
  INSERT INTO usage_counters (tenant_id, workspace_id, meter, hour, quantity)
  SELECT $1, u.workspace_id, u.meter, date_trunc('hour', now()), u.quantity
  FROM unnest($9::uuid[], $10::text[], $11::bigint[]) AS u (workspace_id, meter, quantity)
  ON CONFLICT (tenant_id, workspace_id, meter, hour) DO UPDATE SET quantity = usage_counters.quantity + excluded.quantity
), audited AS (
  INSERT INTO audit_records (tenant_id, workspace_id, action, target, targets, detail, actor, request_id)
  SELECT $1, a.workspace_id, a.action, a.target, a.targets::uuid[], a.detail, $17, $18
  FROM unnest($12::uuid[], $13::text[], $14::text[], $15::text[], $16::bytea[]) AS a (workspace_id, action, target, targets, detail)
)
UPDATE idempotency_keys SET status = $21, answer = $22
WHERE tenant_id = $1 AND route = $19 AND key_hash = $20`;
