import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { COMPARED_TAGS, comparedTag, hasTags, sharesTag } from '../../ledger/compared-tags.js';
import { askedTags, MENTIONED_TAGS, openEntityName, openSummary } from '../../ledger/entity-names.js';
import { Ledger } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { memoryOf, memoryOfSnapshot, MEMORY_COLUMNS, type MemoryRow } from './memory-rows.js';
import { MemoryNotFound } from './memory.errors.js';
import type { Memory } from './memory.js';

/** A place in a list that is sorted newest first: what comes after this memory. */
export interface ListPlace {
  timestamp: Date;
  id: string;
}

export interface ListFilter {
  /** Any of them, or all: a memory's own, and those of the entities that it mentions. */
  tags?: { values: string[]; mode: 'any' | 'all' };
  types?: string[];
  session?: string;
  user?: string;
  agent?: string;
  from?: Date;
  until?: Date;
}

export interface MemoryPage {
  memories: Memory[];
  /** Null: that was the last page. */
  next: ListPlace | null;
}

/** A memory as it was before an edit. */
export interface PastMemory {
  revision: number;
  replacedAt: Date;
  memory: Memory;
}

/** What was drawn from a memory as it stands. */
export interface Derived {
  /** Of a long content. */
  summary: string | null;
  /** Whom and what it names, as it is written there. */
  entities: { kind: string; name: string }[];
}

@Injectable()
export class MemoryReaderService {
  constructor(private readonly ledger: Ledger) {}

  /** Throws `MemoryNotFound`. */
  async get(tenant: Tenant, workspace: WorkspaceId, id: string): Promise<Memory> {
    const [memory] = await this.byIds(tenant, workspace, [id]);
    if (memory === undefined) throw new MemoryNotFound();
    return memory;
  }

  /** What enrichment has drawn from it: nothing, where it has not come that far. */
  async derived(tenant: Tenant, workspace: WorkspaceId, id: string): Promise<Derived> {
    const rows = await this.ledger.readRows<DerivedRow>(tenant, workspace, DERIVED, [
      tenant.id,
      workspace,
      id,
    ]);
    const sealed = rows[0]?.summary ?? null;
    return {
      summary: sealed === null ? null : openSummary(tenant.key, workspace, id, sealed),
      entities: rows.flatMap(({ kind, found, name }) =>
        kind === null || found === null || name === null
          ? []
          : { kind, name: openEntityName(tenant.key, workspace, id, found, name) },
      ),
    };
  }

  /** Those there are, in no order. */
  async byIds(tenant: Tenant, workspace: WorkspaceId, ids: string[]): Promise<Memory[]> {
    if (ids.length === 0) return [];
    const rows = await this.ledger.read(tenant, workspace, (tx) =>
      tx.rows<MemoryRow>(
        `SELECT ${MEMORY_COLUMNS} FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`,
        [tenant.id, workspace, ids],
      ),
    );
    return rows.map((row) => memoryOf(tenant, row));
  }

  /** Newest first, ties by id. */
  async list(
    tenant: Tenant,
    workspace: WorkspaceId,
    filter: ListFilter,
    limit: number,
    after: ListPlace | null,
    offset = 0,
  ): Promise<MemoryPage> {
    const tags = filter.tags?.values ?? [];
    const rows = await this.ledger.read(tenant, workspace, (tx) =>
      tx.rows<MemoryRow>(LIST, [
        tenant.id,
        workspace,
        filter.tags?.mode === 'all' ? tags : null,
        filter.tags?.mode === 'any' ? tags : null,
        filter.types ?? null,
        filter.session ?? null,
        filter.user ?? null,
        filter.agent ?? null,
        filter.from ?? null,
        filter.until ?? null,
        after?.timestamp ?? null,
        after?.id ?? null,
        // One more than asked for tells whether there is a next page.
        limit + 1,
        offset,
        entityTags(tenant, tags),
      ]),
    );
    const memories = rows.slice(0, limit).map((row) => memoryOf(tenant, row));
    const last = memories.at(-1);
    const next =
      rows.length > limit && last !== undefined ? { timestamp: last.timestamp, id: last.id } : null;
    return { memories, next };
  }

