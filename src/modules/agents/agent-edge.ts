import { readCursor, writeCursor } from '../../platform/http/cursor.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import type { LedgerScope } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { AGENT_DEFAULTS, type AgentChange, type NewAgent } from './agent.js';
import type { AgentViewer } from './agent-access.js';
import { agentDto } from './agent-replies.js';
import { templateOf } from './agent-templates.js';
import type {
  AgentListDto,
  ChangeAgentDto,
  CreateAgentDto,
  FromTemplateDto,
  ListAgentsDto,
} from './agents.dto.js';
import type { AgentsService } from './agents.service.js';

/** What the agent routes have in common: from a request to domain values. */
export function draftOf(dto: CreateAgentDto, viewer: AgentViewer): NewAgent {
  return {
    ...AGENT_DEFAULTS,
    owner: viewer.member,
    name: dto.name,
    slug: dto.slug,
    ...changeOf(dto),
    isPublic: dto.is_public ?? null,
  };
}

/** Throws `RequestInvalid` where there is no such template. */
export function draftFromTemplate(dto: FromTemplateDto, viewer: AgentViewer): NewAgent {
  const template = templateOf(dto.template);
  if (template === null) {
    throw new RequestInvalid([{ location: 'body.template', message: 'is no template' }]);
  }
  const { id, name, description, type, systemPrompt, temperature, tools } = template;
  const made = { name, description, type, systemPrompt, temperature, tools: [...tools] };
  return {
    ...AGENT_DEFAULTS,
    owner: viewer.member,
    slug: id,
    ...made,
    ...changeOf(dto),
    isPublic: dto.is_public ?? null,
    template: id,
  };
}

export function changeOf(dto: ChangeAgentDto): AgentChange {
  return {
    ...(dto.name === undefined ? {} : { name: dto.name }),
    ...(dto.slug === undefined ? {} : { slug: dto.slug }),
    ...(dto.description === undefined ? {} : { description: dto.description }),
    ...(dto.system_prompt === undefined ? {} : { systemPrompt: dto.system_prompt }),
    ...(dto.model_provider === undefined ? {} : { modelProvider: dto.model_provider }),
    ...(dto.model_name === undefined ? {} : { modelName: dto.model_name }),
    // PostgreSQL's `real` refuses what is too small for it instead of taking it for zero.
    ...(dto.temperature === undefined
      ? {}
      : { temperature: dto.temperature === null ? null : Math.fround(dto.temperature) }),
    ...(dto.enabled_tools === undefined ? {} : { tools: [...new Set(dto.enabled_tools)] }),
    ...(dto.tool_config === undefined ? {} : { toolConfig: dto.tool_config }),
    ...(dto.agent_type === undefined ? {} : { type: dto.agent_type }),
    ...(dto.owner_id === undefined ? {} : { owner: dto.owner_id }),
    ...(dto.is_public === undefined ? {} : { isPublic: dto.is_public }),
    ...(dto.is_active === undefined ? {} : { isActive: dto.is_active }),
  };
}

/** One page of the agents that the caller sees. Throws `RequestInvalid` for a cursor of another list. */
export async function listAgents(
  agents: AgentsService,
  of: { tenant: Tenant; scope: LedgerScope; viewer: AgentViewer; workspace: WorkspaceId | null },
  query: ListAgentsDto,
): Promise<AgentListDto> {
  const place = query.cursor === undefined ? null : readCursor(query.cursor);
  const { agents: page, next } = await agents.list(of.tenant, of.scope, of.viewer, {
    scope: query.scope,
    workspace: of.workspace,
    type: query.agent_type ?? null,
    limit: query.limit,
    after: place === null ? null : { createdAt: place.time, id: place.id },
  });
  return {
    data: page.map((agent) => agentDto(of.tenant, agent)),
    next_cursor: next === null ? null : writeCursor({ time: next.createdAt, id: next.id }),
  };
}
