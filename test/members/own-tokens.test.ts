import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { signMemberToken } from '../../src/tenancy/member-token.js';
import type { Tenant } from '../../src/tenancy/principal.js';
import { tenantOf } from '../isolation/two-palaces.js';
import { Description, DescribedCaller } from '../support/described.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';

const MEMBERS = '/v1/tenants/current/members';
const TOKENS = '/v1/tenants/current/tokens';

interface Issued {
  token: string;
  scopes: string[];
  expires_in: number;
}

describe('tokens that Loci signs itself', () => {
  let loci: Loci;
  let description: Description;
  let acme: TestTenant;
  let tenant: Tenant;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    loci = await Loci.start();
    description = await Description.of(loci);
    acme = await loci.tenant();
    tenant = await tenantOf(loci, acme);
    for (const role of ['tenant_admin', 'tenant_user', 'tenant_viewer', 'service_account']) {
      ids[role] = (await acme.post<{ id: string }>(MEMBERS, { email: `${role}@acme.example`, role })).body.id;
    }
  }, 120_000);
  afterAll(() => loci.stop());

  const as = (token: string) => new DescribedCaller(() => loci.url, token, description);
  const whoami = (token: string) => as(token).get<{ id: string; scopes: string[] }>('/v1/tenants/current');
  const issue = (role: string, order: Record<string, unknown> = {}) =>
    as(acme.token).post<Issued>(TOKENS, { member_id: ids[role], ...order });

  it.each([
    ['tenant_admin', ['memory:read', 'memory:write', 'search', 'chat', 'ingest', 'manage']],
    ['tenant_user', ['memory:read', 'memory:write', 'search', 'chat', 'ingest']],
    ['tenant_viewer', ['memory:read', 'search']],
  ])('let a %s do what the role may', async (role, scopes) => {
    const { status, body } = await issue(role);
    expect({ status, scopes: body.scopes, seconds: body.expires_in }).toEqual({
      status: 201,
      scopes,
      seconds: 900,
    });
    expect((await whoami(body.token)).body).toMatchObject({ id: acme.id, scopes });
  });

  it('do no more than they name, and name no more than the role may', async () => {
    const narrow = await issue('tenant_admin', { scopes: ['memory'] });
    expect((await whoami(narrow.body.token)).body.scopes).toEqual(['memory:read', 'memory:write']);
    expect((await as(narrow.body.token).get(MEMBERS)).status).toBe(403);
    const beyond = await issue('tenant_viewer', { scopes: ['memory'] });
    expect(beyond).toMatchObject({ status: 400, body: { errors: [{ location: 'body.scopes' }] } });
  });

  it('let a service_account do what its token names, which it has to', async () => {
    expect(await issue('service_account')).toMatchObject({
      status: 400,
      body: { errors: [{ location: 'body.scopes' }] },
    });
    const { body } = await issue('service_account', { scopes: ['ingest', 'search'] });
    expect((await whoami(body.token)).body.scopes).toEqual(['search', 'ingest']);
  });

  it('do no more than whoever asked for them may', async () => {
    const { body } = await loci.operator.post<{ key: string }>(`/admin/tenants/${acme.slug}/keys`, {
      scopes: ['manage', 'search'],
    });
    const asked = (scopes: string[]) =>
      as(body.key).post<Issued>(TOKENS, { member_id: ids['tenant_user'], scopes });
    expect(await asked(['search'])).toMatchObject({ status: 201, body: { scopes: ['search'] } });
    expect(await asked(['search', 'ingest'])).toMatchObject({
      status: 403,
      body: { code: 'auth.forbidden' },
    });
  });

  it('are for members of this tenant who are active', async () => {
    const other = await loci.tenant({ admin_email: 'a@other.example' });
    const theirs = await other.get<{ data: { id: string }[] }>(MEMBERS);
    for (const member_id of [theirs.body.data[0]?.id, randomUUID()]) {
      expect(await as(acme.token).post(TOKENS, { member_id })).toMatchObject({
        status: 404,
        body: { code: 'member.not_found' },
      });
    }
    const { body } = await acme.post<{ id: string }>(MEMBERS, {
      email: 'gone@acme.example',
      role: 'tenant_user',
    });
    await acme.patch(`${MEMBERS}/${body.id}`, { is_active: false });
    expect(await as(acme.token).post(TOKENS, { member_id: body.id })).toMatchObject({
      status: 409,
      body: { code: 'member.inactive' },
    });
  });

  it('last a quarter of an hour, or as long as was asked, up to an hour', async () => {
    expect((await issue('tenant_user', { expires_in: 3_600 })).status).toBe(201);
    for (const expires_in of [29, 3_601]) {
      expect((await issue('tenant_user', { expires_in })).status).toBe(400);
    }
  });

  it('are on record, and shown once', async () => {
    const key = { 'Idempotency-Key': randomUUID() };
    const order = { member_id: ids['tenant_user'] };
    const first = await as(acme.token).post<Issued>(TOKENS, order, key);
    const again = await as(acme.token).post<Partial<Issued>>(TOKENS, order, key);
    expect(first.body.token).toMatch(/^ey/);
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
    expect(again.body.token).toBeUndefined();
    const { rows } = await asSuperuser(loci, (client) =>
      client.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM audit_records WHERE action = 'token.create' AND target = $1`,
        [ids['tenant_user']],
      ),
    );
    expect(rows[0]?.n).toBeGreaterThan(0);
  });

  it('are believed by every replica, and after a restart: no process holds their key alone', async () => {
    const { body } = await issue('tenant_user');
    await loci.restart();
    expect((await whoami(body.token)).status).toBe(200);
  });

  describe('are refused', () => {
    const signed = (
      by: Tenant,
      claims: { tenant?: Tenant; member?: string },
      issuedAt = new Date(),
      seconds = 600,
    ) =>
      signMemberToken(
        by.key,
        {
          tenant: (claims.tenant ?? by).id,
          member: claims.member ?? ids['tenant_admin'] ?? '',
          scopes: ['memory:read', 'manage'],
        },
        { issuedAt, seconds },
      ).then(({ token }) => token);
    const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);

    it('but not as they should be', async () => {
      expect((await whoami(await signed(tenant, {}))).status).toBe(200);
    });

    it('once they have ended', async () => {
      expect((await whoami(await signed(tenant, {}, ago(700)))).status).toBe(401);
    });

    it('where they would last longer than Loci lets any', async () => {
      expect((await whoami(await signed(tenant, {}, ago(3_700), 36_000))).status).toBe(401);
    });

    it('signed under another tenant’s key', async () => {
      const other = await tenantOf(loci, await loci.tenant());
      expect((await whoami(await signed(other, { tenant }))).status).toBe(401);
      expect((await whoami(await signed(other, {}))).status).toBe(401);
    });

    it('for somebody who is no member', async () => {
      expect((await whoami(await signed(tenant, { member: randomUUID() }))).status).toBe(401);
    });

    it('with anything in them changed', async () => {
      const [header = '', claims = '', signature = ''] = (await signed(tenant, {})).split('.');
      const more = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
      more['scope'] = 'memory:read memory:write manage';
      const changed = Buffer.from(JSON.stringify(more)).toString('base64url');
      expect((await whoami(`${header}.${changed}.${signature}`)).status).toBe(401);
      const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT', kid: '2026-11' })).toString(
        'base64url',
      );
      expect((await whoami(`${none}.${claims}.${signature}`)).status).toBe(401);
    });

    it('signed with a secret in place of a key', async () => {
      const claims = { tenant_id: tenant.id, scope: 'manage' };
      const token = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: new Date().toISOString().slice(0, 7) })
        .setIssuer('loci')
        .setAudience('loci')
        .setSubject(ids['tenant_admin'] ?? '')
        .setIssuedAt()
        .setExpirationTime('10m')
        .sign(tenant.key.hash('member tokens', new Date().toISOString().slice(0, 7)));
      expect((await whoami(token)).status).toBe(401);
    });
  });
});
