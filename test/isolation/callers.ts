import { ROLE_SCOPES, ROLES, SCOPES, type Scope } from '../../src/tenancy/principal.js';
import type { Caller, Loci, TestTenant } from '../support/loci.js';

/** Somebody who may call, and what they may. */
export interface NamedCaller {
  name: string;
  caller: Caller;
  scopes: ReadonlySet<Scope>;
  /** Do they see all workspaces of their tenant, or one? */
  reach: 'tenant' | 'workspace';
}

/** Everybody whom a tenant can let call: a member of each role, a key of each role, and a key of each scope alone. */
export async function callersOf(loci: Loci, tenant: TestTenant): Promise<NamedCaller[]> {
  const callers: NamedCaller[] = [];
  for (const role of ROLES) {
    const scopes =
      role === 'service_account' ? SCOPES.filter((scope) => scope !== 'manage') : ROLE_SCOPES[role];
    const caller = loci.as(await tokenOf(tenant, role, scopes));
    callers.push({ name: `a member, ${role}`, caller, scopes: new Set(scopes), reach: 'tenant' });
    callers.push(await keyOf(loci, tenant, `a key, ${role}`, { role, scopes }));
  }
  for (const scope of SCOPES) {
    callers.push(await keyOf(loci, tenant, `a key, ${scope} alone`, { scopes: [scope] }));
  }
  return callers;
}

async function tokenOf(tenant: TestTenant, role: string, scopes: readonly Scope[]): Promise<string> {
  const order = { email: `caller-${role}@own.example`, role };
  const { body } = await tenant.post<{ id: string }>('/v1/tenants/current/members', order);
  const issued = await tenant.post<{ token: string }>('/v1/tenants/current/tokens', {
    member_id: body.id,
    scopes,
    expires_in: 3_600,
  });
  if (issued.status !== 201) throw new Error(`No token for a ${role}: ${issued.status}`);
  return issued.body.token;
}

/** With `manage` it reaches the whole tenant, otherwise the default workspace. */
async function keyOf(
  loci: Loci,
  tenant: TestTenant,
  name: string,
  order: { role?: string; scopes: readonly Scope[] },
): Promise<NamedCaller> {
  const { status, body } = await loci.operator.post<{ key: string }>(
    `/admin/tenants/${tenant.slug}/keys`,
    order,
  );
  if (status !== 201) throw new Error(`No key for ${name}: ${status}`);
  const scopes = new Set(order.scopes);
  return { name, caller: loci.as(body.key), scopes, reach: scopes.has('manage') ? 'tenant' : 'workspace' };
}
