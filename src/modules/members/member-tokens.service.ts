import { Injectable } from '@nestjs/common';
import type { Cause } from '../../ledger/cause.js';
import { ControlPlane } from '../../ledger/control-plane.js';
import { WHOLE_TENANT } from '../../ledger/ledger.js';
import { signMemberToken, type SignedToken } from '../../tenancy/member-token.js';
import type { Scope, Tenant } from '../../tenancy/principal.js';

export interface TokenOrder {
  member: string;
  scopes: readonly Scope[];
  seconds: number;
}

/** Tokens that Loci signs itself for a tenant's members. */
@Injectable()
export class MemberTokens {
  constructor(private readonly control: ControlPlane) {}

  /** On record before it is shown. Good while its member is, and no longer than it says. */
  async issue(tenant: Tenant, { member, scopes, seconds }: TokenOrder, cause: Cause): Promise<SignedToken> {
    const signed = await signMemberToken(
      tenant.key,
      { tenant: tenant.id, member, scopes },
      { issuedAt: new Date(), seconds },
    );
    await this.control.write(tenant, WHOLE_TENANT, cause, (tx) => {
      tx.record('token.create', null, member, { scopes, expires_at: signed.expiresAt.toISOString() });
      return Promise.resolve();
    });
    return signed;
  }
}
