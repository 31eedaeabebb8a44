import type { Tenant } from '../../tenancy/principal.js';
import type { ErasedWorkspace, Workspace } from './workspace.js';
import type { DeletedWorkspaceDto, WorkspaceDto } from './workspaces.dto.js';

export function workspaceDto(tenant: Tenant, workspace: Workspace): WorkspaceDto {
  return {
    id: workspace.id,
    organization_id: tenant.id,
    name: workspace.name,
    slug: workspace.slug,
    description: workspace.description,
    settings: workspace.settings,
    is_default: workspace.id === tenant.defaultWorkspace,
    // Documents come with the knowledge base; until then there are none.
    document_count: 0,
    agent_count: workspace.agents,
    monthly_requests: workspace.monthlyRequests,
    created_at: workspace.createdAt.toISOString(),
    updated_at: workspace.updatedAt.toISOString(),
  };
}

export function deletedWorkspaceDto({
  id,
  slug,
  memories,
  agents,
  keys,
}: ErasedWorkspace): DeletedWorkspaceDto {
  return { id, slug, status: 'deleted', removed: { memories, agents, keys } };
}
