import { mintKey } from '../../src/tenancy/api-key.js';
import { sendRaw } from '../support/raw-request.js';
import { Loci, type Caller, type Reply, type TestTenant } from '../support/loci.js';

/** The numbers of a `RateLimit` header: `"tenant";r=59;t=60`. */
function stateOf(reply: Reply): { name: string; left: number; seconds: number } {
  const header = reply.headers.get('ratelimit') ?? '';
  const [, name, left, seconds] = /^"(\w+)";r=(\d+);t=(\d+)$/.exec(header) ?? [];
  if (name === undefined) throw new Error(`No RateLimit header: ${header}`);
  return { name, left: Number(left), seconds: Number(seconds) };
}

const policyOf = (reply: Reply): string | null => reply.headers.get('ratelimit-policy');

async function statuses(
  caller: Caller,
  times: number,
  headers: Record<string, string> = {},
): Promise<number[]> {
  const all: number[] = [];
  while (all.length < times) all.push((await caller.get('/v1/tenants/current', headers)).status);
  return all;
}

const times = (n: number, status: number): number[] => Array.from({ length: n }, () => status);

describe('requests are limited', () => {
  let loci: Loci;

  beforeAll(async () => {
    // Windows are a minute: a test is over before its own ends.
    loci = await Loci.start({
      TRUST_PROXY: '1',
      FREE_TIER_RATE_LIMIT: '12',
      LOCI_WRONG_TOKENS_PER_MINUTE: '5',
    });
  });
  afterAll(() => loci.stop());

  const keyOf = async (tenant: TestTenant, order: object): Promise<Caller> => {
    const { status, body } = await loci.operator.post<{ key: string }>(
      `/admin/tenants/${tenant.slug}/keys`,
      order,
    );
    expect(status).toBe(201);
    return loci.as(body.key);
  };

  it('by the plan, over all keys of a tenant, and every answer says what is left', async () => {
    const tenant = await loci.tenant({ plan_tier: 'free' });
    const another = await keyOf(tenant, { scopes: ['search'] });
    const first = await tenant.get('/v1/tenants/current');
    expect(policyOf(first)).toBe('"tenant";q=12;w=60');
    expect(stateOf(first)).toMatchObject({ name: 'tenant', left: 11 });
    expect(stateOf(await another.get('/v1/tenants/current')).left).toBe(10);
    const forbidden = await another.get('/memories');
    expect([forbidden.status, stateOf(forbidden).left]).toEqual([403, 9]);
    expect(await statuses(tenant, 9)).toEqual(times(9, 200));
    const refused = await another.get('/v1/tenants/current');
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate.limited', limit: 12 } });
    const { left, seconds } = stateOf(refused);
    expect([left, Number(refused.headers.get('retry-after'))]).toEqual([0, seconds]);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  it('also where what was sent could not be read, which no stranger is told', async () => {
    const tenant = await loci.tenant({ plan_tier: 'free' });
    const unreadable: [number, Record<string, string>, string | Buffer][] = [
      [400, { 'Content-Type': 'application/json' }, '{"content":'],
      [400, { 'Content-Type': 'application/json' }, Buffer.from([0x22, 0xc3, 0x28, 0x22])],
      [413, { 'Content-Type': 'application/json' }, `"${'x'.repeat(1_200_000)}"`],
      [415, { 'Content-Type': 'text/csv' }, 'content\nx'],
    ];
    const send = (token: string, headers: Record<string, string>, body: string | Buffer) =>
      sendRaw(loci.url, {
        method: 'POST',
        path: '/memory',
        headers: { ...headers, 'X-API-Key': token },
        body,
      });
    for (const [at, [status, headers, body]] of unreadable.entries()) {
      const reply = await send(tenant.token, headers, body);
      expect([reply.status, stateOf(reply).left]).toEqual([status, 11 - at]);
      expect((await send(mintKey('live').key, headers, body)).body['code']).toBe('auth.invalid');
    }
    const [, headers, body] = unreadable[0] ?? [0, {}, ''];
    expect(await statuses(tenant, 8)).toEqual(times(8, 200));
    expect((await send(tenant.token, headers, body)).body['code']).toBe('rate.limited');
  });

  it('by the tenant’s setting before its plan', async () => {
    const tenant = await loci.tenant({
      plan_tier: 'free',
      settings: { quotas: { max_api_calls_per_minute: 3 } },
    });
    expect(await statuses(tenant, 5)).toEqual([200, 200, 200, 429, 429]);
  });

  it('by the key’s own limit, and what that refuses is not the tenant’s', async () => {
    const tenant = await loci.tenant({ plan_tier: 'free' });
    const limited = await keyOf(tenant, { rate_limit_per_minute: 2 });
    const first = await limited.get('/v1/tenants/current');
    expect([policyOf(first), stateOf(first)]).toMatchObject(['"key";q=2;w=60', { name: 'key', left: 1 }]);
    expect(await statuses(limited, 20)).toEqual([200, ...times(19, 429)]);
    expect(stateOf(await tenant.get('/v1/tenants/current')).left).toBe(9);
  });

  it('never for the operator, nor where no token is needed', async () => {
    const reply = await loci.operator.get('/admin/tenants');
    expect([reply.status, policyOf(reply)]).toEqual([200, null]);
    expect(policyOf(await loci.as('').get('/health', { Authorization: '' }))).toBeNull();
  });

  describe('by address where tokens are wrong', () => {
    /** As the proxy in front of the server tells it. */
    const from = (address: string) => ({ 'X-Forwarded-For': address });
    const guess = (address: string) => loci.as(mintKey('live').key).get('/v1/tenants/current', from(address));

    it('after so many different ones, and good ones go on from there', async () => {
      const tenant = await loci.tenant();
      const address = '192.0.2.1';
      for (let i = 0; i < 5; i++) expect(await guess(address)).toMatchObject({ status: 401 });
      const refused = await guess(address);
      expect(refused).toMatchObject({ status: 429, body: { code: 'auth.throttled' } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await loci.as('no-key-at-all').get('/health')).toMatchObject({ status: 200 });
      expect(await statuses(tenant, 3, from(address))).toEqual([200, 200, 200]);
      expect((await loci.operator.get('/admin/tenants', from(address))).status).toBe(200);
    });

    it('alike for every kind of wrong token', async () => {
      const tenant = await loci.tenant();
      const revoked = await loci.operator.post<{ id: string; key: string }>(
        `/admin/tenants/${tenant.slug}/keys`,
      );
      await loci.operator.delete(`/admin/tenants/${tenant.slug}/keys/${revoked.body.id}`);
      const address = '192.0.2.2';
      for (let i = 0; i < 6; i++) await guess(address);
      for (const token of [revoked.body.key, mintKey('test').key, 'loci_live_mistyped', 'something-else']) {
        const { status, body } = await loci.as(token).get('/v1/tenants/current', from(address));
        expect([token, status, body['code']]).toEqual([token, 429, 'auth.throttled']);
      }
    });

    it('not so soon for one old token that is sent again and again', async () => {
      const old = loci.as(mintKey('live').key);
      expect(await statuses(old, 50, from('192.0.2.3'))).toEqual(times(50, 401));
      expect(await statuses(old, 1, from('192.0.2.3'))).toEqual([429]);
    });

    it('nobody else being shut out: other addresses, or by one that a caller invents', async () => {
      for (let i = 0; i < 6; i++) await guess('192.0.2.4');
      expect((await guess('192.0.2.4')).status).toBe(429);
      expect((await guess('192.0.2.5')).status).toBe(401);
      // One proxy is trusted: what stands before its own word was written by the caller.
      for (let i = 0; i < 6; i++) await guess(`192.0.2.6, 203.0.113.${i}`);
      expect((await guess('192.0.2.6')).status).toBe(401);
      for (let i = 0; i < 6; i++) await guess(`203.0.113.${i}, 192.0.2.7`);
      expect((await guess('192.0.2.7')).status).toBe(429);
    });

    it('at the metrics too, where the admin token could be guessed as well', async () => {
      const address = from('192.0.2.9');
      const guessed: number[] = [];
      for (let i = 0; i < 6; i++) guessed.push((await loci.as(`guess-${i}`).get('/metrics', address)).status);
      expect(guessed).toEqual([...times(5, 401), 429]);
      const scraped = await fetch(`${loci.url}/metrics`, {
        headers: { Authorization: `Bearer ${loci.operator.token}`, ...address },
      });
      expect(scraped.status).toBe(200);
    });

    it('over the /64 that an IPv6 address is in', async () => {
      for (let i = 1; i <= 6; i++) await guess(`2001:db8::${i}`);
      expect((await guess('2001:db8::abcd')).status).toBe(429);
      expect((await guess('2001:db8:0:1::1')).status).toBe(401);
    });

    it('as nobody’s, where no token was sent', async () => {
      const address = from('192.0.2.8');
      const none = loci.as('');
      for (let i = 0; i < 60; i++) {
        const reply = await none.get('/v1/tenants/current', { Authorization: '', ...address });
        expect(reply).toMatchObject({ status: 401, body: { code: 'auth.required' } });
      }
    });
  });
});
