import { memberIdOf, type Principal } from '../../tenancy/principal.js';
import type { AgentDraft } from './agent.js';

/** Who asks, as far as agents are concerned. */
export interface AgentViewer {
  /** Null: keys and the operator own nothing. */
  member: string | null;
  /** An operator, or whoever manages the tenant. */
  isAdmin: boolean;
  /** Whether agents of its own are for it. */
  makesOwn: boolean;
}

export type AgentScope = 'own' | 'public' | 'all';

export function viewerOf(principal: Principal): AgentViewer {
  const isAdmin = principal.kind === 'operator' || principal.scopes.has('manage');
  const isUser = principal.kind === 'member' && principal.role === 'tenant_user';
  return { member: memberIdOf(principal), isAdmin, makesOwn: isAdmin || isUser };
}

/** Edit and delete: the owner, or a tenant admin. */
export function mayChange(viewer: AgentViewer, agent: Pick<AgentDraft, 'owner'>): boolean {
  return viewer.isAdmin || owns(viewer, agent);
}

export function owns({ member }: AgentViewer, { owner }: Pick<AgentDraft, 'owner'>): boolean {
  return member !== null && member === owner;
}

/**
 * Who sees which agents, as conditions on `agents a`; `value` gives a parameter its place. Whoever is not the owner or
 * an admin sees what is active and public: the tenant's own agents, and with `sharing` those of other members too.
 */
export function visible(
  viewer: AgentViewer,
  scope: AgentScope,
  sharing: boolean,
  value: (value: unknown) => string,
): string[] {
  const published = [
    'a.is_public',
    ...(viewer.isAdmin ? [] : ['a.is_active', ...(sharing ? [] : ['a.owner_id IS NULL'])]),
  ];
  switch (scope) {
    case 'own':
      if (viewer.member !== null) return [`a.owner_id = ${value(viewer.member)}`];
      // What belongs to nobody in particular is the administrators'.
      return [viewer.isAdmin ? 'a.owner_id IS NULL' : 'false'];
    case 'public':
      return published;
    case 'all':
      if (viewer.isAdmin) return [];
      if (viewer.member === null) return published;
      return [`(a.owner_id = ${value(viewer.member)} OR (${published.join(' AND ')}))`];
  }
}
