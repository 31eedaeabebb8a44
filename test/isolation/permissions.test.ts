import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModulesContainer } from '@nestjs/core';
import { projectRoot } from '../../src/platform/project-root.js';
import { SCOPES } from '../../src/tenancy/principal.js';
import {
  admits,
  admitsOperator,
  permissionGuide,
  permissionsOf,
  type Permission,
} from '../../src/tenancy/permissions.js';
import { Loci, type Caller, type Reply, type TestTenant } from '../support/loci.js';
import { liveRoutes, nameOf } from '../support/live-routes.js';
import { callersOf, type NamedCaller } from './callers.js';
import { OPERATOR_ROUTES, TENANT_ROUTES, type Own, type Probe } from './route-table.js';

/** What is served beside the controllers: the description of the API. */
const DESCRIPTION = /^GET \/(?:docs|openapi)/;

/** How the guard refuses. Whatever else an answer is, the guard let the request through. */
const REFUSALS = new Set([
  'auth.required',
  'auth.invalid',
  'auth.forbidden',
  'operator.no_content',
  'tenant_mismatch',
]);

describe('who may call what', () => {
  let loci: Loci;
  let permissions: Permission[];
  let byRoute: Map<string, Permission>;
  let acme: TestTenant;
  let callers: NamedCaller[];
  let own: Own;

  beforeAll(async () => {
    loci = await Loci.start();
    permissions = permissionsOf(loci.server.app.get(ModulesContainer));
    byRoute = new Map(
      permissions.flatMap((permission) =>
        permission.paths.map((path) => [`${permission.method} ${path}`, permission]),
      ),
    );
    acme = await loci.tenant();
    callers = await callersOf(loci, acme);
    let contents = 0;
    const content = () => `Said for the ${++contents}th time`;
    const memories = [{ content: content() }, { content: content() }];
    const stored = await acme.post<{ memory_ids: [string, string] }>('/memory/batch', { memories });
    const order = { email: `${randomUUID()}@own.example`, role: 'tenant_viewer' };
    const { body } = await acme.post<{ id: string }>('/v1/tenants/current/members', order);
    own = { memories: stored.body.memory_ids, workspace: acme.workspaceId, member: body.id, content };
  }, 180_000);
  afterAll(() => loci.stop());

  /** A good request to a live route, about what is the tenant's own. */
  function probeOf(route: string): Probe {
    const entry = TENANT_ROUTES[route] ?? TENANT_ROUTES[route.replace(/^(\w+) \/v1\//, '$1 /')];
    if (entry !== undefined) {
      const probe = entry.plain(own);
      const prefixed = !(route in TENANT_ROUTES);
      return prefixed ? { ...probe, path: `/v1${probe.path}` } : probe;
    }
    const [method = '', path = ''] = route.split(' ');
    return (
      OPERATOR_ROUTES[route]?.('of-nobody') ?? { method, path: path.replace(':code', 'request.malformed') }
    );
  }

  const refusalOf = ({ body }: Reply<{ code?: unknown } | null>): string | null => {
    const code = String(body?.code);
    return REFUSALS.has(code) ? code : null;
  };

  /** The route, who called, and how the answer differs from the table; null where it does not. */
  async function difference(
    route: string,
    who: string,
    by: Caller,
    expected: string | null,
    more: Record<string, string> = {},
  ): Promise<string | null> {
    const { method, path, body, headers } = probeOf(route);
    const response = await fetch(loci.url + path, {
      method,
      headers: {
        ...(by.token === '' ? {} : { Authorization: `Bearer ${by.token}` }),
        'Content-Type': 'application/json',
        ...headers,
        ...more,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const answer = isJson ? (JSON.parse(text) as { code?: unknown } | null) : null;
    const told = refusalOf({ status: response.status, headers: response.headers, body: answer });
    // The service refuses by the same word what it asks for beyond the guard; never to who may do everything.
    if (told === 'auth.forbidden' && expected === 'only some') return null;
    const wanted = expected === 'only some' ? null : expected;
    const throttled = response.status === 429 || response.status >= 500;
    return told === wanted && !throttled
      ? null
      : `${route}, ${who}: ${response.status} ${told} for ${expected}`;
  }

  it('is said of every route that is served', () => {
    const served = liveRoutes(loci.server.app).map(nameOf);
    expect(served.filter((route) => !byRoute.has(route) && !DESCRIPTION.test(route))).toEqual([]);
    expect([...byRoute.keys()].filter((route) => !served.includes(route))).toEqual([]);
    expect(permissions.filter(({ access }) => access === 'undeclared')).toEqual([]);
  });

  it('is written in docs/permissions.md: node scripts/print-permissions.mjs', () => {
    const written = readFileSync(join(projectRoot, 'docs/permissions.md'), 'utf8');
    expect(permissionGuide(permissions)).toBe(written);
  });

  it('is so at every route, for every role, every scope, the operator and nobody', async () => {
    const nobody = loci.as('');
    const stranger = loci.as(`loci_live_${'0'.repeat(61)}`);
    const differences: (string | null)[] = [];
    for (const [route, { access, ownToken, alsoAsks }] of byRoute) {
      const open = access === 'public';
      const keyless = (code: string) => (open && ownToken === null ? null : code);
      const expectedOf = ({ scopes }: NamedCaller): string | null => {
        if (ownToken !== null) return 'auth.invalid';
        if (!admits(access, scopes)) return 'auth.forbidden';
        return alsoAsks !== null && scopes.size < SCOPES.length ? 'only some' : null;
      };
      differences.push(
        await difference(route, 'nobody', nobody, keyless('auth.required')),
        await difference(route, 'a wrong key', stranger, keyless('auth.invalid')),
        ...(await Promise.all(
          callers.map((who) => difference(route, who.name, who.caller, expectedOf(who))),
        )),
        await difference(
          route,
          'the operator',
          loci.operator,
          admitsOperator(access) ? null : 'operator.no_content',
        ),
      );
    }
    expect(differences.filter((line) => line !== null)).toEqual([]);
    expect(differences.length).toBeGreaterThan(50 * callers.length);
  }, 600_000);

  it('ends where a caller names another tenant in X-Tenant-ID, at every route', async () => {
    const other = await loci.tenant();
    const differences: (string | null)[] = [];
    for (const [route, { access }] of byRoute) {
      if (access === 'public') continue;
      for (const name of [other.slug, other.id, 'never-was']) {
        const named = { 'X-Tenant-ID': name };
        const answers = callers.map((who) =>
          difference(route, who.name, who.caller, 'tenant_mismatch', named),
        );
        differences.push(...(await Promise.all(answers)));
      }
    }
    expect(differences.filter((line) => line !== null)).toEqual([]);
    expect(differences.length).toBeGreaterThan(100 * callers.length);
  }, 600_000);
});