  /** What the memory was before each edit, newest first. Throws `MemoryNotFound`. */
  async history(tenant: Tenant, workspace: WorkspaceId, id: string): Promise<PastMemory[]> {
    return this.ledger.read(tenant, workspace, async (tx) => {
      const rows = await tx.rows<HistoryRow>(
        `SELECT h.revision, h.snapshot, h.replaced_at FROM memories m
         LEFT JOIN memory_history h ON h.tenant_id = m.tenant_id AND h.workspace_id = m.workspace_id AND h.memory_id = m.id
         WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = $3 ORDER BY h.revision DESC`,
        [tenant.id, workspace, id],
      );
      if (rows.length === 0) throw new MemoryNotFound();
      return rows.flatMap((row) => {
        const { revision, snapshot, replaced_at: replacedAt } = row;
        if (revision === null || snapshot === null || replacedAt === null) return [];
        const place = snapshotPlace(workspace, id, Number(revision));
        const memory = memoryOfSnapshot(tenant.key.open(snapshot, place).toString('utf8'));
        return { revision: Number(revision), replacedAt, memory };
      });
    });
  }
}

/** The tags as the indexes hold them, where one of them is an entity's; else null: nobody need look at mentions. */
function entityTags(tenant: Tenant, tags: string[]): string[] | null {
  const indexed = askedTags(tenant.key, tags);
  return tags.some((tag, at) => comparedTag(tag) !== indexed[at]) ? indexed : null;
}

/** Where the snapshot of a memory before an edit is sealed. */
export function snapshotPlace(workspace: WorkspaceId, id: string, revision: number) {
  return { table: 'memory_history', row: `${workspace}/${id}/${revision}`, column: 'snapshot' };
}

interface DerivedRow extends QueryResultRow {
  summary: Buffer | null;
  kind: string | null;
  found: string | null;
  name: Buffer | null;
}

interface HistoryRow extends QueryResultRow {
  revision: string | null;
  snapshot: Buffer | null;
  replaced_at: Date | null;
}

const DERIVED = `
SELECT e.summary, n.kind, n.found, n.name FROM memories m
LEFT JOIN enrichments e ON e.tenant_id = $1 AND e.workspace_id = $2 AND e.memory_id = m.id AND e.hash = m.alone_hash
LEFT JOIN mentions n ON n.tenant_id = $1 AND n.workspace_id = $2 AND n.memory_id = m.id AND n.hash = m.alone_hash
WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = $3
ORDER BY n.kind, n.found`;

/**
 * PostgreSQL keeps microseconds, JavaScript milliseconds: the page's place is compared at the coarser. An entity's tag ends with
 * its key, by which its mentions are looked up.
 */
const LIST = `
SELECT ${MEMORY_COLUMNS} FROM memories m
WHERE tenant_id = $1 AND workspace_id = $2
  AND ($3::text[] IS NULL OR ${hasTags('$3::text[]')} OR ($15::text[] IS NOT NULL AND (
    SELECT bool_and(lower(w.own) = ANY(${COMPARED_TAGS}) OR w.indexed = ANY(${MENTIONED_TAGS})) FROM unnest($3, $15) AS w (own, indexed))))
  AND ($4::text[] IS NULL OR ${sharesTag('$4::text[]')} OR ($15::text[] IS NOT NULL AND (m.id, m.alone_hash) IN (
    SELECT n.memory_id, n.hash FROM mentions n
    WHERE n.tenant_id = $1 AND n.workspace_id = $2 AND n.entity IN (SELECT right(tag, 32) FROM unnest($15) AS tag))))
  AND ($5::text[] IS NULL OR type = ANY($5))
  AND ($6::text IS NULL OR session_id = $6)
  AND ($7::text IS NULL OR user_id = $7)
  AND ($8::text IS NULL OR agent_id = $8)
  AND ($9::timestamptz IS NULL OR timestamp >= $9)
  AND ($10::timestamptz IS NULL OR timestamp <= $10)
  AND ($11::timestamptz IS NULL OR (timestamp, id) < ($11, $12::uuid))
ORDER BY timestamp DESC, id DESC
LIMIT $13 OFFSET $14`;
