import { AuditRetention } from '../../src/modules/audit/audit-retention.service.js';
import { lookInto, startHomed, type Homed } from '../support/own-database.js';
import type { Reply, TestTenant } from '../support/loci.js';

interface Page {
  data: { id: string; action: string }[];
  next_cursor: string | null;
}
interface Verified {
  ok: boolean;
  chains: { database: string; records: number; checkpoint: number | null; problems: { problem: string }[] }[];
}

describe('the audit of a tenant whose ledger is in a database of its own', () => {
  let homed: Homed;
  let acme: TestTenant;
  beforeAll(async () => {
    homed = await startHomed();
    acme = await homed.loci.tenant({ placement: 'acme' });
    await acme.call('PUT', '/v1/tenants/current/retention-policies', { audit_days: 30 });
    for (let n = 1; n <= 3; n++) {
      await acme.post('/memory', { content: `Cup ${n}` });
      await homed.loci.operator.patch(`/admin/tenants/${acme.slug}`, { name: `Acme ${n}` });
    }
  });
  afterAll(() => homed.stop());

  const verified = async (): Promise<Verified> =>
    (await homed.loci.operator.get<Verified>(`/admin/audit/verify?tenant=${acme.id}`)).body;
  const WANTED = [
    ...Array.from({ length: 3 }, () => ['tenant.update', 'memory.create']).flat(),
    'retention_policies.update',
    'tenant.create',
  ];

  it.each(['its tenant', 'the operator'])(
    'is shown to %s as one, in the order of time, page by page',
    async (who) => {
      const own = who === 'its tenant';
      const caller = own ? acme : homed.loci.operator;
      const path = own ? '/v1/tenants/current/audit?' : `/admin/audit?tenant=${acme.slug}&`;
      const paged: Page['data'] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const { body }: Reply<Page> = await caller.get<Page>(`${path}limit=3${more}`);
        paged.push(...body.data);
        cursor = body.next_cursor;
      }
      expect(paged.map(({ action }) => action)).toEqual(WANTED);
      expect(new Set(paged.map(({ id }) => id)).size).toBe(WANTED.length);
    },
  );

  it('has a chain in each database: both are verified, forgotten from when they are due, and found broken', async () => {
    expect(await verified()).toMatchObject({
      ok: true,
      chains: [
        { database: 'main', records: 5 },
        { database: 'acme', records: 3 },
      ],
    });
    await homed.loci.server.app.get(AuditRetention).forget(new Date(Date.now() + 31 * 86_400_000));
    await acme.post('/memory', { content: 'Cup' });
    expect(await verified()).toMatchObject({
      ok: true,
      chains: [
        { database: 'main', records: 1, checkpoint: 5 },
        { database: 'acme', records: 2, checkpoint: 3 },
      ],
    });
    await lookInto(homed.own, (client) =>
      client.query(`UPDATE audit_records SET actor = 'nobody' WHERE position = 5`),
    );
    expect(await verified()).toMatchObject({
      ok: false,
      chains: [{ problems: [] }, { problems: [{ problem: 'altered' }] }],
    });
    await lookInto(homed.own, (client) => client.query('DELETE FROM audit_records WHERE position = 5'));
    expect((await verified()).chains[1]?.problems).toMatchObject([{ problem: 'missing' }]);
  });

  it('goes on there where the tenant was purged and is made again', async () => {
    const { loci } = homed;
    const gone = await loci.tenant({ placement: 'acme' });
    await gone.post('/memory', { content: 'Cup' });
    await loci.operator.delete(`/admin/tenants/${gone.slug}?purge=true`);
    const again = await loci.tenant({ id: gone.id, placement: 'acme' });
    await again.post('/memory', { content: 'Another cup' });
    const { body } = await loci.operator.get<Verified>(`/admin/audit/verify?tenant=${gone.id}`);
    expect(body).toMatchObject({
      ok: true,
      chains: [{ database: 'main' }, { database: 'acme', records: 2 }],
    });
  });
});
