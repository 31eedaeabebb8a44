import type { QueryResultRow } from 'pg';
import type { Ledger } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { AgingMemory } from './decay.js';

/** As many as are read at once, and written under the tenant's lock. */
const BATCH = 1_000;
/** Before every id there is. */
const FIRST = '00000000-0000-0000-0000-000000000000';

/** A memory as consolidation looks at it: nothing sealed is opened. */
export interface LookedAtMemory extends AgingMemory {
  id: string;
  type: string;
  tags: string[];
  archivedAt: Date | null;
  /** As it was found the last time. */
  relevance: number | null;
  /** Made from other memories: it goes with those. */
  derived: boolean;
}

interface AgingRow extends QueryResultRow {
  id: string;
  type: string;
  tags: string[];
  importance: number;
  confidence: number;
  since: Date;
  archived_at: Date | null;
  last_accessed: Date | null;
  access_count: string;
  relevance: number | null;
  relations: number;
  derived: boolean;
}

export async function countMemories(ledger: Ledger, tenant: Tenant, workspace: WorkspaceId): Promise<number> {
  const [row] = await ledger.readRows<QueryResultRow & { n: number }>(
    tenant,
    workspace,
    `SELECT count(*)::int AS n FROM memories WHERE tenant_id = $1 AND workspace_id = $2`,
    [tenant.id, workspace],
  );
  return row?.n ?? 0;
}

/** All memories of a workspace, batch by batch in the order of their ids: each batch is a read of its own. */
export async function* agingMemories(
  ledger: Ledger,
  tenant: Tenant,
  workspace: WorkspaceId,
): AsyncGenerator<LookedAtMemory[]> {
  for (let after = FIRST; ;) {
    const rows = await ledger.readRows<AgingRow>(tenant, workspace, AGING, [
      tenant.id,
      workspace,
      after,
      BATCH,
    ]);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map((row) => ({
      id: row.id,
      type: row.type,
      tags: row.tags,
      importance: row.importance,
      confidence: row.confidence,
      since: row.since,
      archivedAt: row.archived_at,
      lastAccessed: row.last_accessed,
      accessCount: Number(row.access_count),
      relevance: row.relevance,
      relations: row.relations,
      derived: row.derived,
    }));
    if (rows.length < BATCH) return;
    after = last.id;
  }
}

const RELATIONS = (end: string) => `(SELECT count(*)::int FROM relations r
    WHERE r.tenant_id = $1 AND r.workspace_id = $2 AND r.${end} = m.id)`;

const AGING = `
SELECT m.id, m.type, m.tags, m.importance, m.confidence, greatest(m.timestamp, s.restored_at) AS since, m.archived_at,
  s.last_accessed, COALESCE(s.access_count, 0) AS access_count, s.relevance,
  ${RELATIONS('from_id')} + ${RELATIONS('to_id')} AS relations,
  EXISTS (SELECT FROM derived_memories d WHERE d.tenant_id = $1 AND d.workspace_id = $2 AND d.memory_id = m.id) AS derived
FROM memories m
LEFT JOIN memory_stats s ON s.tenant_id = $1 AND s.workspace_id = $2 AND s.memory_id = m.id
WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id > $3
ORDER BY m.id LIMIT $4`;
