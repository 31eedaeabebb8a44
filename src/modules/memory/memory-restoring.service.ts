import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Cause } from '../../ledger/cause.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { Ledger } from '../../ledger/ledger.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import { Quotas } from '../../tenancy/quotas.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { noteArchival } from './archival.js';
import { BackfillSignal } from './backfill-signal.js';
import type { RemovalReason } from './memory-removal.js';
import { readMemories } from './memory-rows.js';
import { MemoryVectors } from './memory-vectors.js';
import { MemoryNotFound } from './memory.errors.js';
import type { Memory } from './memory.js';
import { placeInSession, rejoin, setPrevious } from './session-weaver.js';
import { insertPending, type PendingVector } from './vector-rows.js';

/** A memory that was deleted softly. */
export interface DeletedMemory {
  id: string;
  type: string;
  reason: RemovalReason;
  deletedAt: Date;
}

interface RestoredRow extends QueryResultRow {
  session_id: string | null;
  timestamp: Date;
}

/** Brings back what forgetting archived, and what retention and forgetting have deleted softly. */
@Injectable()
export class MemoryRestoring {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly vectors: MemoryVectors,
    private readonly quotas: Quotas,
    private readonly backfill: BackfillSignal,
  ) {}

  /**
   * The memory with its history, vectors and, where their other ends are there, its relations; from here on it is as young
   * as now. One that is there stays as it is. Throws `MemoryNotFound` and `QuotaExceeded`.
   */
  async restore(
    tenant: Tenant,
    workspace: WorkspaceId,
    id: string,
    cause: Cause,
  ): Promise<{ memory: Memory; indexed: boolean }> {
    await this.spaces.open(tenant).meet();
    const { result } = await this.ledger.write(tenant, workspace, cause, async (tx) => {
      const there = (await readMemories(tx, workspace, [id])).get(id);
      if (there !== undefined && there.archivedAt === null) return { memory: there, complete: true };
      const pending: PendingVector[] = [];
      if (there === undefined) pending.push(...(await this.bringBack(tx, workspace, id)));
      else await unarchive(tx, workspace, id);
      tx.record('memory.restore', workspace, id);
      const memory = (await readMemories(tx, workspace, [id])).get(id);
      if (memory === undefined) throw new MemoryNotFound();
      return { memory, complete: pending.length === 0 };
    });
    if (!result.complete) this.backfill.ring();
    const indexed = await this.spaces.open(tenant).indexed();
    return { memory: result.memory, indexed: indexed && result.complete };
  }

  /** What can be brought back, the latest first. */
  async deleted(
    tenant: Tenant,
    workspace: WorkspaceId,
    limit: number,
    after: { time: Date; id: string } | null,
  ): Promise<DeletedMemory[]> {
    const rows = await this.ledger.readRows<
      QueryResultRow & { id: string; type: string; reason: RemovalReason; deleted_at: Date }
    >(tenant, workspace, DELETED, [tenant.id, workspace, after?.time ?? null, after?.id ?? null, limit]);
    return rows.map(({ id, type, reason, deleted_at: deletedAt }) => ({ id, type, reason, deletedAt }));
  }

  private async bringBack(tx: LedgerWrite, workspace: WorkspaceId, id: string): Promise<PendingVector[]> {
    const scope = [tx.tenant.id, workspace, id];
    const aside = await tx.rows(`SELECT FROM deleted_memories ${ONE}`, scope);
    if (aside.length === 0) throw new MemoryNotFound();
    this.quotas.checkMemories(tx.tenant, tx.memoryCount, 1);
    const [row] = await tx.rows<RestoredRow>(BRING_BACK, scope);
    if (row === undefined) throw new MemoryNotFound();
    tx.countMemories(1);
    // Who heard that it was deleted hears of it as of a new one.
    const position = tx.changed(workspace, 'memory', id);
    await tx.rows(`UPDATE memories SET position = $4 ${ONE}`, [...scope, position]);
    await tx.rows(BRING_BACK_HISTORY, scope);
    await tx.rows(BRING_BACK_STATS, scope);
    const models = this.vectors.modelsFor(tx.tenant);
    await tx.rows(BRING_BACK_VECTORS, [...scope, models]);
    const lacking = await tx.rows<{ model: string }>(LACKING, [...scope, models]);
    const pending = lacking.map(({ model }): PendingVector => ({ workspace, id, part: 'alone', model }));
    if (row.session_id !== null)
      pending.push(...(await this.placeAgain(tx, workspace, id, row.session_id, { ...row, position })));
    insertPending(tx, pending);
    for (const relation of await tx.rows<{ id: string }>(BRING_BACK_RELATIONS, scope)) {
      const revision = tx.changed(workspace, 'relation', relation.id);
      tx.send(`UPDATE relations SET position = $4, edited = $4 ${ONE}`, [
        ...[tx.tenant.id, workspace, relation.id],
        revision,
      ]);
    }
    await tx.rows(`DELETE FROM deleted_memories ${ONE}`, scope);
    return pending;
  }

  private async placeAgain(
    tx: LedgerWrite,
    workspace: WorkspaceId,
    id: string,
    session: string,
    { timestamp, position }: RestoredRow & { position: number },
  ): Promise<PendingVector[]> {
    const entering = { id, session, timestamp, position };
    const { previous, displaced } = await placeInSession(tx, workspace, session, [entering]);
    await setPrevious(tx, workspace, [{ id, previous: previous.get(id) ?? null }, ...displaced]);
    const changed = [id, ...displaced.map((link) => link.id)];
    return rejoin(tx, workspace, changed, this.vectors.modelsFor(tx.tenant));
  }
}

