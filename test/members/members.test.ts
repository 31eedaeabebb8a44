import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/platform/project-root.js';
import { Description, DescribedCaller } from '../support/described.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';

const MEMBERS = '/v1/tenants/current/members';

interface Shown {
  id: string;
  email: string;
  name: string | null;
  role: string;
  external_id: string | null;
  is_active: boolean;
}

describe('the members of a tenant', () => {
  let loci: Loci;
  let description: Description;
  beforeAll(async () => {
    loci = await Loci.start();
    description = await Description.of(loci);
  }, 120_000);
  afterAll(() => loci.stop());

  const as = (token: string) => new DescribedCaller(() => loci.url, token, description);
  const admin = async (
    order: Record<string, unknown> = {},
  ): Promise<DescribedCaller & { tenant: TestTenant }> => {
    const tenant = await loci.tenant(order);
    return Object.assign(as(tenant.token), { tenant });
  };
  const list = async (caller: DescribedCaller): Promise<Shown[]> =>
    (await caller.get<{ data: Shown[] }>(MEMBERS)).body.data;

  it('are added, changed and removed, newest first', async () => {
    const acme = await admin();
    const ada = await acme.post<Shown>(MEMBERS, {
      email: 'Ada@Acme.example',
      name: 'Ada',
      role: 'tenant_user',
    });
    expect(ada).toMatchObject({
      status: 201,
      body: {
        email: 'ada@acme.example',
        name: 'Ada',
        role: 'tenant_user',
        external_id: null,
        is_active: true,
      },
    });
    const bob = await acme.post<Shown>(MEMBERS, {
      email: 'bob@acme.example',
      role: 'service_account',
      external_id: 'auth0|7',
    });
    expect((await list(acme)).map(({ id }) => id)).toEqual([bob.body.id, ada.body.id]);
    const changed = await acme.patch(`${MEMBERS}/${ada.body.id}`, {
      role: 'tenant_viewer',
      name: null,
      external_id: 'a',
    });
    expect(changed).toMatchObject({ status: 200, body: { role: 'tenant_viewer', external_id: 'a' } });
    expect((await acme.delete(`${MEMBERS}/${bob.body.id}`)).body).toEqual({ id: bob.body.id, deleted: true });
    expect(await acme.delete(`${MEMBERS}/${bob.body.id}`)).toMatchObject({
      status: 404,
      body: { code: 'member.not_found' },
    });
    expect((await list(acme)).map(({ id }) => id)).toEqual([ada.body.id]);
  });

  it('are listed page by page, each once', async () => {
    const acme = await admin();
    const made: string[] = [];
    for (let i = 0; i < 5; i++) {
      const { body } = await acme.post<Shown>(MEMBERS, {
        email: `m${i}@acme.example`,
        role: 'tenant_viewer',
      });
      made.unshift(body.id);
    }
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { body: { data: Shown[]; next_cursor: string | null } } = await acme.get(
        `${MEMBERS}?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...page.body.data.map(({ id }) => id));
      cursor = page.body.next_cursor;
    }
    expect(seen).toEqual(made);
  });

  it('share neither an address nor an external id, in whatever case', async () => {
    const acme = await admin();
    await acme.post(MEMBERS, { email: 'ada@acme.example', role: 'tenant_user', external_id: 'x' });
    for (const order of [
      { email: 'ADA@acme.example', role: 'tenant_user' },
      { email: 'b@acme.example', role: 'tenant_user', external_id: 'x' },
    ]) {
      expect(await acme.post(MEMBERS, order)).toMatchObject({ status: 409, body: { code: 'member.exists' } });
    }
    const other = await admin();
    expect(
      (await other.post(MEMBERS, { email: 'ada@acme.example', role: 'tenant_user', external_id: 'x' }))
        .status,
    ).toBe(201);
  });

  it('are refused with the place of what is wrong', async () => {
    const acme = await admin();
    for (const [order, location] of [
      [{ role: 'tenant_user' }, 'body.email'],
      [{ email: 'nobody', role: 'tenant_user' }, 'body.email'],
      [{ email: 'a@b.example' }, 'body.role'],
      [{ email: 'a@b.example', role: 'owner' }, 'body.role'],
      [{ email: 'a@b.example', role: 'tenant_user', tenant_id: 'acme' }, 'body.tenant_id'],
    ] as const) {
      expect(await acme.post(MEMBERS, order)).toMatchObject({
        status: 400,
        body: { errors: [{ location }] },
      });
    }
    expect(await acme.patch(`${MEMBERS}/no-uuid`, { name: 'x' })).toMatchObject({ status: 404 });
  });

  it('are answered once for one Idempotency-Key', async () => {
    const acme = await admin();
    const key = { 'Idempotency-Key': randomUUID() };
    const order = { email: 'once@acme.example', role: 'tenant_user' };
    const first = await acme.post(MEMBERS, order, key);
    const again = await acme.post(MEMBERS, order, key);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
  });

  it('leave a record of who changed what, in the same transaction', async () => {
    const acme = await admin();
    const { body } = await acme.post<Shown>(MEMBERS, { email: 'ada@acme.example', role: 'tenant_user' });
    await acme.patch(`${MEMBERS}/${body.id}`, { role: 'tenant_viewer' });
    await acme.patch(`${MEMBERS}/${body.id}`, { role: 'tenant_viewer' });
    await acme.delete(`${MEMBERS}/${body.id}`);
    const { rows } = await asSuperuser(loci, (client) =>
      client.query(
        `SELECT action, actor LIKE 'key:%' AS by_key FROM audit_records WHERE target = $1 ORDER BY id`,
        [body.id],
      ),
    );
    expect(rows).toEqual([
      { action: 'member.create', by_key: true },
      { action: 'member.update', by_key: true },
      { action: 'member.delete', by_key: true },
    ]);
  });

  describe('who administer it', () => {
    it('begin with the admin_email that it was provisioned with', async () => {
      const acme = await admin({ admin_email: 'Root@Acme.example' });
      expect(await list(acme)).toMatchObject([
        { email: 'root@acme.example', role: 'tenant_admin', is_active: true },
      ]);
    });

    it('are made by the migration where a tenant was provisioned before there were members', async () => {
      const { id, slug } = (await admin({ admin_email: 'Old@Acme.example' })).tenant;
      const migration = readFileSync(join(projectRoot, 'migrations/1763791000030-members.sql'), 'utf8');
      await asSuperuser(loci, async (client) => {
        await client.query('BEGIN; DROP TABLE members, oidc_issuers');
        // As the migrations run: as the owner, whom the policies bind too.
        await client.query(`SET LOCAL ROLE ${loci.database.user}`);
        await client.query(migration);
        await client.query('RESET ROLE');
        const { rows } = await client.query('SELECT email, role FROM members WHERE tenant_id = $1', [id]);
        expect({ slug, rows }).toEqual({ slug, rows: [{ email: 'old@acme.example', role: 'tenant_admin' }] });
        await client.query('ROLLBACK');
      });
    });

    it('keep one of them who could let others in, where no key can', async () => {
      const acme = await admin({ admin_email: 'a@acme.example' });
      const [first] = await list(acme);
      const one = `${MEMBERS}/${first?.id}`;
      const token = await tokenFor(acme, first?.id ?? '');
      await revokeKeys(acme.tenant);
      const member = as(token);
      for (const attempt of [
        member.delete(one),
        member.patch(one, { role: 'tenant_user' }),
        member.patch(one, { is_active: false }),
      ]) {
        expect(await attempt).toMatchObject({ status: 409, body: { code: 'member.last_admin' } });
      }
      const second = await member.post<Shown>(MEMBERS, { email: 'b@acme.example', role: 'tenant_admin' });
      expect(second.status).toBe(201);
      expect((await member.delete(one)).status).toBe(200);
    });

    it('may all go while a key can manage the tenant', async () => {
      const acme = await admin({ admin_email: 'a@acme.example' });
      const [first] = await list(acme);
      expect((await acme.delete(`${MEMBERS}/${first?.id}`)).status).toBe(200);
    });

    it('cannot remove each other at the same moment', async () => {
      const acme = await admin({ admin_email: 'a@acme.example' });
      await acme.post(MEMBERS, { email: 'b@acme.example', role: 'tenant_admin' });
      const both = await list(acme);
      const tokens = await Promise.all(both.map(({ id }) => tokenFor(acme, id)));
      await revokeKeys(acme.tenant);
      const statuses = await Promise.all(
        both.map(({ id }, i) =>
          as(tokens[1 - i] ?? '')
            .delete(`${MEMBERS}/${id}`)
            .then(({ status }) => status),
        ),
      );
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    });
  });

  async function tokenFor(caller: DescribedCaller, member_id: string): Promise<string> {
    const { body } = await caller.post<{ token: string }>('/v1/tenants/current/tokens', { member_id });
    return body.token;
  }

  async function revokeKeys({ slug }: TestTenant): Promise<void> {
    const { body } = await loci.operator.get<{ data: { id: string }[] }>(`/admin/tenants/${slug}/keys`);
    for (const { id } of body.data) await loci.operator.delete(`/admin/tenants/${slug}/keys/${id}`);
  }
});
