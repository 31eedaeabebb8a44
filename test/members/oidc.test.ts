import { createHmac, generateKeyPairSync } from 'node:crypto';
import { exportSPKI, generateKeyPair, SignJWT, importJWK, exportJWK } from 'jose';
import { Description, DescribedCaller } from '../support/described.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';
import { IdentityProvider } from './identity-provider.js';

const OIDC = '/v1/tenants/current/oidc';
const MEMBERS = '/v1/tenants/current/members';
const PROGRAMS = 'https://loci.example/acme';
/** A minute ahead or behind is forgiven; this is not. */
const BEYOND_SKEW_S = 90;
const WITHIN_SKEW_S = 30;

describe('tokens of a tenant’s own identity provider', () => {
  let provider: IdentityProvider;
  let loci: Loci;
  let description: Description;
  let acme: TestTenant;
  let ada: string;

  beforeAll(async () => {
    provider = await IdentityProvider.start({
      ada: { email: 'ada@acme.example', email_verified: true },
      bob: { email: 'bob@acme.example', email_verified: true },
      eve: { email: 'bob@acme.example', email_verified: false },
      claimed: { tenant_id: 'another' },
    });
    loci = await Loci.start({ LOCI_PRIVATE_HOSTS: provider.host });
    description = await Description.of(loci);
    acme = await loci.tenant();
    ada = await member(acme, { email: 'ada@elsewhere.example', external_id: 'ada', role: 'tenant_user' });
    await member(acme, { email: 'bob@acme.example', role: 'tenant_viewer' });
    await register(acme, 'web');
  }, 120_000);
  afterAll(async () => {
    await loci.stop();
    await provider.stop();
  });

  const as = (token: string) => new DescribedCaller(() => loci.url, token, description);
  const whoami = (token: string) => as(token).get<{ id: string; scopes: string[] }>('/v1/tenants/current');
  const statusOf = async (token: string): Promise<number> => (await whoami(token)).status;

  async function register(tenant: TestTenant, audience: string, more: Record<string, unknown> = {}) {
    const { status, body } = await as(tenant.token).call('PUT', OIDC, {
      issuer: provider.issuer,
      audience,
      ...more,
    });
    if (status !== 200) throw new Error(`Not registered: ${JSON.stringify(body)}`);
  }

  async function member(tenant: TestTenant, order: Record<string, unknown>): Promise<string> {
    const { status, body } = await tenant.post<{ id: string }>(MEMBERS, order);
    if (status !== 201) throw new Error(`No member: ${JSON.stringify(body)}`);
    return body.id;
  }

  describe('let a member in', () => {
    it('who logged in there, by their external id, with what their role may do', async () => {
      const token = await provider.idTokenOf('ada');
      const reply = await whoami(token);
      expect(reply).toMatchObject({ status: 200, body: { id: acme.id } });
      expect(new Set(reply.body.scopes)).toEqual(
        new Set(['memory:read', 'memory:write', 'search', 'chat', 'ingest']),
      );
      const stored = await as(token).post<{ memory_id: string }>('/memory', { content: 'Ada was here' });
      expect(stored.status).toBe(201);
      const { rows } = await asSuperuser(loci, (client) =>
        client.query('SELECT actor FROM audit_records WHERE target = $1', [stored.body.memory_id]),
      );
      expect(rows).toEqual([{ actor: `member:${ada}` }]);
    });

    it('by an e-mail address that the issuer has verified, and by no other', async () => {
      expect(await statusOf(await provider.idTokenOf('bob'))).toBe(200);
      expect(await statusOf(await provider.idTokenOf('eve'))).toBe(401);
    });

    it('by no address where the member has an external id: addresses are given to others', async () => {
      const token = await provider.sign({
        sub: 'newcomer',
        email: 'ada@elsewhere.example',
        email_verified: true,
      });
      expect(await statusOf(token)).toBe(401);
    });

    it('who is a program with what its token names, and no more', async () => {
      const tenant = await loci.tenant();
      await register(tenant, PROGRAMS);
      await member(tenant, {
        email: 'import@acme.example',
        external_id: 'nightly-import',
        role: 'service_account',
      });
      const { body } = await whoami(await provider.programsToken('memory:read search'));
      expect(body).toMatchObject({ id: tenant.id, scopes: ['memory:read', 'search'] });
      const nothing = await provider.sign({ aud: PROGRAMS, sub: 'nightly-import' });
      expect((await whoami(nothing)).body.scopes).toEqual([]);
    });

    it('also right after the issuer has changed its key', async () => {
      expect(await statusOf(await provider.sign({ sub: 'ada' }))).toBe(200);
      provider = await provider.changeKey('second');
      expect(await statusOf(await provider.sign({ sub: 'ada' }))).toBe(200);
    });
  });

  describe('are good for the tenant of their issuer and audience alone', () => {
    it('which a tenant_id in them must name, if anything', async () => {
      expect(await statusOf(await provider.sign({ sub: 'ada', tenant_id: acme.id }))).toBe(200);
      expect(await statusOf(await provider.sign({ sub: 'ada', tenant_id: acme.slug }))).toBe(200);
      expect(await statusOf(await provider.sign({ sub: 'ada', tenant_id: 'another' }))).toBe(401);
      expect(await statusOf(await provider.sign({ sub: 'ada', tenant_id: ['another'] }))).toBe(401);
    });

    it('and X-Tenant-ID too', async () => {
      const token = await provider.sign({ sub: 'ada' });
      const other = await loci.tenant();
      for (const name of [other.slug, other.id, 'never-was']) {
        const reply = await as(token).get('/v1/tenants/current', { 'X-Tenant-ID': name });
        expect(reply).toMatchObject({ status: 403, body: { code: 'tenant_mismatch' } });
      }
      expect((await as(token).get('/v1/tenants/current', { 'X-Tenant-ID': acme.slug })).status).toBe(200);
    });

    it('which nobody else can register', async () => {
      const other = as((await loci.tenant()).token);
      const taken = await other.call('PUT', OIDC, { issuer: provider.issuer, audience: 'web' });
      expect(taken).toMatchObject({ status: 409, body: { code: 'oidc.taken' } });
    });

    it('and for none where their audiences name two', async () => {
      const other = await loci.tenant();
      await register(other, 'second');
      expect(await statusOf(await provider.sign({ sub: 'ada', aud: ['web', 'second'] }))).toBe(401);
      expect(await statusOf(await provider.sign({ sub: 'ada', aud: ['web', 'nobody’s'] }))).toBe(200);
    });
  });

  describe('are refused', () => {
    const now = () => Math.floor(Date.now() / 1000);
    const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
    const claims = () => ({ iss: provider.issuer, aud: 'web', sub: 'ada', iat: now(), exp: now() + 600 });

    it.each<[string, () => Promise<string>]>([
      ['of another audience', () => provider.sign({ sub: 'ada', aud: 'phone' })],
      [
        'of an issuer that nobody registered',
        () => provider.sign({ sub: 'ada', iss: 'https://nobody.example' }),
      ],
      ['of an issuer that no database could hold', () => provider.sign({ sub: 'ada', iss: 'https://\0' })],
      ['without an end', () => provider.sign({ sub: 'ada', exp: undefined as never })],
      ['that have ended', () => provider.sign({ sub: 'ada', exp: now() - BEYOND_SKEW_S })],
      ['that are not good yet', () => provider.sign({ sub: 'ada', nbf: now() + BEYOND_SKEW_S })],
      ['of nobody', () => provider.sign({})],
      ['of somebody who is no member', () => provider.sign({ sub: 'mallory' })],
      [
        'signed with another key under the same name',
        async () => {
          const { privateKey } = await generateKeyPair('ES256');
          return provider.sign({ sub: 'ada' }, { kid: provider.key.kid, privateKey });
        },
      ],
      [
        'signed with a key of an unknown name',
        async () => {
          const { privateKey } = await generateKeyPair('ES256');
          return provider.sign({ sub: 'ada' }, { kid: 'made up', privateKey });
        },
      ],
      [
        'that bring their own key along',
        async () => {
          const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
          return new SignJWT(claims())
            .setProtectedHeader({ alg: 'ES256', jwk: await exportJWK(publicKey), kid: provider.key.kid })
            .sign(privateKey);
        },
      ],
      ['that nobody signed', () => Promise.resolve(`${encoded({ alg: 'none' })}.${encoded(claims())}.`)],
      [
        'that name no signature and carry one',
        () => Promise.resolve(`${encoded({ alg: 'none', kid: provider.key.kid })}.${encoded(claims())}.AAAA`),
      ],
      [
        'signed with the public key as a secret',
        async () => {
          const key = await importJWK(
            { ...(await exportJWK(provider.key.privateKey)), d: undefined as never },
            'ES256',
          );
          const pem = await exportSPKI(key as never);
          const body = `${encoded({ alg: 'HS256', kid: provider.key.kid })}.${encoded(claims())}`;
          return `${body}.${createHmac('sha256', pem).update(body).digest('base64url')}`;
        },
      ],
      [
        'with something else inside',
        async () => {
          const [header, , signature] = (await provider.sign({ sub: 'mallory' })).split('.');
          return `${header}.${encoded(claims())}.${signature}`;
        },
      ],
    ])('%s', async (_what, token) => {
      expect(await whoami(await token())).toMatchObject({ status: 401, body: { code: 'auth.invalid' } });
    });

    it('where the tenant does not take their algorithm', async () => {
      const tenant = await loci.tenant();
      await member(tenant, { email: 'a@b.example', external_id: 'ada', role: 'tenant_user' });
      await register(tenant, 'strict', { algorithms: ['RS256'] });
      const token = await provider.sign({ sub: 'ada', aud: 'strict' });
      expect(await statusOf(token)).toBe(401);
      await register(tenant, 'strict', { algorithms: ['RS256', 'ES256'] });
      expect(await statusOf(token)).toBe(200);
    });

    it('not for clocks that are a little apart', async () => {
      expect(await statusOf(await provider.sign({ sub: 'ada', nbf: now() + WITHIN_SKEW_S }))).toBe(200);
      expect(await statusOf(await provider.sign({ sub: 'ada', exp: now() - WITHIN_SKEW_S }))).toBe(200);
    });
  });

  describe('stop being good within a second', () => {
    const outWithinASecond = async (token: string, status: number, change: () => Promise<unknown>) => {
      expect(await statusOf(token)).toBe(200);
      await change();
      const changedAt = performance.now();
      // Asked all the while, so that the cached principal is in use until its end. What was asked after a second is
      // refused, however long the answer takes on a busy machine.
      let last = 200;
      while (last === 200) {
        const askedAt = performance.now();
        last = await statusOf(token);
        if (last === 200) expect(askedAt - changedAt).toBeLessThan(1_000);
      }
      expect(last).toBe(status);
    };
    const somebody = async (tenant: TestTenant, audience: string) => {
      const id = await member(tenant, { email: 'x@acme.example', external_id: 'x', role: 'tenant_user' });
      await register(tenant, audience);
      return { id, token: await provider.sign({ sub: 'x', aud: audience }) };
    };

    it('for a member who was deactivated, or removed', async () => {
      const tenant = await loci.tenant();
      const { id, token } = await somebody(tenant, 'leaving');
      await outWithinASecond(token, 401, () => tenant.patch(`${MEMBERS}/${id}`, { is_active: false }));
      await tenant.patch(`${MEMBERS}/${id}`, { is_active: true });
      await outWithinASecond(token, 401, () => tenant.delete(`${MEMBERS}/${id}`));
    });

    it('also where nothing was announced', async () => {
      const tenant = await loci.tenant();
      const { id, token } = await somebody(tenant, 'silent');
      await outWithinASecond(token, 401, () =>
        asSuperuser(loci, (client) =>
          client.query('UPDATE members SET is_active = false WHERE id = $1', [id]),
        ),
      );
    });

    it('for a tenant that was suspended', async () => {
      const tenant = await loci.tenant();
      const { token } = await somebody(tenant, 'suspended');
      await outWithinASecond(token, 403, () => loci.operator.post(`/admin/tenants/${tenant.slug}/suspend`));
    });

    it('where the tenant took another audience, or no issuer at all', async () => {
      const tenant = await loci.tenant();
      const { token } = await somebody(tenant, 'before');
      await outWithinASecond(token, 401, () => register(tenant, 'after'));
      await register(tenant, 'before');
      await outWithinASecond(token, 401, () => tenant.delete(OIDC));
    });

    it('and what a member may do changes with their role', async () => {
      const tenant = await loci.tenant();
      const { id, token } = await somebody(tenant, 'promoted');
      expect((await as(token).get(MEMBERS)).status).toBe(403);
      await tenant.patch(`${MEMBERS}/${id}`, { role: 'tenant_admin' });
      // Announced, and forgotten here at once.
      expect((await as(token).get(MEMBERS)).status).toBe(200);
    });
  });

  describe('whose issuer', () => {
    it('is registered without its secret ever being shown, or lying in the clear', async () => {
      const tenant = await loci.tenant();
      await register(tenant, 'secretive', { client_secret: 'a-well-kept-secret' });
      const shown = await as(tenant.token).get(OIDC);
      expect(shown).toMatchObject({ status: 200, body: { audience: 'secretive', has_client_secret: true } });
      expect(JSON.stringify(shown.body)).not.toContain('well-kept');
      const { rows } = await asSuperuser(loci, (client) =>
        client.query<{ row: string }>('SELECT s::text AS row FROM tenant_secrets s WHERE tenant_id = $1', [
          tenant.id,
        ]),
      );
      expect(rows).toHaveLength(1);
      const clear = Buffer.from('a-well-kept-secret');
      expect(rows.some(({ row }) => row.includes(clear.toString('hex')) || row.includes('well-kept'))).toBe(
        false,
      );
      await register(tenant, 'secretive-still');
      expect((await as(tenant.token).get(OIDC)).body['has_client_secret']).toBe(true);
      await register(tenant, 'secretive-still', { issuer: 'https://login.acme.example' });
      expect((await as(tenant.token).get(OIDC)).body['has_client_secret']).toBe(false);
    });

    it.each([
      'http://login.acme.example',
      'https://localhost',
      'https://127.0.0.1',
      'https://10.1.2.3/realm',
      'https://169.254.169.254',
      'https://[::1]',
      'https://[::ffff:10.0.0.1]',
      'https://2130706433',
      'https://metadata.google.internal',
      'https://postgres',
      'https://user@login.acme.example',
      'https://login.acme.example/?a=b',
      'file:///etc/passwd',
      'loci',
    ])('is none that we would have to look for at home: %s', async (issuer) => {
      const tenant = as(acme.token);
      const reply = await tenant.call('PUT', OIDC, { issuer, audience: 'x' });
      expect(reply).toMatchObject({ status: 400, body: { errors: [{ location: 'body.issuer' }] } });
    });

    it('does not answer: then the caller is told to come again, and other tenants notice nothing', async () => {
      const tenant = await loci.tenant();
      await member(tenant, { email: 'x@acme.example', external_id: 'x', role: 'tenant_user' });
      // The name resolves to nothing, by RFC 6761.
      const issuer = 'https://login.acme.invalid';
      await register(tenant, 'away', { issuer });
      const reply = await whoami(await provider.sign({ sub: 'x', aud: 'away', iss: issuer }));
      expect(reply).toMatchObject({ status: 503, body: { code: 'issuer.unavailable' } });
      expect(Number(reply.headers.get('Retry-After'))).toBeGreaterThan(0);
      expect(await statusOf(await provider.sign({ sub: 'ada' }))).toBe(200);
    });
  });

  it('leave keys alone that a tenant brought along, and that look like them', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const token = await new SignJWT({ iss: 'https://their-own.example', role: 'anon' })
      .setProtectedHeader({ alg: 'EdDSA' })
      .sign(privateKey);
    const tenant = await loci.tenant({ api_token: token });
    expect((await whoami(token)).body.id).toBe(tenant.id);
  });
});
