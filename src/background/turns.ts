import type { Tenant } from '../tenancy/principal.js';
import type { TenantId } from '../tenancy/tenant.js';

/**
 * Tenants that wait for their turn, each once. Who has had a turn and wants another goes to the end, so that a busy tenant
 * keeps nobody waiting for longer than one turn.
 */
export class Turns {
  private readonly waiting = new Map<TenantId, { tenant: Tenant; notBefore: number }>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  get size(): number {
    return this.waiting.size;
  }

  /** Whoever waits already keeps their place, and the time from which on it may be their turn. */
  add(tenant: Tenant, inMs = 0): void {
    const known = this.waiting.get(tenant.id);
    if (known === undefined) this.waiting.set(tenant.id, { tenant, notBefore: this.now() + inMs });
    else known.tenant = tenant;
  }

  /** The first whose time has come and who is not `busy`; null where there is none. */
  take(busy: ReadonlySet<TenantId>): Tenant | null {
    const now = this.now();
    for (const [id, { tenant, notBefore }] of this.waiting) {
      if (notBefore > now || busy.has(id)) continue;
      this.waiting.delete(id);
      return tenant;
    }
    return null;
  }

  /** Milliseconds until somebody's time comes; null where nobody waits who is not `busy`. */
  untilNext(busy: ReadonlySet<TenantId>): number | null {
    let earliest: number | null = null;
    for (const [id, { notBefore }] of this.waiting) {
      if (!busy.has(id)) earliest = Math.min(earliest ?? Infinity, notBefore);
    }
    return earliest === null ? null : Math.max(0, earliest - this.now());
  }
}
