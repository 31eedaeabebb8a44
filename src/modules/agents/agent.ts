import type { WorkspaceId } from '../../tenancy/tenant.js';

export const AGENT_TOOLS = [
  'vector_search',
  'hybrid_search',
  'graph_search',
  'memory_recall',
  'memory_store',
  'ask_agent',
] as const;
export type AgentTool = (typeof AGENT_TOOLS)[number];

/** How answers are given: prompt, model, temperature, tools. Agents of a workspace share its knowledge. */
export interface Agent extends AgentDraft {
  id: string;
  workspace: WorkspaceId;
  createdAt: Date;
  updatedAt: Date;
}

export interface AgentDraft {
  slug: string;
  name: string;
  description: string | null;
  systemPrompt: string | null;
  modelProvider: string | null;
  modelName: string | null;
  temperature: number | null;
  tools: AgentTool[];
  toolConfig: Record<string, unknown>;
  type: string;
  /** A member's id. Null: the tenant's own, which its administrators look after. */
  owner: string | null;
  /** For everybody of the tenant. */
  isPublic: boolean;
  isActive: boolean;
  /** Which template it was made from. */
  template: string | null;
}

/** One that is to be made. */
export interface NewAgent extends Omit<AgentDraft, 'isPublic'> {
  /** Null: not said, so public as far as the tenant shares. */
  isPublic: boolean | null;
}

/** Only what is present changes. */
export type AgentChange = Partial<Omit<AgentDraft, 'template'>>;

export const AGENT_DEFAULTS: Omit<AgentDraft, 'slug' | 'name' | 'isPublic'> = {
  description: null,
  systemPrompt: null,
  modelProvider: null,
  modelName: null,
  temperature: null,
  tools: ['hybrid_search', 'memory_recall'],
  toolConfig: {},
  type: 'custom',
  owner: null,
  isActive: true,
  template: null,
};
