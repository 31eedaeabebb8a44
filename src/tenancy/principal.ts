import type { PlanTier } from '../platform/config/plans.js';
import type { SpaceName, TenantId, TenantSlug, WorkspaceId } from './tenant.js';
import type { TenantKey } from './tenant-key.js';

/** What a key may do. The bare word `memory` in a request means both memory scopes. */
export const SCOPES = ['memory:read', 'memory:write', 'search', 'chat', 'ingest', 'manage'] as const;
export type Scope = (typeof SCOPES)[number];

/** The scopes that these words name; words that name none are passed over. The bare word `memory` means both of memory's. */
export function scopesOf(words: readonly string[]): Set<Scope> {
  return new Set(
    SCOPES.filter(
      (scope) => words.includes(scope) || (scope.startsWith('memory:') && words.includes('memory')),
    ),
  );
}

/** The most that each role may do; a service account does what its key names. */
export const ROLE_SCOPES = {
  tenant_admin: SCOPES,
  tenant_user: SCOPES.filter((scope) => scope !== 'manage'),
  tenant_viewer: ['memory:read', 'search'],
  service_account: SCOPES,
} as const satisfies Record<string, readonly Scope[]>;
export type Role = keyof typeof ROLE_SCOPES;
export const ROLES = Object.keys(ROLE_SCOPES) as readonly Role[];

export type TenantState = 'active' | 'suspended' | 'deleted';

/**
 * A tenant, as a capability: who holds it may work on this tenant's ledger and spaces, and on no other's.
 * Made only by the key guard and by `TenantDirectory`, from the ledger.
 */
export interface Tenant {
  readonly id: TenantId;
  readonly slug: TenantSlug;
  readonly space: SpaceName;
  readonly name: string;
  readonly state: TenantState;
  readonly plan: PlanTier;
  readonly placement: string;
  /** Which database holds its ledger: `main`, or a placement's own. */
  readonly home: string;
  readonly embeddingModel: string;
  readonly defaultWorkspace: WorkspaceId;
  readonly defaultAgent: string;
  readonly settings: TenantSettings;
  readonly profile: TenantProfile;
  /** What it may use beside the memory: `requireFeature` asks. */
  readonly features: readonly string[];
  readonly key: TenantKey;
}

/** What it says of itself. With a domain and a platform it is a store. */
export interface TenantProfile {
  readonly domain: string | null;
  readonly platform: string | null;
  readonly contactEmail: string | null;
  readonly contactName: string | null;
}

/** Numbers that override the tenant's plan, and whatever else an operator keeps there. */
export interface TenantSettings {
  quotas?: {
    max_workspaces?: number;
    max_documents_per_workspace?: number;
    max_requests_per_month?: number;
    max_memories?: number;
    max_api_calls_per_minute?: number;
    max_storage_gb?: number;
  };
  [name: string]: unknown;
}

export interface OperatorPrincipal {
  kind: 'operator';
}

/** What everybody of a tenant has, whichever way they showed who they are. */
interface OfTenant {
  tenant: Tenant;
  /** Null: the whole tenant. */
  workspace: WorkspaceId | null;
  scopes: ReadonlySet<Scope>;
}

export interface KeyPrincipal extends OfTenant {
  kind: 'key';
  keyId: string;
  /** The key's own limit, before the tenant's and the plan's. */
  rateLimitPerMinute: number | null;
  /** Null: never. */
  expiresAt: Date | null;
}

/** A person, or a program of the tenant's, that came with a JWT: ours, or its own identity provider's. */
export interface MemberPrincipal extends OfTenant {
  kind: 'member';
  memberId: string;
  role: Role;
}

export type TenantPrincipal = KeyPrincipal | MemberPrincipal;
export type Principal = OperatorPrincipal | TenantPrincipal;

/** How the audit names a principal. */
export function actorOf(principal: Principal): string {
  switch (principal.kind) {
    case 'operator':
      return 'operator';
    case 'key':
      return `key:${principal.keyId}`;
    case 'member':
      return `member:${principal.memberId}`;
  }
}

/** Whose things a caller owns. Null: a key or the operator, who own nothing themselves. */
export function memberIdOf(principal: Principal): string | null {
  return principal.kind === 'member' ? principal.memberId : null;
}
