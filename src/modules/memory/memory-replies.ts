import type { Masked } from '../../platform/scrub/scrub.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { MemoryDto, RefusedMemoryDto, StoredBatchDto, StoredMemoryDto } from './memory.dto.js';
import type { Memory, Stored, StoreOutcome } from './memory.js';

export function memoryDto(memory: Memory): MemoryDto {
  return {
    memory_id: memory.id,
    id: memory.id,
    workspace_id: memory.workspace,
    content: memory.content,
    type: memory.type,
    tags: memory.tags,
    importance: single(memory.importance),
    confidence: single(memory.confidence),
    metadata: memory.metadata,
    timestamp: memory.timestamp.toISOString(),
    t_valid: memory.validFrom?.toISOString() ?? null,
    t_invalid: memory.validUntil?.toISOString() ?? null,
    session_id: memory.session,
    user_id: memory.user,
    agent_id: memory.agent,
    source: memory.source,
    created_at: memory.createdAt.toISOString(),
    updated_at: memory.updatedAt.toISOString(),
    ...(memory.archivedAt === null ? {} : { archived_at: memory.archivedAt.toISOString() }),
  };
}

export function storedDto(
  tenant: Tenant,
  workspace: WorkspaceId,
  outcome: StoreOutcome,
  indexed: boolean,
): StoredMemoryDto {
  return {
    status: 'success',
    memory_id: outcome.id,
    tenant_id: tenant.slug,
    workspace_id: workspace,
    type: outcome.type,
    created: outcome.outcome === 'stored',
    indexed,
  };
}

export function batchDto(
  tenant: Tenant,
  workspace: WorkspaceId,
  stored: Stored,
  refused: RefusedMemoryDto[],
): StoredBatchDto {
  return {
    status: refused.length === 0 ? 'success' : 'partial',
    tenant_id: tenant.slug,
    workspace_id: workspace,
    stored: stored.outcomes.filter(({ outcome }) => outcome !== 'conflict').length,
    created_count: stored.outcomes.filter(({ outcome }) => outcome === 'stored').length,
    memory_ids: stored.outcomes.flatMap(({ outcome, id }) => (outcome === 'conflict' ? [] : id)),
    failed: refused.toSorted((a, b) => a.index - b.index),
    indexed: stored.indexed,
  };
}

/** PostgreSQL's `real` shows more digits than it holds once it is a double: 0.9 would read 0.8999999761581421. */
function single(value: number): number {
  return Number(value.toPrecision(7));
}

/** Nothing where nothing was masked. */
export function scrubbedDto(masked: Masked[]): { scrubbed?: Masked[] } {
  return masked.length === 0 ? {} : { scrubbed: masked };
}
