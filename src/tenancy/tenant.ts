/**
 * The wall that nothing crosses, as a value.
 *
 * Names are minted once: a `TenantSlug` comes only from `parseTenantSlug()`, a `TenantId` only from
 * `parseTenantId()` or the ledger, a `SpaceName` only from `spaceName()`. A wrong string is a compile error.
 */
declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

export type TenantId = Brand<string, 'TenantId'>;
export type TenantSlug = Brand<string, 'TenantSlug'>;
export type WorkspaceId = Brand<string, 'WorkspaceId'>;
export type SpaceName = Brand<string, 'SpaceName'>;

const SLUG = /^[a-z0-9](?:[a-z0-9_-]{0,46}[a-z0-9])?$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Null where the text is no slug. One shaped like a UUID is none: the two would be mistaken for each other. */
export function parseTenantSlug(text: string): TenantSlug | null {
  return SLUG.test(text) && !UUID.test(text) ? (text as TenantSlug) : null;
}

/** By which column an operator's word for a tenant finds it: no slug has a dot, and every domain has one. */
export function tenantColumn(name: string): 'id' | 'slug' | 'domain' {
  return UUID.test(name) ? 'id' : name.includes('.') ? 'domain' : 'slug';
}

export function parseTenantId(text: string): TenantId | null {
  return UUID.test(text) ? (text.toLowerCase() as TenantId) : null;
}

export function parseWorkspaceId(text: string): WorkspaceId | null {
  return UUID.test(text) ? (text.toLowerCase() as WorkspaceId) : null;
}

/** The one name under which every engine knows a tenant's projections. */
export function spaceName(slug: TenantSlug): SpaceName {
  return `memories_${slug}` as SpaceName;
}
