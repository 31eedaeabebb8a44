import { randomUUID } from 'node:crypto';
import { Description, DescribedCaller } from '../support/described.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';

interface Key {
  id: string;
  key: string;
  key_prefix: string;
  scopes: string[];
  workspace_id: string | null;
  is_active: boolean;
}

describe('the keys of a workspace', () => {
  let loci: Loci;
  let operator: DescribedCaller;
  let description: Description;
  let acme: TestTenant;
  let admin: DescribedCaller;
  let sibling: string;

  const as = (token: string): DescribedCaller => new DescribedCaller(() => loci.url, token, description);
  const keysOf = (workspace: string): string => `/v1/workspaces/${workspace}/api-keys`;
  const make = (by: DescribedCaller, order: object = {}, workspace = acme.workspaceId) =>
    by.post<Key>(keysOf(workspace), order);
  const statusOf = async (key: string): Promise<number> => (await as(key).get('/v1/tenants/current')).status;

  async function addWorkspace(): Promise<string> {
    const slug = `ws-${randomUUID().slice(0, 8)}`;
    const { body } = await admin.post<{ id: string }>('/v1/workspaces', { name: slug, slug });
    return body.id;
  }

  beforeAll(async () => {
    loci = await Loci.start();
    description = await Description.of(loci);
    operator = as(loci.operator.token);
    acme = await loci.tenant();
    admin = as(acme.token);
    sibling = await addWorkspace();
  });
  afterAll(() => loci.stop());

  it('are made by a key that manages, shown once, and listed by their prefix', async () => {
    const expires_at = new Date(Date.now() + 86_400_000).toISOString();
    const made = await make(admin, {
      name: 'Production',
      scopes: ['chat', 'search'],
      rate_limit_per_minute: 60,
      environment: 'test',
      role: 'tenant_user',
      expires_at,
    });
    expect(made).toMatchObject({
      status: 201,
      body: {
        name: 'Production',
        workspace_id: acme.workspaceId,
        scopes: ['chat', 'search'],
        rate_limit_per_minute: 60,
        environment: 'test',
        role: 'tenant_user',
        is_active: true,
        last_used_at: null,
        expires_at,
      },
    });
    const { key, ...shown } = made.body;
    expect(key).toMatch(/^loci_test_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
    expect(key.startsWith(shown.key_prefix)).toBe(true);
    const list = await admin.get<{ data: Key[] }>(keysOf(acme.workspaceId));
    expect(list.body.data[0]).toEqual(shown);
    expect(JSON.stringify(list.body)).not.toContain(key);
    expect((await as(key).get<{ scopes: string[] }>('/v1/tenants/current')).body.scopes).toEqual([
      'search',
      'chat',
    ]);
  });

  it('are kept as a hash alone', async () => {
    const { body } = await make(admin, {}, sibling);
    const secret = body.key.slice(body.key_prefix.length + 1);
    expect(await statusOf(body.key)).toBe(200);
    await asSuperuser(loci, async (client) => {
      const tables = await client.query<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
      );
      expect(tables.rows.length).toBeGreaterThan(10);
      for (const { name } of tables.rows) {
        const found = await client.query(
          `SELECT 1 FROM ${name} t WHERE position($1 IN t::text) > 0 OR position(encode($1::bytea, 'hex') IN t::text) > 0`,
          [secret],
        );
        expect([name, found.rowCount]).toEqual([name, 0]);
      }
    });
  });

  it('come in pages, newest first', async () => {
    const workspace = await addWorkspace();
    const names = ['1', '2', '3', '4', '5'];
    for (const name of names) await make(admin, { name }, workspace);
    const seen: unknown[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const at: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = await admin.get<{ data: { name: string }[]; next_cursor: string | null }>(
        `${keysOf(workspace)}?limit=2${at}`,
      );
      seen.push(page.body.data.map(({ name }) => name));
      cursor = page.body.next_cursor;
    }
    expect(seen).toEqual([['5', '4'], ['3', '2'], ['1']]);
  });

  it('reach the whole tenant only where they manage, and are then at home in its default workspace', async () => {
    const whole = await make(admin, { scopes: ['manage', 'memory'] });
    expect(whole).toMatchObject({ status: 201, body: { workspace_id: null } });
    expect((await as(whole.body.key).get(keysOf(sibling))).status).toBe(200);
    expect(await make(admin, { scopes: ['manage'] }, sibling)).toMatchObject({
      status: 400,
      body: { errors: [{ location: 'body.scopes' }] },
    });
    const bound = await make(admin);
    expect(bound.body).toMatchObject({ workspace_id: acme.workspaceId });
    expect(bound.body.scopes).not.toContain('manage');
    const ids = async (workspace: string) =>
      (await admin.get<{ data: Key[] }>(`${keysOf(workspace)}?limit=200`)).body.data.map(({ id }) => id);
    expect(await ids(acme.workspaceId)).toContain(whole.body.id);
    expect(await ids(sibling)).not.toContain(whole.body.id);
  });

  describe('never do more than who makes them', () => {
    const denied = { status: 403, body: { code: 'auth.forbidden' } };

    it('in scopes', async () => {
      const limited = as((await make(admin, { scopes: ['manage', 'memory:read'] })).body.key);
      expect(await make(limited, { scopes: ['memory:read', 'chat'] })).toMatchObject(denied);
      expect(await make(limited, { scopes: ['memory'] })).toMatchObject(denied);
      expect((await make(limited, { role: 'tenant_admin' })).body.scopes).toEqual(['memory:read']);
      const onlyManages = as((await make(admin, { scopes: ['manage'] })).body.key);
      expect(await make(onlyManages)).toMatchObject({ status: 400 });
      const strong = await make(admin, { scopes: ['chat'] });
      const rotate = `${keysOf(acme.workspaceId)}/${strong.body.id}/rotate`;
      expect(await limited.post(rotate)).toMatchObject(denied);
      expect(await statusOf(strong.body.key)).toBe(200);
    });

    it('in rate, nor in time', async () => {
      const expires_at = new Date(Date.now() + 3_600_000).toISOString();
      const limited = as(
        (await make(admin, { scopes: ['manage', 'search'], rate_limit_per_minute: 50, expires_at })).body.key,
      );
      expect((await make(limited)).body).toMatchObject({ rate_limit_per_minute: 50, expires_at });
      expect(await make(limited, { rate_limit_per_minute: 51 })).toMatchObject(denied);
      const later = new Date(Date.now() + 7_200_000).toISOString();
      expect(await make(limited, { expires_at: later })).toMatchObject(denied);
      const free = await make(admin, { scopes: ['search'] });
      expect(await limited.post(`${keysOf(acme.workspaceId)}/${free.body.id}/rotate`)).toMatchObject(denied);
    });

    it('nor are they made at all without manage', async () => {
      const { key } = (await make(admin)).body;
      for (const workspace of [acme.workspaceId, sibling, randomUUID()]) {
        expect(await make(as(key), {}, workspace)).toMatchObject(denied);
        expect(await as(key).get(keysOf(workspace))).toMatchObject(denied);
      }
    });
  });

  it('are not seen, ended or rotated by way of a sibling workspace or of another tenant', async () => {
    const { body: key } = await make(admin, {}, sibling);
    const other = await loci.tenant();
    const missing = { status: 404, body: { code: 'key.not_found' } };
    for (const [by, workspace] of [
      [admin, acme.workspaceId],
      [as(other.token), other.workspaceId],
    ] as const) {
      expect(await by.delete(`${keysOf(workspace)}/${key.id}`)).toMatchObject(missing);
      expect(await by.post(`${keysOf(workspace)}/${key.id}/rotate`)).toMatchObject(missing);
    }
    expect(await as(other.token).get(keysOf(sibling))).toMatchObject({
      status: 404,
      body: { code: 'workspace.not_found' },
    });
    expect(await statusOf(key.key)).toBe(200);
    expect((await admin.delete(`${keysOf(sibling)}/${key.id}`)).body).toEqual({
      id: key.id,
      is_active: false,
    });
    expect(await statusOf(key.key)).toBe(401);
    expect((await admin.delete(`${keysOf(sibling)}/${key.id}`)).status).toBe(200);
  });

  describe('that are rotated', () => {
    interface Rotated extends Key {
      replaces: { id: string; valid_until: string };
    }
    const rotate = (id: string, order: object = {}, headers: Record<string, string> = {}) =>
      admin.post<Rotated>(`${keysOf(acme.workspaceId)}/${id}/rotate`, order, headers);

    it('go on for the overlap beside the one that took over, which may do the same', async () => {
      const { body: old } = await make(admin, {
        name: 'App',
        scopes: ['search'],
        rate_limit_per_minute: 7_000,
      });
      const rotated = await rotate(old.id, { overlap_seconds: 5 });
      expect(rotated).toMatchObject({
        status: 201,
        body: { name: 'App', scopes: ['search'], rate_limit_per_minute: 7_000, replaces: { id: old.id } },
      });
      expect(rotated.body.key).not.toBe(old.key);
      expect([await statusOf(old.key), await statusOf(rotated.body.key)]).toEqual([200, 200]);
      const until = Date.parse(rotated.body.replaces.valid_until);
      let status = 200;
      while (status === 200 && Date.now() < until + 5_000) {
        await new Promise((resume) => setTimeout(resume, 50));
        status = await statusOf(old.key);
      }
      expect(status).toBe(401);
      expect(Date.now()).toBeGreaterThanOrEqual(until - 1_000);
      expect(await statusOf(rotated.body.key)).toBe(200);
    });

    it('end at once without an overlap, or when they are revoked within it', async () => {
      const { body: first } = await make(admin);
      expect((await rotate(first.id)).status).toBe(201);
      expect(await statusOf(first.key)).toBe(401);
      const { body: second } = await make(admin);
      await rotate(second.id, { overlap_seconds: 3_600 });
      expect(await statusOf(second.key)).toBe(200);
      await admin.delete(`${keysOf(acme.workspaceId)}/${second.id}`);
      expect(await statusOf(second.key)).toBe(401);
    });

    it('are rotated once, and not after their end', async () => {
      const { body: key } = await make(admin);
      const both = await Promise.all([1, 2].map(() => rotate(key.id, { overlap_seconds: 60 })));
      expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
      expect(await rotate(key.id)).toMatchObject({ status: 409, body: { code: 'key.rotated' } });
      const { body: ended } = await make(admin);
      await admin.delete(`${keysOf(acme.workspaceId)}/${ended.id}`);
      expect(await rotate(ended.id)).toMatchObject({ status: 404, body: { code: 'key.not_found' } });
    });

    it('give the same answer again for the same Idempotency-Key, without the key', async () => {
      const { body: old } = await make(admin);
      const once = { 'Idempotency-Key': randomUUID() };
      const first = await rotate(old.id, { overlap_seconds: 60 }, once);
      const again = await rotate(old.id, { overlap_seconds: 60 }, once);
      const { key, ...rest } = first.body;
      expect(key).toMatch(/^loci_live_/);
      expect(again.body).toEqual(rest);
    });
  });

  it('are managed by the operator too, who names the workspace by its UUID', async () => {
    const made = await make(operator, { name: 'By the operator' }, sibling);
    expect(made).toMatchObject({ status: 201, body: { workspace_id: sibling } });
    expect(await statusOf(made.body.key)).toBe(200);
    const list = await operator.get<{ data: Key[] }>(keysOf(sibling));
    expect(list.body.data.map(({ id }) => id)).toContain(made.body.id);
    const rotated = await operator.post<Key>(`${keysOf(sibling)}/${made.body.id}/rotate`);
    expect(rotated.status).toBe(201);
    expect((await operator.delete(`${keysOf(sibling)}/${rotated.body.id}`)).status).toBe(200);
    expect(await statusOf(rotated.body.key)).toBe(401);
    const slug = { 'X-Tenant-ID': acme.slug };
    expect((await operator.get(keysOf('default'), slug)).status).toBe(200);
    expect((await operator.get(keysOf('default'))).status).toBe(404);
    expect((await operator.get(keysOf(randomUUID()))).status).toBe(404);
  });

  it('of a tenant are rotated by its operator, also while it is suspended', async () => {
    const tenant = await loci.tenant();
    const at = `/admin/tenants/${tenant.slug}/keys`;
    const { body: old } = await operator.post<Key>(at, { api_token: `an-old-token-${tenant.slug}` });
    await operator.post(`/admin/tenants/${tenant.slug}/suspend`);
    const rotated = await operator.post<Key>(`${at}/${old.id}/rotate`, { overlap_seconds: 3_600 });
    expect(rotated.status).toBe(201);
    await operator.post(`/admin/tenants/${tenant.slug}/resume`);
    expect([await statusOf(old.key), await statusOf(rotated.body.key)]).toEqual([200, 200]);
  });

  it('are refused as tokens to bring along where they are mistyped', async () => {
    const { key } = (await make(admin)).body;
    const mistyped = key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a');
    expect(await operator.post(`/admin/tenants/${acme.slug}/keys`, { api_token: mistyped })).toMatchObject({
      status: 400,
      body: { errors: [{ location: 'body.api_token' }] },
    });
  });

  it('leave a record of who made, rotated and revoked them', async () => {
    const workspace = await addWorkspace();
    const { body: own } = await make(admin, {}, workspace);
    await admin.post(`${keysOf(workspace)}/${own.id}/rotate`);
    const { body: operators } = await make(operator, {}, workspace);
    await operator.delete(`${keysOf(workspace)}/${operators.id}`);
    const records = await asSuperuser(loci, (client) =>
      client.query<{ action: string; actor: string; detail: Buffer | null }>(
        `SELECT action, actor, detail FROM audit_records WHERE tenant_id = $1 AND target = ANY($2) ORDER BY id`,
        [acme.id, [own.id, operators.id]],
      ),
    );
    const byKey = expect.stringMatching(/^key:/) as string;
    expect(records.rows.map(({ action, actor }) => [action, actor])).toEqual([
      ['key.create', byKey],
      ['key.rotate', byKey],
      ['key.create', 'operator'],
      ['key.revoke', 'operator'],
    ]);
    expect(records.rows.every(({ detail }) => detail !== null)).toBe(true);
  });

  it('tell when they were last used, a little later', async () => {
    const workspace = await addWorkspace();
    const { body: key } = await make(admin, {}, workspace);
    await make(admin, { name: 'Unused' }, workspace);
    const usedAt = Date.now();
    expect(await statusOf(key.key)).toBe(200);
    const read = async () =>
      (await admin.get<{ data: { last_used_at: string | null }[] }>(keysOf(workspace))).body.data.map(
        ({ last_used_at }) => last_used_at,
      );
    let [unused, used] = await read();
    for (const deadline = Date.now() + 20_000; used === null && Date.now() < deadline;) {
      await new Promise((resume) => setTimeout(resume, 100));
      [unused, used] = await read();
    }
    expect(unused).toBeNull();
    expect(Math.abs(Date.parse(used ?? '') - usedAt)).toBeLessThan(60_000);
  });
});
