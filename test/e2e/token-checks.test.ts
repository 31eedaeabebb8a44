import crypto from 'node:crypto';
import { Client } from 'pg';
import { hashToken, mintKey, withChecksum } from '../../src/tenancy/api-key.js';
import { PrincipalCache } from '../../src/tenancy/principal-cache.js';
import { KEY_BY_LOOKUP, lookupOf } from '../../src/tenancy/tenant-directory.js';
import { Loci, type Reply, type TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';

/** What the server did for one request. */
interface Work {
  /** Looks for a key in the ledger. */
  lookups: number;
  /** All statements that name keys or tenants, in the order in which they were sent. */
  statements: string[];
  hashes: number;
}

describe('the check of a token', () => {
  let loci: Loci;
  let acme: TestTenant;

  beforeAll(async () => {
    // Refused tokens are what is tried here.
    loci = await Loci.start({ LOCI_WRONG_TOKENS_PER_MINUTE: '1000000' });
    acme = await loci.tenant();
  });
  afterAll(() => loci.stop());

  const made = async (order: object = {}): Promise<{ id: string; key: string }> => {
    const { body } = await loci.operator.post<{ id: string; key: string }>(
      `/admin/tenants/${acme.slug}/keys`,
      order,
    );
    return body;
  };
  const ask = (token: string): Promise<Reply> => loci.as(token).get('/v1/tenants/current');

  /** The least of three: the server may have done something of its own meanwhile. */
  async function leastWorkOf(token: string): Promise<{ work: Work; reply: Reply }> {
    const tries = [await workOf(token), await workOf(token), await workOf(token)];
    const [least] = tries.sort(
      (a, b) => a.work.statements.length - b.work.statements.length || a.work.hashes - b.work.hashes,
    );
    if (least === undefined) throw new Error('Nothing was tried');
    return least;
  }

  async function workOf(token: string): Promise<{ work: Work; reply: Reply }> {
    const query = jest.spyOn(Client.prototype, 'query');
    const hash = jest.spyOn(crypto, 'hash');
    try {
      const reply = await ask(token);
      const texts = query.mock.calls.map(([sent]) => textOf(sent));
      const work = {
        lookups: texts.filter((text) => text === KEY_BY_LOOKUP).length,
        // When keys were used is written in batches, by nobody's request.
        statements: texts.filter((text) => /api_keys|tenants/.test(text) && !text.includes('last_used_at')),
        hashes: hash.mock.calls.length,
      };
      return { work, reply };
    } finally {
      query.mockRestore();
      hash.mockRestore();
    }
  }

  /** Well-formed tokens that open nothing, each for another reason. */
  async function wrongTokens(): Promise<Record<string, string>> {
    const good = await made();
    const secretOfAnother = mintKey('live').key;
    const revoked = await made();
    await loci.operator.delete(`/admin/tenants/${acme.slug}/keys/${revoked.id}`);
    const rotated = await made();
    await loci.operator.post(`/admin/tenants/${acme.slug}/keys/${rotated.id}/rotate`);
    const expired = await made();
    await asSuperuser(loci, (client) =>
      client.query(`UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE id = $1`, [expired.id]),
    );
    const gone = await loci.tenant();
    await loci.operator.delete(`/admin/tenants/${gone.slug}`);
    return {
      unknown: mintKey('live').key,
      // The id of a key that exists, with another's secret.
      wrong: withChecksum(good.key.slice(0, 23) + secretOfAnother.slice(23, -6)),
      expired: expired.key,
      revoked: revoked.key,
      rotated: rotated.key,
      'of a deleted tenant': gone.token,
      brought: 'a-token-that-nobody-ever-brought-along',
    };
  }

  it('answers all that are well-formed and wrong alike, after the same work', async () => {
    const { brought = '', ...keys } = await wrongTokens();
    const told = new Map<string, string[]>();
    for (const [kind, token] of Object.entries(keys)) {
      const { work, reply } = await leastWorkOf(token);
      expect([kind, reply.status, reply.body['code']]).toEqual([kind, 401, 'auth.invalid']);
      expect([kind, work.statements]).toEqual([kind, [KEY_BY_LOOKUP]]);
      const all = JSON.stringify({ ...outside(reply), hashes: work.hashes });
      told.set(all, [...(told.get(all) ?? []), kind]);
    }
    expect([...told.values()]).toEqual([Object.keys(keys)]);
    const { work, reply } = await leastWorkOf(brought);
    expect(work.statements).toEqual([KEY_BY_LOOKUP]);
    expect(outside(reply)).toEqual(outside(await ask(keys['unknown'] ?? '')));
  });

  it('refuses a mistyped key in the same words, without asking the database', async () => {
    const { key } = await made();
    const unknown = await ask(mintKey('live').key);
    for (const mistyped of [
      key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a'),
      key.slice(0, 30) + (key[30] === 'a' ? 'b' : 'a') + key.slice(31),
      key.replace('loci_live_', 'loci_test_'),
      key.slice(0, -1),
      `${key}x`,
      'loci_live_',
      'short',
    ]) {
      const { work, reply } = await workOf(mistyped);
      expect([mistyped, work.statements]).toEqual([mistyped, []]);
      expect(outside(reply)).toEqual(outside(unknown));
    }
    expect((await ask(key)).status).toBe(200);
  });

  it('asks the database once where the key is new to this process, and not while it is fresh', async () => {
    const { key } = await made();
    const cold = await workOf(key);
    expect(cold.reply.status).toBe(200);
    expect(cold.work.lookups).toBe(1);
    const principals = loci.server.app.get(PrincipalCache);
    const query = jest.spyOn(Client.prototype, 'query');
    try {
      for (let tries = 0; tries < 50; tries++) {
        const startedAt = performance.now();
        await principals.principalOf(key, hashToken(key));
        query.mockClear();
        expect(await principals.principalOf(key, hashToken(key))).toMatchObject({ kind: 'key' });
        const lookups = query.mock.calls.filter(([sent]) => textOf(sent) === KEY_BY_LOOKUP).length;
        // What took longer may have outlived its freshness.
        if (performance.now() - startedAt < 500) {
          expect(lookups).toBe(0);
          return;
        }
      }
      throw new Error('This machine is too slow to tell');
    } finally {
      query.mockRestore();
    }
  });

  it('finds a key by one look into an index, among many', async () => {
    await asSuperuser(loci, async (client) => {
      await client.query(
        `INSERT INTO tenants (id, slug, name, state, plan, placement, embedding_model, default_workspace_id, default_agent_id,
           wrapped_key, fingerprint)
         SELECT gen_random_uuid(), 'one-of-many-' || i, '', 'suspended', 'free', 'shared', '', gen_random_uuid(),
           gen_random_uuid(), '', '' FROM generate_series(1, 5000) AS i`,
      );
      await client.query(
        `INSERT INTO api_keys (tenant_id, id, name, prefix, hash, scopes)
         SELECT id, gen_random_uuid(), '', '', sha256(id::text::bytea), '{search}' FROM tenants WHERE slug LIKE 'one-of-many-%'`,
      );
      await client.query('ANALYZE api_keys, tenants');
      const lookup = `'\\x${lookupOf(hashToken(acme.token)).toString('hex')}'::bytea`;
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
        `EXPLAIN (FORMAT JSON) ${KEY_BY_LOOKUP.replace('$1', lookup)}`,
      );
      const plan = rows[0]?.['QUERY PLAN'][0].Plan;
      if (plan === undefined) throw new Error('PostgreSQL told no plan');
      expect(scansOf(plan).sort()).toEqual([
        'Index Scan using api_keys_lookup',
        'Index Scan using tenants_pkey',
      ]);
    });
  });
});

/** Of a statement as it was handed to the driver. */
function textOf(sent: unknown): string {
  return typeof sent === 'string' ? sent : (sent as { text: string }).text;
}

interface Plan {
  'Node Type': string;
  'Index Name'?: string;
  Plans?: Plan[];
}

/** The ways in which a plan reads tables. */
function scansOf(plan: Plan): string[] {
  const own = plan['Node Type'].includes('Scan')
    ? [`${plan['Node Type']} using ${plan['Index Name'] ?? 'nothing'}`]
    : [];
  return [...own, ...(plan.Plans ?? []).flatMap(scansOf)];
}

/** What a caller can tell from an answer, without what differs between any two. */
function outside({ status, body, headers }: Reply): object {
  const lines = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
  return { status, body: { ...body, request_id: '' }, headers: lines };
}
