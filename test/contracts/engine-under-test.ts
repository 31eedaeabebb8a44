import { randomUUID } from 'node:crypto';
import { ledgerId, type LedgerId, type SpaceAddress } from '../../src/spaces/projection.js';
import { parseTenantId, parseTenantSlug, parseWorkspaceId, spaceName } from '../../src/tenancy/tenant.js';
import type { WorkspaceId } from '../../src/tenancy/tenant.js';

/** An engine made for one suite. */
export interface EngineUnderTest<Engine> {
  engine: Engine;
  /** Whether the engine keeps anything for this tenant: a file, a collection, a graph. */
  holds(address: SpaceAddress): Promise<boolean>;
  close(): Promise<void>;
}

/** A tenant that no other test has met. */
export function newAddress(): SpaceAddress {
  const id = randomUUID();
  const tenant = parseTenantId(id);
  const slug = parseTenantSlug(`t-${id.replaceAll('-', '').slice(0, 20)}`);
  if (tenant === null || slug === null) throw new Error('a fresh UUID is a tenant id');
  return { tenant, name: spaceName(slug) };
}

export function newWorkspace(): WorkspaceId {
  const workspace = parseWorkspaceId(randomUUID());
  if (workspace === null) throw new Error('a fresh UUID is a workspace id');
  return workspace;
}

export function ledgerOf(address: SpaceAddress, epoch = 1): LedgerId {
  return ledgerId(address.tenant, epoch);
}
