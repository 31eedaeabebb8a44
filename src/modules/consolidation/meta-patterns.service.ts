import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Cause } from '../../ledger/cause.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { Ledger } from '../../ledger/ledger.js';
import { openVector } from '../../ledger/sealed-memory.js';
import { meterTokens } from '../../ledger/token-meter.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { MemoryEditorService } from '../memory/memory-editor.service.js';
import { memoryOf, PREFIXED_MEMORY_COLUMNS, type MemoryRow } from '../memory/memory-rows.js';
import { MemoryStoreService } from '../memory/memory-store.service.js';
import { MemoryNotFound } from '../memory/memory.errors.js';
import type { Memory, MemoryDraft } from '../memory/memory.js';
import { relateMemories } from '../memory/relation-rows.js';
import { cosineOf } from './associations.js';
import { SMALLEST_CLUSTER } from './clusters.js';
import type { PatternText, PatternWriter } from './pattern-writer.js';

export const META_PATTERN = 'meta-pattern';
const REFLECTION = 'Reflective';
const MOST_TAGS = 5;

/** A cluster's member, and how near it is to the middle of it. */
interface Member {
  memory: Memory;
  /** Of its text. */
  hash: Buffer;
  /** 0..1 */
  typical: number;
}

/** A memory was deleted or edited while a text was made of it: the text is dropped. */
class SourcesChanged extends Error {}

interface MemberRow extends MemoryRow {
  vector: Buffer;
  alone_hash: Buffer;
}

interface KnownRow extends QueryResultRow {
  id: string;
  type: string;
  shared: number;
  sources: number;
}

/** What the clusters of one run share. */
export interface PatternRun {
  taken: Set<string>;
  cause: Cause;
  writer: PatternWriter;
}

export type PatternOutcome = 'created' | 'updated' | 'unchanged' | 'gone';

/**
 * The memory that a cluster comes to, marked as derived, its members each an example of it: of the type Pattern, or
 * Reflective where a language model has put it into words.
 */
@Injectable()
export class MetaPatterns {
  constructor(
    private readonly ledger: Ledger,
    private readonly memories: MemoryStoreService,
    private readonly editor: MemoryEditorService,
  ) {}

  /**
   * Makes or renews the one of these members. The one that most of them are sources of already is it, unless `taken` by
   * another cluster of this run. One of the same members stays as it is, unless it can be put into better words now.
   * `gone`: too few of the members are left. Throws `QuotaExceeded`.
   */
  async make(
    tenant: Tenant,
    workspace: WorkspaceId,
    ids: readonly string[],
    { taken, cause, writer }: PatternRun,
  ): Promise<PatternOutcome> {
    const members = await this.members(tenant, workspace, ids);
    if (members.length < SMALLEST_CLUSTER) return 'gone';
    const known = await this.known(tenant, workspace, members, taken);
    const same = known?.same === true;
    if (same && (known.reflected || !writer.reflects)) return 'unchanged';
    const text = await writer.write(members.map(({ memory }) => memory));
    if (same && text.by !== 'reflection') return 'unchanged';
    const fields = fieldsOf(members, text);
    const sources = { members, text };
    try {
      if (known === null) {
        const id = randomUUID();
        taken.add(id);
        const draft = draftOf(tenant, id, fields);
        const along = (tx: LedgerWrite) => link(tx, workspace, id, sources);
        await this.memories.store(tenant, workspace, [draft], cause, along);
        return 'created';
      }
      // Linked first: whatever it says, it goes with whom it says it of.
      await this.ledger.write(tenant, workspace, cause, (tx) => link(tx, workspace, known.id, sources));
      await this.editor.update(tenant, workspace, known.id, fields, cause);
      return 'updated';
    } catch (error) {
      if (error instanceof SourcesChanged || error instanceof MemoryNotFound) return 'gone';
      throw error;
    }
  }

  /** The most typical first. */
  private async members(tenant: Tenant, workspace: WorkspaceId, ids: readonly string[]): Promise<Member[]> {
    const rows = await this.ledger.readRows<MemberRow>(tenant, workspace, MEMBERS, [
      tenant.id,
      workspace,
      ids,
      tenant.embeddingModel,
    ]);
    const vectors = rows.map(({ id, vector }) => openVector(tenant.key, workspace, id, 'alone', vector));
    const middle = middleOf(vectors);
    return rows
      .map((row, at): Member => {
        const typical = Math.max(0, Math.min(1, cosineOf(vectors[at] ?? middle, middle)));
        return { memory: memoryOf(tenant, row), hash: row.alone_hash, typical };
      })
      .sort((a, b) => b.typical - a.typical || (a.memory.id < b.memory.id ? -1 : 1));
  }

  private async known(
    tenant: Tenant,
    workspace: WorkspaceId,
    members: readonly Member[],
    taken: Set<string>,
  ): Promise<{ id: string; same: boolean; reflected: boolean } | null> {
    const scope = [tenant.id, workspace, members.map(({ memory }) => memory.id)];
    const rows = await this.ledger.readRows<KnownRow>(tenant, workspace, KNOWN, scope);
    const best = rows.find(({ id }) => !taken.has(id));
    if (best === undefined || best.shared * 2 < Math.min(best.sources, members.length)) return null;
    taken.add(best.id);
    const same = best.shared === best.sources && best.shared === members.length;
    return { id: best.id, same, reflected: best.type === REFLECTION };
  }
}

