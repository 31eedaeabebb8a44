import type { WorkspaceId } from '../../tenancy/tenant.js';

export interface Workspace {
  id: WorkspaceId;
  slug: string;
  name: string;
  description: string | null;
  settings: Record<string, unknown>;
  /** Those that are not deleted. */
  agents: number;
  /** Since the first of this month, UTC. */
  monthlyRequests: number;
  createdAt: Date;
  updatedAt: Date;
}

export interface WorkspaceDraft {
  slug: string;
  name: string;
  description: string | null;
  settings: Record<string, unknown>;
}

/** Only what is present changes; settings are merged, member by member. */
export type WorkspaceChange = Partial<WorkspaceDraft>;

/** What went with a deleted workspace. */
export interface ErasedWorkspace {
  id: WorkspaceId;
  slug: string;
  memories: number;
  agents: number;
  keys: number;
}
