import { RequestMethod } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { ACCESS, ALSO_ASKS, type Access } from './access.decorator.js';
import { ROLE_SCOPES, type Role, type Scope } from './principal.js';
import { OWN_TOKEN, PUBLIC } from './public.decorator.js';

/** Who may call a route, as its decorators say: there is no second list. */
export interface Permission {
  method: string;
  /** As declared; a route may have several. */
  paths: string[];
  access: Access | 'public' | 'undeclared';
  /** A public route that asks for a token of its own: what that is. */
  ownToken: string | null;
  /** What the service asks for beyond that, in words. */
  alsoAsks: string | null;
}

type Controller = new (...parts: never[]) => object;

/** Of every route of every controller, sorted by path. */
export function permissionsOf(modules: ModulesContainer): Permission[] {
  const controllers = [...modules.values()].flatMap(({ controllers: found }) => [...found.values()]);
  return controllers
    .flatMap(({ metatype }) => (typeof metatype === 'function' ? ofController(metatype as Controller) : []))
    .sort((a, b) => nameOf(a).localeCompare(nameOf(b), 'en'));
}

function ofController(controller: Controller): Permission[] {
  const prototype = controller.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown;
    if (name === 'constructor' || typeof handler !== 'function') return [];
    if (!Reflect.hasMetadata('method', handler)) return [];
    const said = (key: string): unknown =>
      Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, controller);
    const prefixes = [Reflect.getMetadata('path', controller) as string | string[]].flat();
    const tails = [Reflect.getMetadata('path', handler) as string | string[]].flat();
    const method = RequestMethod[Reflect.getMetadata('method', handler) as RequestMethod];
    return {
      method,
      paths: prefixes.flatMap((prefix) => tails.map((tail) => joined(prefix, tail))),
      access: said(PUBLIC) === true ? 'public' : ((said(ACCESS) as Access | undefined) ?? 'undeclared'),
      ownToken: (said(OWN_TOKEN) as string | undefined) ?? null,
      alsoAsks: (said(ALSO_ASKS) as string | undefined) ?? null,
    };
  });
}

function joined(prefix: string, tail: string): string {
  return `/${[prefix, tail].flatMap((part) => part.split('/').filter((step) => step !== '')).join('/')}`;
}

function nameOf({ method, paths }: Permission): string {
  return `${paths[0] ?? ''} ${method}`;
}

/** Does somebody of a tenant with these scopes get past the guard? */
export function admits(access: Permission['access'], scopes: ReadonlySet<Scope>): boolean {
  if (access === 'public') return true;
  if (access === 'undeclared') return false;
  return 'anyKey' in access || ('scope' in access && scopes.has(access.scope));
}

export function admitsOperator(access: Permission['access']): boolean {
  return access === 'public' || (access !== 'undeclared' && 'operator' in access);
}

const ROLES_SHOWN: readonly Role[] = ['tenant_admin', 'tenant_user', 'tenant_viewer'];

/** `docs/permissions.md`. */
export function permissionGuide(permissions: readonly Permission[]): string {
  const rows = permissions.map((permission) => {
    const { method, paths, access, ownToken } = permission;
    return [
      `${method} ${paths.map((path) => `\`${path}\``).join(' ')}`,
      access === 'public' && ownToken === null ? 'yes' : NO,
      admitsOperator(access) ? 'yes' : NO,
      ...ROLES_SHOWN.map((role) => ofRole(permission, role)),
      needed(permission),
    ];
  });
  const head = [
    'route',
    'anybody',
    'operator',
    ...ROLES_SHOWN.map((role) => `\`${role}\``),
    'a key, a service_account',
  ];
  return `${HEAD}\n${table([head, ...rows])}`;
}

const NO = '–';

function ofRole({ access, ownToken, alsoAsks }: Permission, role: Role): string {
  const scopes = new Set<Scope>(ROLE_SCOPES[role]);
  if (ownToken !== null || !admits(access, scopes)) return NO;
  return alsoAsks === null || scopes.has('manage') ? 'yes' : 'some';
}

function needed({ access, ownToken, alsoAsks }: Permission): string {
  if (ownToken !== null) return ownToken;
  if (access === 'public') return 'yes';
  if (access === 'undeclared') return NO;
  const scope = 'scope' in access ? `\`${access.scope}\`` : 'anyKey' in access ? 'any scope' : NO;
  return alsoAsks === null ? scope : `${scope}; ${alsoAsks}`;
}

/** As prettier would write it. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const [first = '', ...rest] = rows.map(line);
  return [first, line(widths.map((width) => '-'.repeat(width))), ...rest].join('');
}

const HEAD = `# Permissions

Who may call which route. Printed from the routes' own decorators by \`scripts/print-permissions.mjs\`; a test compares it
with the running server, and another one calls every route as everybody in this table.

- **operator**: the admin token. It reads no tenant's content.
- **roles**: members of the tenant, who come with a JWT: Loci's own (\`POST /v1/tenants/current/tokens\`) or one of the
  tenant's identity provider (\`PUT /v1/tenants/current/oidc\`).
- **a key, a service_account**: what its scopes say. The column names the scope that it needs. A key belongs to one
  workspace, and sees no other; with \`manage\` it reaches the whole tenant, as members do.
- Every \`/v1\` route also answers under \`/api/v1\`. The pages at \`/docs\` and \`/openapi.json\` are anybody's.
- Getting past this table is not all: what belongs to another tenant, or to a workspace that a key does not see, is not
  found. A suspended tenant's tokens are refused everywhere.
`;