/** Throws `SourcesChanged` where one whose words may be in a text is not what it was when that was made. */
async function checkSources(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  members: readonly Member[],
  quoted: readonly string[],
): Promise<void> {
  const hashes = new Map(members.map(({ memory, hash }) => [memory.id, hash]));
  const rows = await tx.rows<QueryResultRow & { id: string; alone_hash: Buffer }>(
    `SELECT id, alone_hash FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`,
    [tx.tenant.id, workspace, quoted],
  );
  const unchanged = rows.filter((row) => hashes.get(row.id)?.equals(row.alone_hash) === true);
  if (unchanged.length < quoted.length) throw new SourcesChanged();
}

/** Members become its sources and examples. Who is none any more is neither; but what was quoted once stays a source. */
async function link(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  id: string,
  { members, text }: { members: readonly Member[]; text: PatternText },
): Promise<void> {
  const { quoted, tokens } = text;
  await checkSources(tx, workspace, members, quoted);
  meterTokens(tx, workspace, tokens);
  const ids = members.map(({ memory }) => memory.id);
  const scope = [tx.tenant.id, workspace, id, ids];
  await tx.rows(SOURCES, [...scope, quoted]);
  await tx.rows(
    `DELETE FROM derived_memories WHERE tenant_id = $1 AND workspace_id = $2 AND memory_id = $3
     AND NOT source_id = ANY($4::uuid[]) AND NOT quoted`,
    scope,
  );
  const stale = await tx.rows<{ id: string }>(
    `DELETE FROM relations WHERE tenant_id = $1 AND workspace_id = $2 AND to_id = $3 AND type = 'EXEMPLIFIES'
     AND NOT from_id = ANY($4::uuid[]) RETURNING id`,
    scope,
  );
  for (const relation of stale) tx.changed(workspace, 'relation', relation.id, true);
  await relateMemories(
    tx,
    workspace,
    members.map(({ memory, typical }) => ({
      from: memory.id,
      to: id,
      type: 'EXEMPLIFIES' as const,
      strength: Math.fround(typical),
      attributes: { pattern_type: META_PATTERN, confidence: Math.round(typical * 1e4) / 1e4 },
    })),
  );
}

type PatternFields = Pick<
  MemoryDraft,
  'content' | 'type' | 'tags' | 'importance' | 'confidence' | 'metadata' | 'timestamp'
>;

function fieldsOf(members: readonly Member[], { content, cites, by }: PatternText): PatternFields {
  const memories = members.map(({ memory }) => memory);
  const times = memories.map(({ timestamp }) => timestamp.getTime());
  const newest = new Date(Math.max(...times));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    content,
    type: by === 'reflection' ? REFLECTION : 'Pattern',
    tags: [
      META_PATTERN,
      ...commonest(
        memories.flatMap(({ tags }) => tags),
        memories.length / 2,
      ).slice(0, MOST_TAGS),
    ],
    importance: Math.fround(mean(memories.map(({ importance }) => importance))),
    confidence: Math.fround(mean(members.map(({ typical }) => typical))),
    metadata: {
      derived: true,
      derived_by: by === 'reflection' ? 'reflection' : 'consolidation',
      cluster_size: members.length,
      dominant_type:
        commonest(
          memories.map(({ type }) => type),
          0,
        )[0] ?? null,
      time_span_days: Math.round((newest.getTime() - Math.min(...times)) / 86_400_000),
      cites,
    },
    timestamp: newest,
  };
}

function draftOf(tenant: Tenant, id: string, fields: PatternFields): MemoryDraft {
  return {
    ...fields,
    id,
    typeGiven: true,
    validFrom: null,
    validUntil: null,
    session: null,
    user: null,
    agent: null,
    source: null,
    embedding: null,
    fingerprint: tenant.key.hash(META_PATTERN, id),
  };
}

/** Those that come up at least so often, the commonest first. */
function commonest(words: readonly string[], least: number): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count >= least)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([word]) => word);
}

function middleOf(vectors: readonly Float32Array[]): Float32Array {
  const middle = new Float32Array(vectors[0]?.length ?? 0);
  for (const vector of vectors)
    for (let at = 0; at < middle.length; at++) middle[at] = (middle[at] ?? 0) + (vector[at] ?? 0);
  const length = Math.sqrt(cosineOf(middle, middle));
  return length === 0 ? middle : middle.map((number) => number / length);
}

const MEMBERS = `
SELECT ${PREFIXED_MEMORY_COLUMNS}, m.alone_hash, v.vector FROM memories m
JOIN embeddings v ON v.tenant_id = $1 AND v.workspace_id = $2 AND v.memory_id = m.id AND v.part = 'alone' AND v.model = $4
  AND v.hash = m.alone_hash
WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = ANY($3::uuid[])`;

const KNOWN = `
SELECT d.memory_id AS id, m.type, (count(*) FILTER (WHERE d.source_id = ANY($3::uuid[])))::int AS shared,
  count(*)::int AS sources
FROM derived_memories d JOIN memories m ON m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = d.memory_id
WHERE d.tenant_id = $1 AND d.workspace_id = $2 AND d.memory_id IN (
  SELECT memory_id FROM derived_memories WHERE tenant_id = $1 AND workspace_id = $2 AND source_id = ANY($3::uuid[]))
GROUP BY d.memory_id, m.type ORDER BY shared DESC, d.memory_id`;

const SOURCES = `
INSERT INTO derived_memories (tenant_id, workspace_id, memory_id, source_id, quoted)
SELECT $1, $2, $3, m.id, m.id = ANY($5::uuid[]) FROM memories m
WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = ANY($4::uuid[])
ON CONFLICT (tenant_id, workspace_id, memory_id, source_id) DO UPDATE SET quoted = derived_memories.quoted OR excluded.quoted`;
