import { LlmProfilesService } from '../../src/modules/policies/llm-profiles.service.js';
import { tenantOf } from '../isolation/two-palaces.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';

const PROFILE = '/v1/tenants/current/llm-profile';
const BUDGET = '/v1/tenants/current/cost-budget';

interface Profile {
  base_url: string | null;
  has_api_key: boolean;
  providers: { name: string; has_api_key: boolean }[];
}

describe('what a tenant decides for itself', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  const put = (tenant: TestTenant, body: unknown) => tenant.call<Profile>('PUT', PROFILE, body);
  const keyOf = async (tenant: TestTenant, provider: string | null = null, url?: string) => {
    const profiles = loci.server.app.get(LlmProfilesService);
    const whose = await tenantOf(loci, tenant);
    const { base_url, providers } = (await profiles.get(whose)).profile;
    const known = provider === null ? base_url : providers.find(({ name }) => name === provider)?.base_url;
    return profiles.key(whose, provider, url ?? known ?? 'https://nobody.example');
  };
  const unprivileged = async (tenant: TestTenant) => {
    const order = { scopes: ['memory', 'chat'] };
    const { body } = await loci.operator.post<{ key: string }>(`/admin/tenants/${tenant.slug}/keys`, order);
    return loci.as(body.key);
  };

  describe('the keys of its models', () => {
    const acmes = {
      base_url: 'https://models.acme.example/v1',
      api_key: 'sk-hush-1',
      default_model: 'large',
    };

    it('go in and never come out: they are sealed, opened for calling alone, and nowhere in the audit', async () => {
      const acme = await loci.tenant();
      expect((await acme.get<Profile>(PROFILE)).body).toMatchObject({ base_url: null, has_api_key: false });
      const replies = [
        await put(acme, acmes),
        await acme.get(PROFILE),
        await acme.get('/v1/tenants/current/audit'),
      ];
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(replies[0]?.body).toMatchObject({
        default_model: 'large',
        has_api_key: true,
        enable_caching: true,
      });
      expect(JSON.stringify(replies.map(({ body }) => body))).not.toContain('hush');
      expect(replies[2]?.body).toMatchObject({
        data: [{ action: 'llm_profile.update', detail: { keys_replaced: ['base_url'] } }, {}],
      });
      expect(await keyOf(acme)).toBe('sk-hush-1');
      expect(await keyOf(acme, null, 'https://models.evil.example/v1')).toBeNull();
      const rows = await asSuperuser(loci, async (client) => {
        const found = await client.query<{ row: string }>(
          'SELECT row_to_json(s)::text AS row FROM tenant_secrets s UNION ALL SELECT row_to_json(p)::text FROM tenant_policies p',
        );
        return found.rows.map(({ row }) => row).join('\n');
      });
      expect(rows).not.toMatch(new RegExp(`hush|${Buffer.from('sk-hush-1').toString('hex')}`));
    });

    it('stay while their URL does, are gone with it, and are removed by null', async () => {
      const acme = await loci.tenant();
      await put(acme, acmes);
      await put(acme, { base_url: acmes.base_url, default_model: 'small' });
      expect(await keyOf(acme)).toBe('sk-hush-1');
      const elsewhere = await put(acme, { base_url: 'https://models.evil.example/v1' });
      expect(await keyOf(acme, null, acmes.base_url)).toBeNull();
      expect(elsewhere.body.has_api_key).toBe(false);
      expect(await keyOf(acme)).toBeNull();
      await put(acme, { base_url: acmes.base_url });
      expect(await keyOf(acme)).toBeNull();
      await put(acme, acmes);
      await put(acme, { base_url: acmes.base_url, api_key: null });
      expect(await keyOf(acme)).toBeNull();
    });

    it('are each provider’s own, and go with it', async () => {
      const acme = await loci.tenant();
      const one = { name: 'one', base_url: 'https://one.example/v1', api_key: 'sk-1', models: ['a'] };
      const two = { name: 'two', base_url: 'https://two.example/v1', api_key: 'sk-2' };
      const { body } = await put(acme, { providers: [one, two] });
      expect(body.providers).toMatchObject([
        { name: 'one', has_api_key: true },
        { name: 'two', has_api_key: true },
      ]);
      expect([await keyOf(acme, 'one'), await keyOf(acme, 'two')]).toEqual(['sk-1', 'sk-2']);
      await put(acme, {
        providers: [
          { name: 'one', base_url: one.base_url },
          { name: 'two', base_url: one.base_url },
        ],
      });
      expect([await keyOf(acme, 'one'), await keyOf(acme, 'two')]).toEqual(['sk-1', null]);
      await put(acme, { providers: [] });
      await put(acme, { providers: [{ name: 'one', base_url: one.base_url }] });
      expect(await keyOf(acme, 'one')).toBeNull();
    });

    it('are for addresses that may be called, and set by whoever manages the tenant', async () => {
      const acme = await loci.tenant();
      for (const bad of [
        { base_url: 'http://models.example/v1' },
        { base_url: 'https://127.0.0.1/v1' },
        { base_url: 'https://user:hush@models.example/v1' },
        { base_url: 'models.example' },
        { api_key: 'sk-without-a-url' },
        { providers: [{ name: 'x', base_url: 'https://10.0.0.1' }] },
        { providers: Array.from({ length: 2 }, () => ({ name: 'x', base_url: 'https://x.example' })) },
        { budget_usd_monthly: -1 },
      ]) {
        expect({ bad, status: (await put(acme, bad)).status }).toEqual({ bad, status: 400 });
      }
      const caller = await unprivileged(acme);
      expect((await caller.get(PROFILE)).status).toBe(403);
      expect((await caller.call('PUT', PROFILE, acmes)).status).toBe(403);
    });
  });

  it('says what may be spent in a month, checked and kept ascending, on record', async () => {
    const acme = await loci.tenant();
    expect((await acme.get(BUDGET)).body).toEqual({
      monthly_limit_usd: null,
      alert_thresholds: [0.8, 0.9, 0.95],
      action_on_exceed: 'alert_only',
      webhook_url: null,
    });
    const wanted = { monthly_limit_usd: 12.5, alert_thresholds: [0.9, 0.5, 0.9], action_on_exceed: 'block' };
    const kept = { ...wanted, alert_thresholds: [0.5, 0.9], webhook_url: null };
    expect(await acme.call('PUT', BUDGET, wanted)).toMatchObject({ status: 200, body: kept });
    expect((await acme.get(BUDGET)).body).toEqual(kept);
    expect((await acme.get('/v1/tenants/current/audit?limit=1')).body).toMatchObject({
      data: [
        {
          action: 'cost_budget.update',
          before: { monthly_limit_usd: null },
          after: { monthly_limit_usd: 12.5 },
        },
      ],
    });
    for (const bad of [
      { monthly_limit_usd: -1 },
      { alert_thresholds: [2] },
      { alert_thresholds: ['0.5'] },
      { action_on_exceed: 'panic' },
      { webhook_url: 'http://169.254.169.254/' },
    ]) {
      expect({ bad, status: (await acme.call('PUT', BUDGET, bad)).status }).toEqual({ bad, status: 400 });
    }
    expect((await (await unprivileged(acme)).call('PUT', BUDGET, wanted)).status).toBe(403);
  });
});
