/** What commands read of the server's replies; `--json` hands on the whole. `docs/` and `/openapi.json` describe them. */
export interface TenantReply {
  id: string;
  tenant_id: string;
  name: string;
  plan_tier: string;
  state: string;
  placement: string;
  workspace_id: string;
  agent_id: string;
  features: string[];
  limits: Record<string, number | null>;
  domain: string | null;
  platform: string | null;
  contact_email: string | null;
  suspended_reason: string | null;
  deleted_at: string | null;
  created_at: string;
}

export interface ListedTenantReply extends TenantReply {
  stats?: {
    memory_count: number;
    graph_relationships: number;
    storage_mb: number;
    last_active_at: string | null;
  };
}

export interface ProvisionedTenantReply extends TenantReply {
  /** Only where the tenant was made now. */
  api_key?: { id: string; key?: string; key_prefix: string };
}

export interface TenantStatsReply {
  tenant_id: string;
  memory_count: number;
  graph_nodes: number;
  graph_relationships: number;
  graph_entities: number;
  vector_points: number;
  storage_mb: number;
  document_count: number;
  chunk_count: number;
  workspace_count: number;
  agent_count: number;
  state: string;
  placement: string;
  revision: number;
  watermarks: { vectors: number; graph: number };
  last_active_at: string | null;
  as_of: string;
}

export interface DeletedTenantReply {
  tenant_id: string;
  state: 'deleted' | 'purged';
  restorable_until?: string;
  stores?: { ledger: Record<string, Removed>; vectors: Removed; graph: Removed };
  verified?: boolean;
}

export interface Removed {
  removed: number;
  remaining: number;
}

export interface PlacementReply {
  placement: string;
  state: 'settled' | 'moving';
  moving_to: string | null;
  progress: { revision: number; vectors: number; graph: number } | null;
}

export interface KeyReply {
  id: string;
  name: string;
  key?: string;
  key_prefix: string;
  workspace_id: string | null;
  scopes: string[];
  role: string;
  environment: string;
  rate_limit_per_minute: number | null;
  is_active: boolean;
  last_used_at: string | null;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  rotated_to: string | null;
}

export interface RotatedKeyReply extends KeyReply {
  replaces: { id: string; valid_until: string };
}

interface Differences {
  count: number;
  examples: string[];
}

export interface ProjectionReply {
  equal: boolean;
  in_ledger: number;
  in_projection: number;
  missing: Differences;
  surplus: Differences;
  stale: Differences;
  changed: Differences;
}

export interface VerdictReply {
  tenant_id: string;
  equal: boolean;
  vectors: ProjectionReply;
  graph: ProjectionReply;
}

export interface StoredMemoryReply {
  memory_id: string;
  tenant_id: string;
  created: boolean;
  indexed: boolean;
}

export interface RecallReply {
  results: { id: string; score: number; memory: { type: string; timestamp: string; content: string } }[];
  count: number;
  took_ms: number;
  degraded?: string[];
}

export interface HealthReply {
  status: string;
  version: string;
  stores: Record<string, string>;
}

export interface WorkspaceReply {
  id: string;
  organization_id: string;
  name: string;
  slug: string;
  description: string | null;
  is_default: boolean;
  document_count: number;
  agent_count: number;
  monthly_requests: number;
  created_at: string;
}

export interface AgentReply {
  id: string;
  workspace_id: string;
  name: string;
  slug: string;
  model_name: string | null;
  temperature: number | null;
  enabled_tools: string[];
  agent_type: string;
  owner_id: string | null;
  is_public: boolean;
  status: string;
  created_at: string;
}

export interface ListReply<Item> {
  data: Item[];
  next_cursor: string | null;
}

export interface MasterKeyReply {
  key: string;
  known: string[];
  remaining: number;
}

export interface RotatedMasterKeyReply extends MasterKeyReply {
  rewrapped: number;
}
