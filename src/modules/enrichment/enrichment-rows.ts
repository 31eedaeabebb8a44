import type { QueryResultRow } from 'pg';
import { entityKey, sealEntityName, sealSummary } from '../../ledger/entity-names.js';
import type { Ledger } from '../../ledger/ledger.js';
import { WHOLE_TENANT } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { openContent, openVector } from '../../ledger/sealed-memory.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { slugOf } from './entity-kinds.js';
import type { Neighbour } from './neighbours.service.js';
import type { Reading } from './reading/text-reader.js';

/** A memory whose text is new to enrichment, or whose vector is. */
export interface UnreadMemory {
  workspace: WorkspaceId;
  id: string;
  /** Of its text: what is derived from it counts as long as that is the memory's. */
  hash: Buffer;
  text: string;
  said: number;
  /** Null: it has none yet, and comes again when it has. */
  vector: Float32Array | null;
  /** A language model has read this very text: what it found stays. */
  byModel: boolean;
}

/** One that was compared with the others of its workspace. */
export interface ComparedMemory extends UnreadMemory {
  /** Null: it was compared with nobody. */
  neighbours: Neighbour[] | null;
}

/** What was read from one. */
export interface ReadMemory extends ComparedMemory {
  reading: Reading;
}

interface UnreadRow extends QueryResultRow {
  workspace_id: WorkspaceId;
  id: string;
  alone_hash: Buffer;
  content: Buffer;
  timestamp: Date;
  vector: Buffer | null;
  by_model: boolean;
}

export interface MemoryPlace {
  workspace: WorkspaceId;
  id: string;
}

/** By whom a text is read. */
export type Reader = 'offline' | 'model';

/**
 * Those of the memories that were not read since their text last changed: by a model, or by anybody. The latter, too, if
 * they were not compared since their vector came.
 */
export async function unreadOf(
  ledger: Ledger,
  tenant: Tenant,
  places: readonly MemoryPlace[],
  reader: Reader = 'offline',
): Promise<UnreadMemory[]> {
  if (places.length === 0) return [];
  const rows = await ledger.readRows<UnreadRow>(tenant, WHOLE_TENANT, UNREAD[reader], [
    tenant.id,
    ...columnsOf(places),
    tenant.embeddingModel,
  ]);
  return rows.map(({ workspace_id: workspace, id, alone_hash: hash, content, timestamp, ...row }) => ({
    workspace,
    id,
    hash,
    text: openContent(tenant.key, workspace, id, content),
    said: timestamp.getTime(),
    vector: row.vector === null ? null : openVector(tenant.key, workspace, id, 'alone', row.vector),
    byModel: row.by_model,
  }));
}

/** Those whose text is the one that was read, each with who has read it by now. The others have changed since, and come again. */
export async function stillSo<Read extends UnreadMemory>(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  read: readonly Read[],
): Promise<Read[]> {
  const own = read.filter((memory) => memory.workspace === workspace);
  if (own.length === 0) return [];
  const scope = [tx.tenant.id, workspace, own.map(({ id }) => id)];
  const rows = await tx.rows<QueryResultRow & { id: string; alone_hash: Buffer; by_model: boolean }>(
    CURRENT,
    scope,
  );
  const current = new Map(rows.map((row) => [row.id, row]));
  return own.flatMap((memory) => {
    const row = current.get(memory.id);
    return row?.alone_hash.equals(memory.hash) === true ? [{ ...memory, byModel: row.by_model }] : [];
  });
}

/** What was read stays, as does by whom; that they were compared is known from here on. */
export async function noteCompared(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  memories: readonly ComparedMemory[],
): Promise<void> {
  const ids = memories.flatMap(({ id, neighbours }) => (neighbours === null ? [] : [id]));
  if (ids.length === 0) return;
  await tx.rows(
    `UPDATE enrichments SET compared = true WHERE tenant_id = $1 AND workspace_id = $2 AND memory_id = ANY($3::uuid[])`,
    [tx.tenant.id, workspace, ids],
  );
}

interface MentionRow extends QueryResultRow {
  memory_id: string;
  tag: string;
}

/**
 * Puts what was read in the place of what was read before. Memories whose entities are others than they were get new
 * revisions: the indexes know them by these too. All of one workspace, and as they stand in the ledger.
 */
