import type { EntityManager } from 'typeorm';
import { PRINCIPALS_CHANNEL } from '../../tenancy/principal-cache.js';

/** Tells every replica, once this transaction commits, that a tenant's state or keys have changed. */
export async function announce(manager: EntityManager, tenantId: string): Promise<void> {
  await manager.query('SELECT pg_notify($1, $2)', [PRINCIPALS_CHANNEL, tenantId]);
}
