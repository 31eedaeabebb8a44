import { RequestInvalid } from '../../platform/http/request.errors.js';
import type { KeyEnvironment } from '../../tenancy/api-key.js';
import { ROLE_SCOPES, SCOPES, type Role, type Scope, type TenantPrincipal } from '../../tenancy/principal.js';
import { Forbidden } from '../../tenancy/tenancy-errors.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';

/** What a caller may do, and so the most that a key may that it makes or rotates. */
export interface Grant {
  scopes: ReadonlySet<Scope>;
  /** Null: no limit of its own. */
  rateLimitPerMinute: number | null;
  /** Null: for good. A member's token ends soon, but what it says of the member does not. */
  expiresAt: Date | null;
}

/** The operator holds no key, and can make any. */
export const EVERY_GRANT: Grant = { scopes: new Set(SCOPES), rateLimitPerMinute: null, expiresAt: null };

export function grantOf(principal: TenantPrincipal): Grant {
  const { scopes } = principal;
  if (principal.kind === 'member') return { scopes, rateLimitPerMinute: null, expiresAt: null };
  return { scopes, rateLimitPerMinute: principal.rateLimitPerMinute, expiresAt: principal.expiresAt };
}

/** A key as it is asked for. What is absent is as wide as it can be. */
export interface KeyWish {
  name: string;
  scopes?: (Scope | 'memory')[];
  role: Role;
  environment: KeyEnvironment;
  rate_limit_per_minute?: number;
  expiresAt: Date | null;
}

/** Where a key may reach. `whole`: the tenant instead, where it manages: as its scopes ask for it, or also unasked. */
export interface KeyReach {
  workspace: WorkspaceId;
  whole: 'never' | 'if asked' | 'by default';
}

export interface KeyOrder {
  name: string;
  scopes: (Scope | 'memory')[];
  role: Role;
  environment: KeyEnvironment;
  /** Null: the whole tenant. */
  workspaceId: WorkspaceId | null;
  rateLimitPerMinute: number | null;
  expiresAt: Date | null;
}

/** What each word in `scopes` grants. */
const MEANS = {
  ...(Object.fromEntries(SCOPES.map((scope) => [scope, [scope]])) as Record<Scope, Scope[]>),
  memory: ['memory:read', 'memory:write'],
} satisfies Record<Scope | 'memory', Scope[]>;

/**
 * The key that is made of a wish. Throws `RequestInvalid` for one that cannot be (a key belongs to one workspace, or to
 * the tenant where it has `manage`), `Forbidden` for one that may do more than who asks for it.
 */
export function orderOf(wish: KeyWish, { workspace, whole }: KeyReach, holds: Grant, now: number): KeyOrder {
  const most: readonly Scope[] = ROLE_SCOPES[wish.role];
  const unasked = (scope: Scope) => holds.scopes.has(scope) && (scope !== 'manage' || whole === 'by default');
  const scopes = wish.scopes ?? most.filter(unasked);
  const beyond = scopes.flatMap((scope) => MEANS[scope]).find((scope) => !most.includes(scope));
  const manages = scopes.includes('manage');
  if (scopes.length === 0) throw refuse('scopes', 'must name at least one');
  if (beyond !== undefined) throw refuse('scopes', `hold ${beyond}, which a ${wish.role} may not`);
  if (manages && whole === 'never') {
    throw refuse('scopes', 'can hold manage only where the key reaches the whole tenant');
  }
  if (wish.expiresAt !== null && wish.expiresAt.getTime() <= now) {
    throw refuse('expires_at', 'must be in the future');
  }
  const order: KeyOrder = {
    name: wish.name,
    scopes: [...new Set(scopes)],
    role: wish.role,
    environment: wish.environment,
    workspaceId: manages ? null : workspace,
    rateLimitPerMinute: wish.rate_limit_per_minute ?? holds.rateLimitPerMinute,
    expiresAt: wish.expiresAt ?? holds.expiresAt,
  };
  checkWithin(holds, order);
  return order;
}

/** Throws `Forbidden` where a key may do more than this grant. */
export function checkWithin(
  holds: Grant,
  key: Pick<KeyOrder, 'scopes' | 'rateLimitPerMinute' | 'expiresAt'>,
): void {
  const lacking = key.scopes.flatMap((scope) => MEANS[scope]).find((scope) => !holds.scopes.has(scope));
  if (lacking !== undefined) {
    throw new Forbidden(`This token lacks the scope \`${lacking}\`, so it cannot hand it on.`);
  }
  if (goesBeyond(key.rateLimitPerMinute, holds.rateLimitPerMinute)) {
    throw new Forbidden(
      `This token has a rate limit of ${String(holds.rateLimitPerMinute)} a minute, so it cannot hand on more.`,
    );
  }
  if (goesBeyond(key.expiresAt?.getTime() ?? null, holds.expiresAt?.getTime() ?? null)) {
    throw new Forbidden('This token expires, so it cannot hand on a key that lasts longer.');
  }
}

/** Null: without end. */
function goesBeyond(asked: number | null, held: number | null): boolean {
  return held !== null && (asked === null || asked > held);
}

function refuse(field: string, message: string): RequestInvalid {
  return new RequestInvalid([{ location: `body.${field}`, message }]);
}