export async function writeReadings(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  read: readonly ReadMemory[],
  reader: Reader,
): Promise<void> {
  const { key, id: tenantId } = tx.tenant;
  const ids = read.map(({ id }) => id);
  const scope = [tenantId, workspace, ids];
  const before = await tx.rows<MentionRow>(MENTIONED, scope);
  const found = read.flatMap((memory) =>
    memory.reading.entities.map(({ kind, name }) => ({
      memory,
      kind,
      name,
      found: entityKey(key, kind, slugOf(name)),
    })),
  );
  await tx.rows(
    `DELETE FROM mentions WHERE tenant_id = $1 AND workspace_id = $2 AND memory_id = ANY($3::uuid[])`,
    scope,
  );
  await tx.rows(INSERT_MENTIONS, [
    tenantId,
    workspace,
    found.map(({ memory }) => memory.id),
    found.map(({ kind }) => kind),
    found.map((one) => one.found),
    found.map((one) => sealEntityName(key, workspace, one.memory.id, one.found, one.name)),
    found.map(({ memory }) => memory.hash),
  ]);
  const after = await tx.rows<MentionRow>(MENTIONED, scope);
  const [had, has] = [tagsByMemory(before), tagsByMemory(after)];
  for (const id of ids) if (had.get(id) !== has.get(id)) tx.changed(workspace, 'memory', id);
  tx.send(UPSERT_ENRICHMENTS, [
    tenantId,
    workspace,
    ids,
    read.map(({ hash }) => hash),
    read.map(({ neighbours }) => neighbours !== null),
    read.map(({ id, reading: { summary } }) =>
      summary === null ? null : sealSummary(key, workspace, id, summary),
    ),
    reader === 'model',
  ]);
}

function tagsByMemory(rows: MentionRow[]): Map<string, string> {
  const tags = new Map<string, string>();
  for (const row of rows) tags.set(row.memory_id, `${tags.get(row.memory_id) ?? ''} ${row.tag}`);
  return tags;
}

export function columnsOf(places: readonly MemoryPlace[]): [string[], string[]] {
  return [places.map(({ workspace }) => workspace), places.map(({ id }) => id)];
}

const READABLE = `
SELECT m.workspace_id, m.id, m.alone_hash, m.content, m.timestamp, v.vector,
  COALESCE(e.by_model AND e.hash = m.alone_hash, false) AS by_model
FROM unnest($2::uuid[], $3::uuid[]) AS i (workspace_id, id)
JOIN memories m ON m.tenant_id = $1 AND m.workspace_id = i.workspace_id AND m.id = i.id
LEFT JOIN enrichments e ON e.tenant_id = $1 AND e.workspace_id = m.workspace_id AND e.memory_id = m.id
LEFT JOIN embeddings v ON v.tenant_id = $1 AND v.workspace_id = m.workspace_id AND v.memory_id = m.id
  AND v.part = 'alone' AND v.model = $4 AND v.hash = m.alone_hash
WHERE e.hash IS DISTINCT FROM m.alone_hash OR`;

const UNREAD: Record<Reader, string> = {
  offline: `${READABLE} (NOT e.compared AND v.vector IS NOT NULL)`,
  model: `${READABLE} NOT e.by_model`,
};

const CURRENT = `
SELECT m.id, m.alone_hash, COALESCE(e.by_model AND e.hash = m.alone_hash, false) AS by_model FROM memories m
LEFT JOIN enrichments e ON e.tenant_id = $1 AND e.workspace_id = $2 AND e.memory_id = m.id
WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = ANY($3::uuid[])`;

const MENTIONED = `
SELECT DISTINCT n.memory_id, n.kind || ':' || n.entity AS tag FROM mentions n
JOIN memories m ON m.tenant_id = n.tenant_id AND m.workspace_id = n.workspace_id AND m.id = n.memory_id
WHERE n.tenant_id = $1 AND n.workspace_id = $2 AND n.memory_id = ANY($3::uuid[]) AND n.hash = m.alone_hash
ORDER BY 1, 2`;

/** Who was merged into another is the other from the start. */
const INSERT_MENTIONS = `
INSERT INTO mentions (tenant_id, workspace_id, memory_id, kind, found, entity, name, hash)
SELECT $1, $2, n.memory_id, COALESCE(a.kind, n.kind), n.found, COALESCE(a.entity, n.found), n.name, n.hash
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::bytea[]) AS n (memory_id, kind, found, name, hash)
LEFT JOIN entity_aliases a ON a.tenant_id = $1 AND a.workspace_id = $2 AND a.found = n.found
ON CONFLICT DO NOTHING`;

/** One that was compared as it stands stays so, whoever reads it next. */
const UPSERT_ENRICHMENTS = `
INSERT INTO enrichments (tenant_id, workspace_id, memory_id, hash, compared, summary, by_model)
SELECT $1, $2, n.*, $7 FROM unnest($3::uuid[], $4::bytea[], $5::boolean[], $6::bytea[]) AS n
ON CONFLICT (tenant_id, workspace_id, memory_id)
DO UPDATE SET hash = excluded.hash, summary = excluded.summary, by_model = excluded.by_model, enriched_at = now(),
  compared = excluded.compared OR (enrichments.compared AND enrichments.hash = excluded.hash)`;
