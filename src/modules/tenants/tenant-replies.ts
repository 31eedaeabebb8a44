import type { Plan } from '../../platform/config/plans.js';
import { grantedFeatures } from '../../tenancy/features.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { Provisioned } from './tenant-provisioning.service.js';
import type { PurgeReceipt } from './tenant-purge.service.js';
import type { TenantCounts, TenantStats } from './tenant-stats.service.js';
import type { TenantEntity } from './tenant.entity.js';
import type {
  DeletedTenantDto,
  NewKeyDto,
  TenantCountsDto,
  TenantDto,
  TenantLimitsDto,
  TenantStatsDto,
} from './tenants.dto.js';
import { RESTORABLE_DAYS } from './tenants.service.js';

export function tenantDto(tenant: TenantEntity, plan: Plan): TenantDto {
  return {
    id: tenant.id,
    tenant_id: tenant.slug,
    name: tenant.name,
    plan_tier: tenant.plan,
    state: tenant.state,
    is_active: tenant.state === 'active',
    placement: tenant.placement,
    namespace: `memories_${tenant.slug}`,
    workspace_id: tenant.defaultWorkspaceId,
    agent_id: tenant.defaultAgentId,
    features: featuresOf(tenant),
    settings: tenant.settings,
    limits: limitsDto(tenant, plan),
    domain: tenant.domain,
    platform: tenant.platform,
    contact_email: tenant.contactEmail,
    contact_name: tenant.contactName,
    metadata: tenant.metadata,
    suspended_reason: tenant.suspendedReason,
    deleted_at: tenant.deletedAt?.toISOString() ?? null,
    created_at: tenant.createdAt.toISOString(),
    updated_at: tenant.updatedAt.toISOString(),
  };
}

/** `shown`: the tenant under whichever of its names. The key is there where the tenant was made now. */
export function provisionedDto<Shown extends object>(
  shown: Shown,
  { key }: Provisioned,
): Shown & { api_key?: NewKeyDto } {
  return {
    ...shown,
    ...(key === null ? {} : { api_key: { id: key.id, key: key.key, key_prefix: key.prefix } }),
  };
}

/** Those that gates let through. */
export function featuresOf({
  plan,
  features,
  featuresOff,
}: Pick<TenantEntity, 'plan' | 'features' | 'featuresOff'>): string[] {
  return grantedFeatures(plan, features).filter((word) => !featuresOff.includes(word));
}

/** The plan's numbers, with the tenant's own before them. */
export function limitsDto({ settings }: Pick<Tenant, 'settings'>, plan: Plan): TenantLimitsDto {
  return {
    max_workspaces: settings.quotas?.max_workspaces ?? plan.maxWorkspaces,
    max_documents_per_workspace: settings.quotas?.max_documents_per_workspace ?? plan.maxDocuments,
    max_requests_per_month: settings.quotas?.max_requests_per_month ?? plan.requestsPerMonth,
    max_memories: settings.quotas?.max_memories ?? plan.maxMemories,
    requests_per_minute: settings.quotas?.max_api_calls_per_minute ?? plan.requestsPerMinute,
  };
}

export function statsDto(tenant: TenantEntity, stats: TenantStats): TenantStatsDto {
  return {
    ...countsDto(tenant, stats),
    graph_nodes: stats.graphNodes,
    graph_relationships: stats.graphRelationships,
    graph_entities: stats.graphEntities,
    vector_points: stats.vectorPoints,
    storage_mb: megabytes(stats.bytes + stats.spaceBytes),
    watermarks: stats.watermarks,
  };
}

/** What the ledger alone tells: listing tenants looks at no projection. */
export function countsDto(
  tenant: TenantEntity,
  counts: TenantCounts,
): Omit<TenantStatsDto, 'watermarks' | 'graph_entities'> & TenantCountsDto {
  return {
    tenant_id: tenant.slug,
    memory_count: counts.memories,
    graph_nodes: counts.memories,
    graph_relationships: counts.relations,
    vector_points: counts.memories,
    storage_mb: megabytes(counts.bytes),
    // Documents come with the knowledge base; until then there are none.
    document_count: 0,
    chunk_count: 0,
    workspace_count: counts.workspaces,
    agent_count: counts.agents,
    state: tenant.state,
    placement: tenant.placement,
    revision: counts.revision,
    last_active_at: counts.lastActiveAt?.toISOString() ?? null,
    as_of: new Date().toISOString(),
  };
}

export function deletedDto(tenant: TenantEntity): DeletedTenantDto {
  const deletedAt = tenant.deletedAt ?? new Date();
  return {
    id: tenant.id,
    tenant_id: tenant.slug,
    state: 'deleted',
    deleted_at: deletedAt.toISOString(),
    restorable_until: new Date(deletedAt.getTime() + RESTORABLE_DAYS * 86_400_000).toISOString(),
  };
}

export function purgedDto({
  tenant,
  purgedAt,
  ledger,
  vectors,
  graph,
  verified,
}: PurgeReceipt): DeletedTenantDto {
  return {
    id: tenant.id,
    tenant_id: tenant.slug,
    state: 'purged',
    purged_at: purgedAt.toISOString(),
    stores: { ledger, vectors, graph },
    verified,
  };
}

function megabytes(bytes: number): number {
  return Math.round((bytes / 1_048_576) * 1000) / 1000;
}
