import type { QueryResultRow } from 'pg';
import type { LedgerRead } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import {
  openContent,
  openMetadata,
  openSource,
  sealContent,
  sealMetadata,
  sealSource,
} from '../../ledger/sealed-memory.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { Memory, MemoryDraft } from './memory.js';

/** A memory as the ledger keeps it. */
export interface MemoryRow extends QueryResultRow {
  workspace_id: WorkspaceId;
  id: string;
  type: string;
  tags: string[];
  importance: number;
  confidence: number;
  timestamp: Date;
  t_valid: Date | null;
  t_invalid: Date | null;
  session_id: string | null;
  user_id: string | null;
  agent_id: string | null;
  source: Buffer | null;
  content: Buffer;
  metadata: Buffer;
  created_at: Date;
  updated_at: Date;
  archived_at: Date | null;
}

export const MEMORY_COLUMNS = `workspace_id, id, type, tags, importance, confidence, timestamp, t_valid, t_invalid,
  session_id, user_id, agent_id, source, content, metadata, created_at, updated_at, archived_at`;

/** The same of `memories m`, where other tables have columns of these names. */
export const PREFIXED_MEMORY_COLUMNS = MEMORY_COLUMNS.replaceAll(/\w+/g, 'm.$&');

export function memoryOf(tenant: Tenant, row: MemoryRow): Memory {
  return {
    workspace: row.workspace_id,
    id: row.id,
    content: openContent(tenant.key, row.workspace_id, row.id, row.content),
    type: row.type,
    tags: row.tags,
    importance: row.importance,
    confidence: row.confidence,
    metadata: openMetadata(tenant.key, row.workspace_id, row.id, row.metadata),
    timestamp: row.timestamp,
    validFrom: row.t_valid,
    validUntil: row.t_invalid,
    session: row.session_id,
    user: row.user_id,
    agent: row.agent_id,
    source: openSource(tenant.key, row.workspace_id, row.id, row.source),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    archivedAt: row.archived_at,
  };
}

/** What JSON made of the times of a memory that was kept as it stood. */
type InstantName = 'timestamp' | 'validFrom' | 'validUntil' | 'createdAt' | 'updatedAt' | 'archivedAt';
type Snapshot = Omit<Memory, InstantName | 'source'> & { source?: string | null } & Record<
    'timestamp' | 'createdAt' | 'updatedAt',
    string
  > &
  Partial<Record<'validFrom' | 'validUntil' | 'archivedAt', string | null>>;

/** A memory as an edit left it in its history, of which `JSON.stringify` was kept. */
export function memoryOfSnapshot(json: string): Memory {
  const kept = JSON.parse(json) as Snapshot;
  const instant = (text: string | null | undefined) =>
    text === null || text === undefined ? null : new Date(text);
  return {
    ...kept,
    // What was kept before there were any has none.
    source: kept.source ?? null,
    timestamp: new Date(kept.timestamp),
    validFrom: instant(kept.validFrom),
    validUntil: instant(kept.validUntil),
    createdAt: new Date(kept.createdAt),
    updatedAt: new Date(kept.updatedAt),
    archivedAt: instant(kept.archivedAt),
  };
}

/** Those of the memories that are there, by their ids. */
export async function readMemories(
  tx: LedgerRead | LedgerWrite,
  workspace: WorkspaceId,
  ids: readonly string[],
): Promise<Map<string, Memory>> {
  const sealed = await readSealed(tx, workspace, ids);
  return new Map([...sealed].map(([id, open]) => [id, open()]));
}

/** The same, each still sealed: opening takes longer than reading, and not everybody is looked at. */
export async function readSealed(
  tx: LedgerRead | LedgerWrite,
  workspace: WorkspaceId,
  ids: readonly string[],
): Promise<Map<string, () => Memory>> {
  const rows = await tx.rows<MemoryRow>(
    `SELECT ${MEMORY_COLUMNS} FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`,
    [tx.tenant.id, workspace, ids],
  );
  return new Map(
    rows.map((row) => {
      let memory: Memory | null = null;
      return [row.id, () => (memory ??= memoryOf(tx.tenant, row))];
    }),
  );
}

