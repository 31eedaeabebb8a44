import { Injectable } from '@nestjs/common';
import type { Tenant } from '../tenancy/principal.js';
import type { Place } from '../tenancy/tenant-key.js';
import type { LedgerWrite } from './ledger-write.js';
import { ControlPlane } from './control-plane.js';
import { WHOLE_TENANT } from './ledger.js';

/** What a secret is for. What comes before the slash says whose: `oidc/client_secret`, `llm/openai`. */
export type SecretName = `${'llm' | 'oidc' | 'webhook'}/${string}`;

/**
 * What a tenant entrusts to us for calling others, sealed under its key. No route ever answers with one: whoever calls
 * out opens it, at that moment, and the API says at most that there is one.
 */
@Injectable()
export class TenantSecrets {
  constructor(private readonly control: ControlPlane) {}

  /** `tx`: the control plane's; takes effect with its commit. Put what the secret is for on record there, never the secret. */
  put(tx: LedgerWrite, name: SecretName, secret: string): void {
    tx.send(
      `INSERT INTO tenant_secrets (tenant_id, name, sealed) VALUES ($1, $2, $3)
       ON CONFLICT (tenant_id, name) DO UPDATE SET sealed = excluded.sealed, updated_at = now()`,
      [tx.tenant.id, name, tx.tenant.key.seal(secret, placeOf(name))],
    );
  }

  remove(tx: LedgerWrite, name: SecretName): void {
    tx.send('DELETE FROM tenant_secrets WHERE tenant_id = $1 AND name = $2', [tx.tenant.id, name]);
  }

  /** Null where there is none. */
  async open(tenant: Tenant, name: SecretName): Promise<string | null> {
    const [row] = await this.control.readRows<{ sealed: Buffer }>(
      tenant,
      WHOLE_TENANT,
      'SELECT sealed FROM tenant_secrets WHERE tenant_id = $1 AND name = $2',
      [tenant.id, name],
    );
    return row === undefined ? null : tenant.key.open(row.sealed, placeOf(name)).toString('utf8');
  }

  /** Which secrets there are: their names begin so. */
  async names(tenant: Tenant, prefix: string): Promise<SecretName[]> {
    const rows = await this.control.readRows<{ name: SecretName }>(
      tenant,
      WHOLE_TENANT,
      'SELECT name FROM tenant_secrets WHERE tenant_id = $1 AND starts_with(name, $2) ORDER BY name',
      [tenant.id, prefix],
    );
    return rows.map(({ name }) => name);
  }
}

function placeOf(name: SecretName): Place {
  return { table: 'tenant_secrets', row: name, column: 'sealed' };
}
