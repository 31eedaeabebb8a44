import type { TenantDto } from '../tenants/tenants.dto.js';
import type { OrganizationDto } from './organizations.dto.js';

export function organizationDto(tenant: TenantDto): OrganizationDto {
  const { limits } = tenant;
  return {
    id: tenant.id,
    name: tenant.name,
    slug: tenant.tenant_id,
    plan_tier: tenant.plan_tier,
    max_workspaces: limits.max_workspaces,
    max_documents_per_workspace: limits.max_documents_per_workspace,
    max_requests_per_month: limits.max_requests_per_month,
    contact_email: tenant.contact_email,
    contact_name: tenant.contact_name,
    state: tenant.state,
    is_active: tenant.is_active,
    features: tenant.features,
    workspace_id: tenant.workspace_id,
    agent_id: tenant.agent_id,
    created_at: tenant.created_at,
    updated_at: tenant.updated_at,
  };
}