/** A new memory with its id, its place, and the hashes that say what its vectors must be of. */
export interface PlacedMemory {
  draft: MemoryDraft;
  id: string;
  position: number;
  previous: string | null;
  duplicateHash: Buffer;
  aloneHash: Buffer;
  joinedHash: Buffer | null;
}

/** An exact duplicate has the same content, type, session and timestamp in the same workspace. */
export function duplicateHash(
  tenant: Tenant,
  memory: { content: string; type: string; session: string | null; timestamp: Date },
): Buffer {
  const { content, type, session, timestamp } = memory;
  return tenant.key.hash(
    'duplicate',
    content,
    type,
    session ?? '',
    session === null ? '0' : '1',
    timestamp.toISOString(),
  );
}

export function insertMemories(tx: LedgerWrite, workspace: WorkspaceId, memories: PlacedMemory[]): void {
  const { key } = tx.tenant;
  const contents = memories.map(({ id, draft }) => sealContent(key, workspace, id, draft.content));
  const metadata = memories.map(({ id, draft }) => sealMetadata(key, workspace, id, draft.metadata));
  const sources = memories.map(({ id, draft }) => sealSource(key, workspace, id, draft.source));
  const column = <T>(value: (memory: PlacedMemory) => T): T[] => memories.map(value);
  tx.send(INSERT, [
    tx.tenant.id,
    workspace,
    column((m) => m.id),
    column((m) => m.position),
    column((m) => m.draft.type),
    column((m) => m.draft.typeGiven),
    column((m) => JSON.stringify(m.draft.tags)),
    column((m) => m.draft.importance),
    column((m) => m.draft.confidence),
    column((m) => m.draft.timestamp),
    column((m) => m.draft.validFrom),
    column((m) => m.draft.validUntil),
    column((m) => m.draft.session),
    column((m) => m.draft.user),
    column((m) => m.draft.agent),
    column((m) => m.previous),
    contents,
    metadata,
    column((m) => m.aloneHash),
    column((m) => m.joinedHash),
    column((m) => m.draft.fingerprint),
    column((m) => m.duplicateHash),
    memories.map((_, i) => [contents, metadata, sources].reduce((sum, of) => sum + (of[i]?.length ?? 0), 0)),
    sources,
  ]);
}

/** PostgreSQL has no arrays of arrays of different lengths: tags travel as JSON. */
const INSERT = `
INSERT INTO memories (tenant_id, workspace_id, id, position, type, type_given, tags, importance, confidence, timestamp, t_valid,
  t_invalid, session_id, user_id, agent_id, previous_id, content, metadata, alone_hash, joined_hash, fingerprint, duplicate_hash, bytes, source)
SELECT $1, $2, n.id, n.position, n.type, n.type_given, ARRAY(SELECT jsonb_array_elements_text(n.tags)), n.importance, n.confidence,
  n.timestamp, n.t_valid, n.t_invalid, n.session_id, n.user_id, n.agent_id, n.previous_id, n.content, n.metadata,
  n.alone_hash, n.joined_hash, n.fingerprint, n.duplicate_hash, n.bytes, n.source
FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::boolean[], $7::jsonb[], $8::real[], $9::real[], $10::timestamptz[],
  $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[], $15::text[], $16::uuid[], $17::bytea[], $18::bytea[],
  $19::bytea[], $20::bytea[], $21::bytea[], $22::bytea[], $23::int[], $24::bytea[])
  AS n (id, position, type, type_given, tags, importance, confidence, timestamp, t_valid, t_invalid, session_id, user_id, agent_id,
    previous_id, content, metadata, alone_hash, joined_hash, fingerprint, duplicate_hash, bytes, source)`;
