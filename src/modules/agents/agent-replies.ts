import type { Tenant } from '../../tenancy/principal.js';
import type { Agent } from './agent.js';
import type { AgentTemplate } from './agent-templates.js';
import type { AgentDto, AgentTemplateDto, DeletedAgentDto } from './agents.dto.js';

export function agentDto(tenant: Tenant, agent: Agent): AgentDto {
  return {
    id: agent.id,
    workspace_id: agent.workspace,
    name: agent.name,
    slug: agent.slug,
    description: agent.description,
    system_prompt: agent.systemPrompt,
    model_provider: agent.modelProvider,
    model_name: agent.modelName,
    // Kept as a 32-bit float.
    temperature: agent.temperature === null ? null : Number(agent.temperature.toPrecision(7)),
    enabled_tools: agent.tools,
    tool_config: agent.toolConfig,
    agent_type: agent.type,
    owner_id: agent.owner,
    is_public: agent.isPublic,
    is_active: agent.isActive,
    status: agent.isActive ? 'active' : 'inactive',
    is_default: agent.id === tenant.defaultAgent,
    template: agent.template,
    created_at: agent.createdAt.toISOString(),
    updated_at: agent.updatedAt.toISOString(),
  };
}

export function deletedAgentDto({ id, slug }: Agent): DeletedAgentDto {
  return { id, slug, status: 'deleted' };
}

export function templateDto({ type, systemPrompt, tools, ...template }: AgentTemplate): AgentTemplateDto {
  return { ...template, agent_type: type, system_prompt: systemPrompt, enabled_tools: [...tools] };
}
