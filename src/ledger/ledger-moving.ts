import { DomainError } from '../platform/errors/domain-error.js';
import type { Tenant } from '../tenancy/principal.js';

/** The tenant's ledger is on its way to another database. Nothing was stored; trying again finds it there. */
export class LedgerMoving extends DomainError<'ledger.moving'> {
  readonly code = 'ledger.moving';

  constructor(tenant: Tenant) {
    super('What this tenant stored is being moved to another database just now.', {
      internal: `${tenant.slug} is not, or not only, in ${tenant.home}`,
      retryAfter: 1,
    });
  }
}
