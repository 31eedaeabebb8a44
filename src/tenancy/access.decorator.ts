import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import type { Scope } from './principal.js';

export const ACCESS = 'loci:access';
export const ALSO_ASKS = 'loci:also-asks';

/** Who may call a route. Every route says it, and the guard refuses one that does not. */
export type Access =
  { operator: true } | { scope: Scope; operator?: true } | { anyKey: true; operator?: true };

/** The admin token. */
export const ForOperator = (): CustomDecorator => SetMetadata(ACCESS, { operator: true } satisfies Access);

/** A key that has this scope. */
export const ForScope = (scope: Scope): CustomDecorator => SetMetadata(ACCESS, { scope } satisfies Access);

/** A key that has this scope, or the admin token: what a tenant and its operator both manage. Never content. */
export const ForScopeOrOperator = (scope: Scope): CustomDecorator =>
  SetMetadata(ACCESS, { scope, operator: true } satisfies Access);

/** Any key of an active tenant. */
export const ForAnyKey = (): CustomDecorator => SetMetadata(ACCESS, { anyKey: true } satisfies Access);

export const ForAnyKeyOrOperator = (): CustomDecorator =>
  SetMetadata(ACCESS, { anyKey: true, operator: true } satisfies Access);

/**
 * What a route asks for beyond that, in words for `docs/permissions.md`: the service sees to it. Whoever may do
 * everything in the tenant has it.
 */
export const AlsoAsks = (words: string): CustomDecorator => SetMetadata(ALSO_ASKS, words);
