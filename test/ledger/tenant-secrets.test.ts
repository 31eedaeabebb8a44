import { systemCause } from '../../src/ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../src/ledger/ledger.js';
import { TenantSecrets } from '../../src/ledger/tenant-secrets.js';
import { tenantOf } from '../isolation/two-palaces.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';

describe('a tenant’s secret', () => {
  let loci: Loci;
  let secrets: TenantSecrets;
  beforeAll(async () => {
    loci = await Loci.start();
    secrets = loci.server.app.get(TenantSecrets);
  });
  afterAll(() => loci.stop());

  const write = async (caller: TestTenant, work: (tx: Parameters<TenantSecrets['put']>[0]) => void) =>
    loci.server.app
      .get(Ledger)
      .write(await tenantOf(loci, caller), WHOLE_TENANT, systemCause('test'), async (tx) => work(tx));

  it('is opened by its own tenant, replaced, and gone once removed', async () => {
    const caller = await loci.tenant();
    const tenant = await tenantOf(loci, caller);
    expect(await secrets.open(tenant, 'oidc/client_secret')).toBeNull();
    await write(caller, (tx) => secrets.put(tx, 'oidc/client_secret', 'hush'));
    expect(await secrets.open(tenant, 'oidc/client_secret')).toBe('hush');
    await write(caller, (tx) => secrets.put(tx, 'oidc/client_secret', 'hush hush'));
    expect(await secrets.open(tenant, 'oidc/client_secret')).toBe('hush hush');
    expect(await secrets.names(tenant, 'oidc/')).toEqual(['oidc/client_secret']);
    expect(await secrets.names(tenant, 'llm/')).toEqual([]);
    await write(caller, (tx) => secrets.remove(tx, 'oidc/client_secret'));
    expect(await secrets.open(tenant, 'oidc/client_secret')).toBeNull();
  });

  it('is not another tenant’s, nor does it open under another name', async () => {
    const [acme, other] = [await loci.tenant(), await loci.tenant()];
    await write(acme, (tx) => secrets.put(tx, 'llm/a', 'hush'));
    expect(await secrets.open(await tenantOf(loci, other), 'llm/a')).toBeNull();
    await asSuperuser(loci, (client) =>
      client.query(
        `INSERT INTO tenant_secrets (tenant_id, name, sealed)
         SELECT v.tenant_id, v.name, s.sealed FROM tenant_secrets s,
           (VALUES ($1::uuid, 'llm/b'), ($2::uuid, 'llm/a')) AS v (tenant_id, name) WHERE s.tenant_id = $1`,
        [acme.id, other.id],
      ),
    );
    await expect(secrets.open(await tenantOf(loci, acme), 'llm/b')).rejects.toThrow();
    await expect(secrets.open(await tenantOf(loci, other), 'llm/a')).rejects.toThrow();
    expect(await secrets.open(await tenantOf(loci, acme), 'llm/a')).toBe('hush');
  });
});
