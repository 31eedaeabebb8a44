import { AuditRetention } from '../../src/modules/audit/audit-retention.service.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';

const POLICIES = '/v1/tenants/current/retention-policies';
const DAY_MS = 86_400_000;

describe('the retention of audit records', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  const actions = async (tenant: TestTenant): Promise<string[]> => {
    const { body } = await loci.operator.get<{ data: { action: string }[] }>(
      `/admin/audit?tenant=${tenant.id}&limit=200`,
    );
    return body.data.map(({ action }) => action);
  };
  const verified = async (tenant: TestTenant) =>
    (
      await loci.operator.get<{
        ok: boolean;
        records: number;
        chains: { problems: object[]; checkpoint: number }[];
      }>(`/admin/audit/verify?tenant=${tenant.id}`)
    ).body;
  /** As if so many days had gone by since `instant`. */
  const forgetAfter = (instant: Date, days: number) =>
    loci.server.app.get(AuditRetention).forget(new Date(instant.getTime() + days * DAY_MS));
  /** A moment that lies between what was recorded before and what is recorded after. */
  const between = async (): Promise<Date> => {
    const pause = () => new Promise((resolve) => setTimeout(resolve, 10));
    await pause();
    const moment = new Date();
    await pause();
    return moment;
  };

  it('is set for each class by whoever manages the tenant, is on record, and keeps everything until it is set', async () => {
    const acme = await loci.tenant();
    const unset = {
      episodic_memories_days: null,
      semantic_memories_days: null,
      reflective_memories_days: null,
      cost_logs_days: 2555,
      audit_days: null,
      sessions_days: null,
    };
    expect((await acme.get(POLICIES)).body).toEqual(unset);
    const put = await acme.call('PUT', POLICIES, { audit_days: 30, sessions_days: 7 });
    expect(put).toMatchObject({ status: 200, body: { ...unset, audit_days: 30, sessions_days: 7 } });
    expect((await acme.get(POLICIES)).body).toEqual(put.body);
    expect((await acme.get<{ data: object[] }>('/v1/tenants/current/audit?limit=1')).body.data).toMatchObject(
      [{ action: 'retention_policies.update', before: { audit_days: null }, after: { audit_days: 30 } }],
    );
    for (const bad of [{ audit_days: 0 }, { audit_days: 1.5 }, { audit_days: '30' }, { audit: 30 }]) {
      expect((await acme.call('PUT', POLICIES, bad)).status).toBe(400);
    }
    const { body } = await loci.operator.post<{ key: string }>(`/admin/tenants/${acme.slug}/keys`, {
      scopes: ['memory'],
    });
    expect((await loci.as(body.key).call('PUT', POLICIES, { audit_days: 1 })).status).toBe(403);
  });

  it('deletes the beginning of the chain, and the rest still verifies; again and again', async () => {
    const [acme, other] = [await loci.tenant(), await loci.tenant()];
    await acme.call('PUT', POLICIES, { audit_days: 30 });
    await acme.post('/memory', { content: 'Old' });
    const moment = await between();
    await acme.post('/memory', { content: 'Newer' });
    await forgetAfter(moment, 30);
    expect(await actions(acme)).toEqual(['audit.forget', 'memory.create']);
    expect(await verified(acme)).toMatchObject({ ok: true, records: 2, chains: [{ checkpoint: 3 }] });
    expect(await actions(other)).toEqual(['tenant.create']);
    await forgetAfter(moment, 30);
    expect(await actions(acme)).toEqual(['audit.forget', 'memory.create']);
    await forgetAfter(await between(), 30);
    expect(await actions(acme)).toEqual(['audit.forget']);
    expect(await verified(acme)).toMatchObject({ ok: true, records: 1, chains: [{ checkpoint: 5 }] });
    await acme.post('/memory', { content: 'Newest' });
    expect(await verified(acme)).toMatchObject({ ok: true, records: 2 });
  });

  it('does not hide what else was deleted, and a checkpoint that nobody signed hides nothing', async () => {
    const [acme, other] = [await loci.tenant(), await loci.tenant()];
    for (const tenant of [acme, other]) {
      await tenant.call('PUT', POLICIES, { audit_days: 30 });
      for (let n = 0; n < 3; n++) await tenant.post('/memory', { content: `Cup ${n}` });
    }
    await forgetAfter(await between(), 30);
    await acme.post('/memory', { content: 'Cup' });
    await asSuperuser(loci, (client) =>
      client.query(`DELETE FROM audit_records WHERE tenant_id = $1 AND action = 'audit.forget'`, [acme.id]),
    );
    expect((await verified(acme)).chains[0]?.problems).toMatchObject([{ problem: 'missing', position: 6 }]);
    await asSuperuser(loci, async (client) => {
      await client.query(
        `INSERT INTO audit_checkpoints (tenant_id, reason, position, hash, signature)
         SELECT tenant_id, 'retention', position, hash, hash FROM audit_records WHERE tenant_id = $1`,
        [other.id],
      );
      await client.query('DELETE FROM audit_records WHERE tenant_id = $1', [other.id]);
    });
    expect((await verified(other)).chains[0]?.problems).toMatchObject([{ problem: 'forged', position: 6 }]);
  });
});