async function unarchive(tx: LedgerWrite, workspace: WorkspaceId, id: string): Promise<void> {
  const scope = [tx.tenant.id, workspace, id];
  await tx.rows(`UPDATE memories SET archived_at = NULL ${ONE}`, scope);
  noteArchival(tx, workspace, [id]);
  await tx.rows(
    `INSERT INTO memory_stats (tenant_id, workspace_id, memory_id, restored_at) VALUES ($1, $2, $3, now())
     ON CONFLICT (tenant_id, workspace_id, memory_id) DO UPDATE SET restored_at = excluded.restored_at`,
    scope,
  );
}

const ONE = `WHERE tenant_id = $1 AND workspace_id = $2 AND id = $3`;
const FROM_ASIDE = `FROM deleted_memories d`;
const THIS = `WHERE d.tenant_id = $1 AND d.workspace_id = $2 AND d.id = $3`;

/** Its place in its session is found anew, and so is its joined text. */
const OWN_COLUMNS = `tenant_id, workspace_id, id, position, type, tags, importance, confidence, timestamp, t_valid, t_invalid,
  session_id, user_id, agent_id, source, content, metadata, alone_hash, fingerprint, duplicate_hash, bytes, created_at, updated_at`;

const BRING_BACK = `
INSERT INTO memories (${OWN_COLUMNS}, type_given)
SELECT ${OWN_COLUMNS.replaceAll(/\w+/g, 'm.$&')}, COALESCE(m.type_given, true) ${FROM_ASIDE}, jsonb_populate_record(NULL::memories, d.memory) m ${THIS}
RETURNING session_id, timestamp`;

const BRING_BACK_HISTORY = `
INSERT INTO memory_history (tenant_id, workspace_id, memory_id, revision, snapshot, replaced_at)
SELECT h.tenant_id, h.workspace_id, h.memory_id, h.revision, h.snapshot, h.replaced_at
${FROM_ASIDE}, jsonb_populate_recordset(NULL::memory_history, d.history) h ${THIS}`;

const BRING_BACK_STATS = `
INSERT INTO memory_stats (tenant_id, workspace_id, memory_id, access_count, last_accessed, relevance, restored_at)
SELECT d.tenant_id, d.workspace_id, d.id, COALESCE(s.access_count, 0), s.last_accessed, s.relevance, now()
${FROM_ASIDE}, jsonb_populate_record(NULL::memory_stats, d.stats) s ${THIS}`;

/** Of models that nobody asks any more, vectors stay behind. */
const BRING_BACK_VECTORS = `
INSERT INTO embeddings (tenant_id, workspace_id, memory_id, part, model, hash, given, vector)
SELECT e.tenant_id, e.workspace_id, e.memory_id, e.part, e.model, e.hash, e.given, e.vector
${FROM_ASIDE}, jsonb_populate_recordset(NULL::embeddings, d.vectors) e ${THIS} AND e.model = ANY($4::text[])`;

const LACKING = `
SELECT w.model FROM unnest($4::text[]) AS w (model), memories m
WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = $3 AND NOT EXISTS (
  SELECT FROM embeddings e WHERE e.tenant_id = $1 AND e.workspace_id = $2 AND e.memory_id = $3 AND e.part = 'alone'
    AND e.model = w.model AND e.hash = m.alone_hash)`;

/** A relation whose other end is still away waits for that one. */
const BRING_BACK_RELATIONS = `
WITH back AS (
  DELETE FROM deleted_relations r WHERE r.tenant_id = $1 AND r.workspace_id = $2 AND (r.from_id = $3 OR r.to_id = $3)
    AND EXISTS (SELECT FROM memories m WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = r.from_id)
    AND EXISTS (SELECT FROM memories m WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = r.to_id)
  RETURNING *
)
INSERT INTO relations (tenant_id, workspace_id, id, from_id, to_id, type, strength, attributes, created_at, updated_at)
SELECT tenant_id, workspace_id, id, from_id, to_id, type, strength, attributes, created_at, updated_at FROM back
ON CONFLICT DO NOTHING RETURNING id`;

const DELETED = `
SELECT id, type, reason, date_trunc('milliseconds', deleted_at) AS deleted_at FROM deleted_memories
WHERE tenant_id = $1 AND workspace_id = $2
  AND ($3::timestamptz IS NULL OR (date_trunc('milliseconds', deleted_at), id) < ($3, $4::uuid))
ORDER BY date_trunc('milliseconds', deleted_at) DESC, id DESC LIMIT $5`;
