import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Cause } from '../../ledger/cause.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { ControlPlane } from '../../ledger/control-plane.js';
import { WHOLE_TENANT, type LedgerRead } from '../../ledger/ledger.js';
import { TenantSecrets } from '../../ledger/tenant-secrets.js';
import { announceChange, PrincipalCache } from '../../tenancy/principal-cache.js';
import type { Tenant } from '../../tenancy/principal.js';
import { OidcNotFound, OidcTaken } from './oidc.errors.js';

/** Whose word this tenant takes for who its members are. */
export interface Oidc extends QueryResultRow {
  issuer: string;
  audience: string;
  algorithms: string[];
  has_client_secret: boolean;
  created_at: Date;
  updated_at: Date;
}

export interface OidcOrder {
  issuer: string;
  audience: string;
  algorithms: readonly string[];
  /** Undefined: as before, while the issuer is. */
  clientSecret: string | null | undefined;
}

const SECRET = 'oidc/client_secret';

const FIND = `
SELECT issuer, audience, algorithms, created_at, updated_at,
  EXISTS (SELECT FROM tenant_secrets WHERE tenant_id = $1 AND name = '${SECRET}') AS has_client_secret
FROM oidc_issuers WHERE tenant_id = $1`;

/** A tenant's own identity provider. */
@Injectable()
export class OidcSettings {
  constructor(
    private readonly control: ControlPlane,
    private readonly secrets: TenantSecrets,
    private readonly principals: PrincipalCache,
  ) {}

  /** Throws `OidcNotFound`. */
  async get(tenant: Tenant): Promise<Oidc> {
    const found = await this.control.read(tenant, WHOLE_TENANT, find);
    if (found === null) throw new OidcNotFound();
    return found;
  }

  /** Tokens that came by other words are refused within a second. Throws `OidcTaken`. */
  async put(tenant: Tenant, order: OidcOrder, cause: Cause): Promise<Oidc> {
    const { issuer, audience, algorithms, clientSecret } = order;
    const result = await this.writing(tenant, cause, async (tx) => {
      const before = await find(tx);
      const keeps = clientSecret === undefined && before?.issuer === issuer;
      await tx.rows(
        `INSERT INTO oidc_issuers (tenant_id, config_id, issuer, audience, algorithms) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id) DO UPDATE SET config_id = $2, issuer = $3, audience = $4, algorithms = $5, updated_at = now()`,
        [tenant.id, randomUUID(), issuer, audience, [...algorithms]],
      );
      if (typeof clientSecret === 'string') this.secrets.put(tx, SECRET, clientSecret);
      else if (!keeps) this.secrets.remove(tx, SECRET);
      tx.record('oidc.update', null, null, {
        before: before === null ? null : shown(before),
        after: { issuer, audience, algorithms },
        ...(keeps ? {} : { client_secret: typeof clientSecret === 'string' ? 'replaced' : 'removed' }),
      });
      const after = await find(tx);
      if (after === null) throw new Error('An issuer was put and is not there');
      return after;
    });
    return result;
  }

  /** Throws `OidcNotFound`. */
  async remove(tenant: Tenant, cause: Cause): Promise<void> {
    await this.writing(tenant, cause, async (tx) => {
      const before = await find(tx);
      if (before === null) throw new OidcNotFound();
      await tx.rows('DELETE FROM oidc_issuers WHERE tenant_id = $1', [tenant.id]);
      this.secrets.remove(tx, SECRET);
      tx.record('oidc.delete', null, null, { before: shown(before) });
    });
  }

  private async writing<T>(tenant: Tenant, cause: Cause, work: (tx: LedgerWrite) => Promise<T>): Promise<T> {
    try {
      const { result } = await this.control.write(tenant, WHOLE_TENANT, cause, async (tx) => {
        const done = await work(tx);
        await announceChange(tx, tenant.id);
        return done;
      });
      this.principals.forget(tenant.id);
      return result;
    } catch (error) {
      if ((error as { code?: string }).code === '23505') throw new OidcTaken();
      throw error;
    }
  }
}

async function find(tx: Pick<LedgerRead, 'rows' | 'tenant'>): Promise<Oidc | null> {
  const [row] = await tx.rows<Oidc>(FIND, [tx.tenant.id]);
  return row ?? null;
}

function shown({ issuer, audience, algorithms }: Oidc) {
  return { issuer, audience, algorithms };
}
