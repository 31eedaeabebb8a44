import type { TenantState } from '../../tenancy/principal.js';

export type TenantMove = 'suspend' | 'resume' | 'delete' | 'restore' | 'purge';

/** Which moves exist, from which states, and where each leads. A purged tenant is no more. */
export const TENANT_MOVES: Readonly<
  Record<TenantMove, { from: readonly TenantState[]; to: TenantState; repeatable: boolean }>
> = {
  suspend: { from: ['active'], to: 'suspended', repeatable: true },
  resume: { from: ['suspended'], to: 'active', repeatable: true },
  delete: { from: ['active', 'suspended'], to: 'deleted', repeatable: true },
  restore: { from: ['deleted'], to: 'active', repeatable: false },
  purge: { from: ['active', 'suspended', 'deleted'], to: 'deleted', repeatable: true },
};

/** What a tenant is called after each, or cannot be. */
export const MOVED: Readonly<Record<TenantMove, string>> = {
  suspend: 'suspended',
  resume: 'resumed',
  delete: 'deleted',
  restore: 'restored',
  purge: 'purged',
};

/** `done`: it is where the move leads already, and saying so again is no error. */
export function planMove(state: TenantState, move: TenantMove): 'go' | 'done' | 'refused' {
  const { from, to, repeatable } = TENANT_MOVES[move];
  if (from.includes(state)) return 'go';
  return repeatable && state === to ? 'done' : 'refused';
}
