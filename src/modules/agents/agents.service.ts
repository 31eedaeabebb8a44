import { Injectable } from '@nestjs/common';
import type { Cause } from '../../ledger/cause.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { ControlPlane } from '../../ledger/control-plane.js';
import type { LedgerRead, LedgerScope } from '../../ledger/ledger.js';
import { changedMembers } from '../../ledger/changed-members.js';
import { requireFeature } from '../../tenancy/features.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { Agent, AgentChange, AgentDraft, NewAgent } from './agent.js';
import { mayChange, owns, type AgentViewer } from './agent-access.js';
import {
  agentOf,
  agentPage,
  oneAgent,
  type AgentPlace,
  type AgentQuery,
  type AgentRow,
} from './agent-queries.js';
import { AgentIsDefault, AgentIsOthers, AgentNotFound, AgentSlugTaken } from './agents.errors.js';

/** The agents of a tenant's workspaces, as far as whoever asks may see and change them. */
@Injectable()
export class AgentsService {
  constructor(private readonly control: ControlPlane) {}

  /** `name`: UUID or slug. Throws `AgentNotFound`. */
  async get(tenant: Tenant, workspace: WorkspaceId, viewer: AgentViewer, name: string): Promise<Agent> {
    return this.control.read(tenant, workspace, (tx) => find(tx, workspace, viewer, name));
  }

  /** Newest first. */
  async list(
    tenant: Tenant,
    scope: LedgerScope,
    viewer: AgentViewer,
    query: AgentQuery,
  ): Promise<{ agents: Agent[]; next: AgentPlace | null }> {
    const { sql, values } = agentPage(tenant, viewer, query);
    const rows = await this.control.readRows<AgentRow>(tenant, scope, sql, values);
    const agents = rows.slice(0, query.limit).map(agentOf);
    const last = agents.at(-1);
    const more = rows.length > query.limit && last !== undefined;
    return { agents, next: more ? { createdAt: last.createdAt, id: last.id } : null };
  }

  /** Throws `FeatureDisabled`, `AgentIsOthers`, `AgentSlugTaken`. */
  async create(
    tenant: Tenant,
    workspace: WorkspaceId,
    viewer: AgentViewer,
    id: string,
    order: NewAgent,
    cause: Cause,
  ): Promise<Agent> {
    requireFeature(tenant, 'custom_agents');
    if (!viewer.makesOwn) throw new AgentIsOthers('Making agents takes `manage`, or a member who is a user.');
    if (order.isPublic === true) requireFeature(tenant, 'agent_sharing');
    const draft: AgentDraft = { ...order, isPublic: order.isPublic ?? true };
    if (!mayChange(viewer, draft)) throw new AgentIsOthers('Only a tenant admin makes agents for others.');
    const { result } = await this.control.write(tenant, workspace, cause, async (tx) => {
      const [made] = await tx.rows<{ id: string }>(INSERT, [
        tenant.id,
        workspace,
        id,
        ...columnsOf(draft),
        draft.template,
      ]);
      if (made === undefined) throw new AgentSlugTaken(draft.slug);
      tx.record('agent.create', workspace, id, { after: draft });
      return find(tx, workspace, viewer, id);
    });
    return result;
  }

  /** Throws `FeatureDisabled`, `AgentNotFound`, `AgentIsOthers`, `AgentSlugTaken`. */
  async change(
    tenant: Tenant,
    workspace: WorkspaceId,
    viewer: AgentViewer,
    name: string,
    change: AgentChange,
    cause: Cause,
  ): Promise<Agent> {
    requireFeature(tenant, 'custom_agents');
    const { result } = await this.control.write(tenant, workspace, cause, async (tx) => {
      const before = await find(tx, workspace, viewer, name);
      const after: Agent = { ...before, ...change };
      if (!mayChange(viewer, before)) throw new AgentIsOthers('Only its owner or a tenant admin changes it.');
      if (!viewer.isAdmin && !owns(viewer, after)) {
        throw new AgentIsOthers('Only a tenant admin gives an agent to somebody else.');
      }
      if (after.isPublic && !before.isPublic) requireFeature(tenant, 'agent_sharing');
      await this.checkSlug(tx, workspace, after);
      await tx.rows(UPDATE, [tenant.id, workspace, before.id, ...columnsOf(after)]);
      tx.record('agent.update', workspace, before.id, changedMembers(before, after));
      return find(tx, workspace, viewer, before.id);
    });
    return result;
  }

  /** Soft: nobody finds it any more, and what was said with it still names it. Throws like `change`, `AgentIsDefault`. */
  async remove(
    tenant: Tenant,
    workspace: WorkspaceId,
    viewer: AgentViewer,
    name: string,
    cause: Cause,
  ): Promise<Agent> {
    const { result } = await this.control.write(tenant, workspace, cause, async (tx) => {
      const agent = await find(tx, workspace, viewer, name);
      if (!mayChange(viewer, agent)) throw new AgentIsOthers('Only its owner or a tenant admin deletes it.');
      if (agent.id === tenant.defaultAgent) throw new AgentIsDefault();
      await tx.rows(
        `UPDATE agents SET deleted_at = now(), is_active = false, updated_at = now() WHERE tenant_id = $1 AND id = $2`,
        [tenant.id, agent.id],
      );
      tx.record('agent.delete', workspace, agent.id, { before: { slug: agent.slug, name: agent.name } });
      return agent;
    });
    return result;
  }

  private async checkSlug(tx: LedgerWrite, workspace: WorkspaceId, { id, slug }: Agent): Promise<void> {
    const [taken] = await tx.rows(
      `SELECT id FROM agents WHERE tenant_id = $1 AND workspace_id = $2 AND slug = $3 AND id <> $4 AND deleted_at IS NULL`,
      [tx.tenant.id, workspace, slug, id],
    );
    if (taken !== undefined) throw new AgentSlugTaken(slug);
  }
}

async function find(
  tx: LedgerRead | LedgerWrite,
  workspace: WorkspaceId,
  viewer: AgentViewer,
  name: string,
): Promise<Agent> {
  const { sql, values } = oneAgent(tx.tenant, viewer, workspace, name);
  const [row] = await tx.rows<AgentRow>(sql, values);
  if (row === undefined) throw new AgentNotFound();
  return agentOf(row);
}

/** In the order of `INSERT` and `UPDATE`. */
function columnsOf(draft: AgentDraft): unknown[] {
  return [
    draft.slug,
    draft.name,
    draft.description,
    draft.systemPrompt,
    draft.modelProvider,
    draft.modelName,
    draft.temperature,
    draft.tools,
    draft.toolConfig,
    draft.type,
    draft.owner,
    draft.isPublic,
    draft.isActive,
  ];
}

const INSERT = `
INSERT INTO agents (tenant_id, workspace_id, id, slug, name, description, system_prompt, model_provider, model_name,
  temperature, enabled_tools, tool_config, agent_type, owner_id, is_public, is_active, template)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (tenant_id, workspace_id, slug) WHERE deleted_at IS NULL DO NOTHING RETURNING id`;

const UPDATE = `
UPDATE agents SET slug = $4, name = $5, description = $6, system_prompt = $7, model_provider = $8, model_name = $9,
  temperature = $10, enabled_tools = $11, tool_config = $12, agent_type = $13, owner_id = $14, is_public = $15,
  is_active = $16, updated_at = now()
WHERE tenant_id = $1 AND workspace_id = $2 AND id = $3`;
