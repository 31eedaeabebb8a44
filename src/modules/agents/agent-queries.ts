import type { QueryResultRow } from 'pg';
import type { Feature } from '../../platform/config/features.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import type { Agent, AgentTool } from './agent.js';
import { visible, type AgentScope, type AgentViewer } from './agent-access.js';

export interface AgentRow extends QueryResultRow {
  id: string;
  workspace_id: WorkspaceId;
  slug: string;
  name: string;
  description: string | null;
  system_prompt: string | null;
  model_provider: string | null;
  model_name: string | null;
  temperature: number | null;
  enabled_tools: AgentTool[];
  tool_config: Record<string, unknown>;
  agent_type: string;
  owner_id: string | null;
  is_public: boolean;
  is_active: boolean;
  template: string | null;
  created_at: Date;
  updated_at: Date;
}

/** A place in the list of agents, newest first. */
export interface AgentPlace {
  createdAt: Date;
  id: string;
}

export interface AgentQuery {
  scope: AgentScope;
  /** Null: all that the caller reaches. */
  workspace: WorkspaceId | null;
  type: string | null;
  limit: number;
  after: AgentPlace | null;
}

export interface Statement {
  sql: string;
  values: unknown[];
}

const COLUMNS = `a.id, a.workspace_id, a.slug, a.name, a.description, a.system_prompt, a.model_provider, a.model_name,
  a.temperature, a.enabled_tools, a.tool_config, a.agent_type, a.owner_id, a.is_public, a.is_active, a.template,
  a.created_at, a.updated_at`;

/** One more than asked for, newest first: it tells whether there is a next page. */
export function agentPage(tenant: Tenant, viewer: AgentViewer, query: AgentQuery): Statement {
  const { values, value } = parameters(tenant.id);
  const conditions = [
    ...(query.workspace === null ? [] : [`a.workspace_id = ${value(query.workspace)}`]),
    ...(query.type === null ? [] : [`a.agent_type = ${value(query.type)}`]),
    ...visible(viewer, query.scope, tenant.features.includes('agent_sharing' satisfies Feature), value),
    ...(query.after === null
      ? []
      : [`(a.created_at, a.id) < (${value(query.after.createdAt)}, ${value(query.after.id)}::uuid)`]),
  ];
  const order = `ORDER BY a.created_at DESC, a.id DESC LIMIT ${value(query.limit + 1)}`;
  return { sql: `${LIVE}${conditions.map((condition) => ` AND ${condition}`).join('')} ${order}`, values };
}

/** By UUID or slug, where the viewer sees it. */
export function oneAgent(
  tenant: Tenant,
  viewer: AgentViewer,
  workspace: WorkspaceId,
  name: string,
): Statement {
  const { values, value } = parameters(tenant.id);
  const conditions = [
    `a.workspace_id = ${value(workspace)}`,
    `a.${isUuid(name) ? 'id' : 'slug'} = ${value(name.toLowerCase())}`,
    ...visible(viewer, 'all', tenant.features.includes('agent_sharing' satisfies Feature), value),
  ];
  return { sql: `${LIVE} AND ${conditions.join(' AND ')}`, values };
}

const LIVE = `SELECT ${COLUMNS} FROM agents a WHERE a.tenant_id = $1 AND a.deleted_at IS NULL`;

function parameters(...values: unknown[]): { values: unknown[]; value: (value: unknown) => string } {
  return { values, value: (value) => `$${values.push(value)}` };
}

export function agentOf(row: AgentRow): Agent {
  return {
    id: row.id,
    workspace: row.workspace_id,
    slug: row.slug,
    name: row.name,
    description: row.description,
    systemPrompt: row.system_prompt,
    modelProvider: row.model_provider,
    modelName: row.model_name,
    temperature: row.temperature,
    tools: row.enabled_tools,
    toolConfig: row.tool_config,
    type: row.agent_type,
    owner: row.owner_id,
    isPublic: row.is_public,
    isActive: row.is_active,
    template: row.template,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
