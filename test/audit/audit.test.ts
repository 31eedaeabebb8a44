import { Loci, type Reply, type TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';

interface Shown {
  id: string;
  at: string;
  action: string;
  actor: string;
  outcome: string;
  target: string | null;
  targets: string[] | null;
  request_id: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  withheld: boolean;
  position: number;
  tenant_id?: string | null;
}
interface Listed {
  data: Shown[];
  next_cursor: string | null;
}
interface Verified {
  ok: boolean;
  chains_checked: number;
  records: number;
  chains: { ok: boolean; tenant_uuid: string | null; problems: { problem: string; position: number }[] }[];
}

const OWN = '/v1/tenants/current/audit';

describe('the audit', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  const own = async (tenant: TestTenant, query = ''): Promise<Listed> => {
    const { status, body } = await tenant.get<Listed>(`${OWN}${query}`);
    expect(status).toBe(200);
    return body;
  };
  const verified = async (tenant: { id: string }): Promise<Verified> =>
    (await loci.operator.get<Verified>(`/admin/audit/verify?tenant=${tenant.id}`)).body;
  const problems = async (tenant: { id: string }): Promise<string[]> =>
    (await verified(tenant)).chains.flatMap((chain) =>
      chain.problems.map(({ problem, position }) => `${problem} at ${position}`),
    );

  describe('what it says', () => {
    it('tells who did what to what, in which request, newest first, with what changed before and after', async () => {
      const acme = await loci.tenant({ name: 'Acme' });
      const { body } = await acme.post<{ memory_id: string }>(
        '/memory',
        { content: 'The teapot is blue', tags: ['tea'] },
        { 'X-Request-Id': 'the-first' },
      );
      await acme.patch(`/memory/${body.memory_id}`, {
        tags: ['tea', 'blue'],
        content: 'The teapot is sky blue',
      });
      await loci.operator.patch(`/admin/tenants/${acme.slug}`, { name: 'Acme Corp' });
      const { data } = await own(acme);
      expect(data.map(({ action, target, outcome }) => [action, target, outcome])).toEqual([
        ['tenant.update', acme.id, 'done'],
        ['memory.update', body.memory_id, 'done'],
        ['memory.create', body.memory_id, 'done'],
        ['tenant.create', acme.id, 'done'],
      ]);
      const [renamed, edited, stored, made] = data;
      expect(renamed).toMatchObject({
        actor: 'operator',
        before: { name: 'Acme' },
        after: { name: 'Acme Corp' },
      });
      expect(edited).toMatchObject({ before: { tags: ['tea'] }, after: { tags: ['tea', 'blue'] } });
      expect(Object.keys(edited?.after ?? {}).sort()).toEqual(['content', 'tags']);
      expect(stored).toMatchObject({
        request_id: 'the-first',
        actor: expect.stringMatching(/^key:/) as string,
      });
      expect(made?.after).toMatchObject({ name: 'Acme', plan: expect.any(String) as string });
      expect(JSON.stringify(data)).not.toContain('teapot');
    });

    it('says of secrets at most that they were replaced', async () => {
      const acme = await loci.tenant({
        api_token: 'a-token-of-its-own-that-is-long',
        api_credentials: { k: 'hush-1' },
      });
      await loci.operator.patch(`/admin/tenants/${acme.slug}`, { api_credentials: { k: 'hush-2' } });
      await loci.operator.post(`/admin/tenants/${acme.slug}/keys`, {
        api_token: 'another-token-that-is-long',
      });
      const { data } = await own(acme);
      expect(data).toHaveLength(3);
      expect(data[1]).toMatchObject({ action: 'tenant.update', detail: { credentials: 'replaced' } });
      expect(JSON.stringify(data)).not.toMatch(/hush|token-(of|that)/);
    });

    it('is narrowed by action, actor, outcome, target and time, and read page by page', async () => {
      const acme = await loci.tenant();
      const ids: string[] = [];
      for (let n = 1; n <= 5; n++) {
        const { body } = await acme.post<{ memory_id: string }>('/memory', { content: `Cup ${n}` });
        ids.push(body.memory_id);
      }
      await acme.delete(`/memory/${ids[0]}`);
      const actions = async (query: string) => (await own(acme, query)).data.map(({ action }) => action);
      expect(await actions('?action=memory.create')).toHaveLength(5);
      expect(await actions('?action=memory.*')).toHaveLength(6);
      expect(await actions('?actor=operator')).toEqual(['tenant.create']);
      expect(await actions('?outcome=refused')).toEqual([]);
      expect(await actions(`?target=${ids[0]}`)).toEqual(['memory.delete', 'memory.create']);
      const all = (await own(acme)).data;
      const third = all[3]?.at ?? '';
      expect((await own(acme, `?from=${third}`)).data.map(({ id }) => id)).toContain(all[3]?.id);
      expect((await own(acme, `?to=${third}`)).data.map(({ id }) => id)).not.toContain(all[3]?.id);
      const paged: Shown[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: Listed = await own(acme, `?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
        expect(page.data.length).toBeLessThanOrEqual(2);
        paged.push(...page.data);
        cursor = page.next_cursor;
      }
      expect(paged).toEqual(all);
      expect((await acme.get(`${OWN}?cursor=nonsense`)).status).toBe(400);
    });

    it.each([
      ['?format=ndjson', {}],
      ['', { Accept: 'application/x-ndjson' }],
    ])('is exported whole as NDJSON, oldest first (%s %j)', async (query, headers) => {
      const acme = await loci.tenant();
      for (let n = 1; n <= 3; n++) await acme.post('/memory', { content: `Cup ${n}` });
      const response = await fetch(`${loci.url}${OWN}${query}`, {
        headers: { Authorization: `Bearer ${acme.token}`, ...headers },
      });
      expect(response.headers.get('content-type')).toContain('application/x-ndjson');
      const lines = (await response.text()).trimEnd().split('\n');
      const exported = lines.map((line) => JSON.parse(line) as Shown);
      expect(exported).toEqual((await own(acme)).data.toReversed());
    });

    it('is the tenant’s own: another’s is not in it, and a key that does not manage reads none of it', async () => {
      const [acme, other] = [await loci.tenant(), await loci.tenant()];
      await other.post('/memory', { content: 'Other' });
      expect((await own(acme)).data.map(({ action }) => action)).toEqual(['tenant.create']);
      const { body } = await loci.operator.post<{ key: string }>(`/admin/tenants/${acme.slug}/keys`, {
        scopes: ['memory'],
      });
      expect((await loci.as(body.key).get(OWN)).status).toBe(403);
      expect((await loci.operator.get(OWN)).status).toBe(403);
    });

    it('shows the operator what was done by whom, and nothing that tells of content', async () => {
      const acme = await loci.tenant();
      const { body } = await acme.post<{ memory_id: string }>('/memory', {
        content: 'Cup',
        tags: ['private'],
      });
      await acme.patch(`/memory/${body.memory_id}`, { tags: ['secret'] });
      await loci.operator.post(`/admin/tenants/${acme.slug}/suspend`, { reason: 'unpaid' });
      const reply = await loci.operator.get<Listed>(`/admin/audit?tenant=${acme.slug}`);
      const [suspended, edited] = reply.body.data;
      expect(suspended).toMatchObject({
        action: 'tenant.suspend',
        tenant_id: acme.slug,
        before: { state: 'active' },
        after: { state: 'suspended', reason: 'unpaid' },
      });
      expect(edited).toMatchObject({ action: 'memory.update', before: null, after: null, withheld: true });
      expect(JSON.stringify(reply.body)).not.toMatch(/private|secret/);
      expect((await loci.operator.get('/admin/audit?tenant=nobody')).status).toBe(404);
    });
  });

  describe('verify', () => {
    const tampered = async (sql: string): Promise<TestTenant> => {
      const acme = await loci.tenant();
      for (let n = 1; n <= 4; n++) await acme.post('/memory', { content: `Cup ${n}` });
      expect(await verified(acme)).toMatchObject({
        ok: true,
        records: 5,
        chains: [{ ok: true, problems: [] }],
      });
      await asSuperuser(loci, async (client) => {
        const { rowCount } = await client.query(sql.replaceAll('$tenant', `'${acme.id}'`));
        expect(rowCount).toBeGreaterThan(0);
      });
      return acme;
    };

    it.each([
      [
        'an edit of who did it',
        `UPDATE audit_records SET actor = 'nobody' WHERE tenant_id = $tenant AND position = 3`,
      ],
      [
        'an edit of when',
        `UPDATE audit_records SET at = at + interval '1 us' WHERE tenant_id = $tenant AND position = 3`,
      ],
      [
        'an edit of to what',
        `UPDATE audit_records SET target = NULL WHERE tenant_id = $tenant AND position = 3`,
      ],
      [
        'an edit of the details',
        `UPDATE audit_records SET detail = '\\x00' WHERE tenant_id = $tenant AND position = 3`,
      ],
    ])('finds %s', async (_, sql) => {
      expect(await problems(await tampered(sql))).toEqual(['altered at 3']);
    });

    it.each([
      ['the first', 1],
      ['one between others', 3],
      ['the last', 5],
    ])('finds that %s was deleted', async (_, position) => {
      const sql = `DELETE FROM audit_records WHERE tenant_id = $tenant AND position = ${position}`;
      expect(await problems(await tampered(sql))).toEqual([`missing at ${position}`]);
    });

    it('finds that all were deleted, also where the tenant’s row was told that there were none', async () => {
      const acme = await tampered('DELETE FROM audit_records WHERE tenant_id = $tenant');
      expect(await problems(acme)).toEqual(['missing at 1']);
      await asSuperuser(loci, (client) =>
        client.query('UPDATE tenants SET audit_position = 0, audit_hash = NULL WHERE id = $1', [acme.id]),
      );
      expect(await problems(acme)).toEqual(['missing at 1']);
    });

    it('finds a reordering, of records or of where they stand', async () => {
      const places = await tampered(
        `UPDATE audit_records SET position = 7 - position WHERE tenant_id = $tenant AND position IN (3, 4)`,
      );
      expect(await problems(places)).not.toEqual([]);
      const ids = await tampered(
        `UPDATE audit_records a SET position = b.position, hash = b.hash FROM audit_records b
         WHERE a.tenant_id = $tenant AND b.tenant_id = $tenant AND a.position IN (3, 4) AND b.position = 7 - a.position`,
      );
      expect(await problems(ids)).not.toEqual([]);
    });

    it('finds a shortened chain whose end was set back, as nobody else can sign it', async () => {
      const acme = await tampered('DELETE FROM audit_records WHERE tenant_id = $tenant AND position = 5');
      await asSuperuser(loci, (client) =>
        client.query(
          `UPDATE tenants SET audit_position = 4, audit_hash = (SELECT hash FROM audit_records WHERE tenant_id = $1 AND position = 4)
           WHERE id = $1`,
          [acme.id],
        ),
      );
      expect(await problems(acme)).toEqual(['forged at 4']);
    });

    it('finds a record that was slipped in beside the ledger', async () => {
      const acme = await tampered(
        `INSERT INTO audit_records (tenant_id, action, actor) VALUES ($tenant, 'memory.create', 'key:forged')`,
      );
      expect(await problems(acme)).toEqual(['foreign at null']);
    });

    it('looks at every chain, and names those that do not hold', async () => {
      const broken = await tampered(
        `UPDATE audit_records SET actor = 'x' WHERE tenant_id = $tenant AND position = 2`,
      );
      const { body } = await loci.operator.get<Verified>('/admin/audit/verify');
      expect(body.ok).toBe(false);
      expect(body.chains_checked).toBeGreaterThan(2);
      expect(body.chains.map((chain) => chain.tenant_uuid)).toContain(broken.id);
      expect(body.chains.every((chain) => !chain.ok)).toBe(true);
    });

    it('holds while many write at once, tenants and their operator', async () => {
      const acme = await loci.tenant();
      const replies: Promise<Reply>[] = [];
      for (let n = 0; n < 20; n++) {
        replies.push(acme.post('/memory', { content: `Cup ${n}` }));
        replies.push(loci.operator.patch(`/admin/tenants/${acme.slug}`, { name: `Acme ${n}` }));
        replies.push(loci.operator.post(`/admin/tenants/${acme.slug}/keys`, { scopes: ['memory'] }));
      }
      const during = await verified(acme);
      for (const { status } of await Promise.all(replies)) expect([200, 201]).toContain(status);
      expect(during.ok).toBe(true);
      expect(await verified(acme)).toMatchObject({ ok: true, records: 61 });
    });

    it('holds for a tenant that was purged, whose details nobody reads any more, and goes on where it is made again', async () => {
      const acme = await loci.tenant({ id: '7a3d6a52-9a5e-4a43-9a0b-0f6f3a1d2c3b' });
      await acme.post('/memory', { content: 'Cup' });
      await loci.operator.delete(`/admin/tenants/${acme.slug}?purge=true`);
      expect(await verified(acme)).toMatchObject({ ok: true, records: 3 });
      const { body } = await loci.operator.get<Listed>(`/admin/audit?tenant=${acme.id}`);
      expect(body.data.map(({ action, withheld }) => [action, withheld])).toEqual([
        ['tenant.purge', true],
        ['memory.create', false],
        ['tenant.create', true],
      ]);
      await loci.tenant({ id: acme.id });
      expect(await verified(acme)).toMatchObject({ ok: true, records: 4 });
      await asSuperuser(loci, (client) =>
        client.query('DELETE FROM audit_records WHERE tenant_id = $1 AND position = 3', [acme.id]),
      );
      expect(await problems(acme)).toEqual(['missing at 3']);
    });
  });
});
