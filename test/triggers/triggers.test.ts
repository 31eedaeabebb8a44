import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { asSuperuser } from '../isolation/two-palaces.js';
import { eventually, remember, revisionOf, someVector } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';

interface Told {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Somebody's server, on this machine, that the operator vouches for. */
class Listener {
  readonly told: Told[] = [];
  answer: { status: number; headers?: Record<string, string> } = { status: 204 };

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        this.told.push({ path: request.url ?? '', headers: request.headers, body });
        response.writeHead(this.answer.status, this.answer.headers).end();
      });
    });
  }

  static async start(): Promise<Listener> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Listener(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What it was told under this path, once it was told so often. */
  async heard(path: string, count = 1): Promise<{ told: Told[]; data: Record<string, unknown>[] }> {
    const told = () => this.told.filter((one) => one.path === path);
    await eventually(`${path} is told ${count} times`, () => Promise.resolve(told().length >= count));
    const data = told().map(({ body }) => (JSON.parse(body) as { data: Record<string, unknown> }).data);
    return { told: told(), data };
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

interface TriggerReply extends Record<string, unknown> {
  id: string;
  secret?: string;
}
interface DeliveriesReply extends Record<string, unknown> {
  data: Record<string, unknown>[];
  next_cursor: string | null;
}

describe('what a tenant has done when something happens', () => {
  let loci: Loci;
  let listener: Listener;
  let tenant: TestTenant;
  const path = '/v1/tenants/current/triggers';

  beforeAll(async () => {
    listener = await Listener.start();
    loci = await Loci.start({ LOCI_PRIVATE_HOSTS: '127.0.0.1' });
  }, 60_000);
  afterAll(async () => {
    await loci.stop();
    listener.stop();
  });
  beforeEach(async () => {
    tenant = await loci.tenant();
    listener.answer = { status: 204 };
  });

  async function trigger(when: object, then: object[], rest: object = {}): Promise<TriggerReply> {
    const { status, body } = await tenant.post<TriggerReply>(path, { name: 'A rule', when, then, ...rest });
    if (status !== 201) throw new Error(`No trigger: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  const hook = (name: string) => ({ webhook: { url: `${listener.url}/${name}` } });
  const store = (content: string, rest: Record<string, unknown> = {}) =>
    remember(tenant, content, { embedding: someVector(), ...rest });
  const log = async (id: string, query = '') =>
    (await tenant.get<DeliveriesReply>(`${path}/${id}/deliveries${query}`)).body;
  const memory = async (id: string) =>
    (await tenant.get<{ memory: { tags: string[] } }>(`/memory/${id}`)).body.memory;

  /** As if the time had come. */
  const hurry = (): Promise<unknown> =>
    asSuperuser(loci, (client) =>
      client.query(`UPDATE trigger_deliveries SET next_try_at = now() WHERE tenant_id = $1`, [tenant.id]),
    );

  /** Everything that was written so far has been looked at. */
  async function lookedAt(): Promise<void> {
    const reached = await revisionOf(loci, tenant);
    await eventually('the triggers have looked', async () => {
      const rows = await asSuperuser(loci, async (client) => {
        const sql = `SELECT revision FROM followers WHERE tenant_id = $1 AND name = 'triggers'`;
        return (await client.query<{ revision: string }>(sql, [tenant.id])).rows;
      });
      return Number(rows[0]?.revision ?? 0) >= reached;
    });
  }

  it('tells a webhook what was stored, signed as Standard Webhooks has it, and keeps a log of it', async () => {
    const { id, secret = '' } = await trigger({ event: 'memory.created', tags: ['Complaint'] }, [
      hook('signed'),
    ]);
    await store('All is well', { tags: ['praise'] });
    const stored = await store('The lamp is broken', { tags: ['complaint', 'lamp'] });
    const { told, data } = await listener.heard('/signed');
    expect(data).toMatchObject([
      {
        tenant_id: tenant.slug,
        workspace_id: tenant.workspaceId,
        memory_id: stored,
        trigger: { id, name: 'A rule' },
        memory: { content: 'The lamp is broken', tags: ['complaint', 'lamp'] },
      },
    ]);
    const [first] = told;
    if (first === undefined) throw new Error('Nothing was told');
    const { headers, body } = first;
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toMatchObject({
      type: 'memory.created',
    });
    expect(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>)).toThrow();
    await eventually('the log says so', async () => (await log(id, '?state=delivered')).data.length === 1);
    expect((await log(id)).data).toMatchObject([
      {
        webhook_id: headers['webhook-id'],
        item_id: stored,
        event: 'memory.created',
        attempts: 1,
        last_status: 204,
      },
    ]);
    expect(told).toHaveLength(1);
  });

  it('tells of what is changed, deleted and related, and of nothing that its rule leaves out', async () => {
    await trigger({ event: 'memory.updated', match: 'BLUE' }, [hook('updated')]);
    await trigger({ event: 'memory.deleted' }, [hook('deleted')]);
    await trigger({ event: 'relation.created', types: ['LEADS_TO'] }, [hook('related')]);
    await trigger({ event: 'memory.created', min_importance: 0.8, types: ['decision'] }, [hook('important')]);
    await trigger({ event: 'memory.created' }, [hook('off')], { is_active: false });
    const [first, second] = [await store('Red'), await store('Green')];
    await store('Important, and no decision', { importance: 0.9, type: 'Insight' });
    const decision = await store('We go', { importance: 0.8, type: 'Decision' });
    await tenant.patch(`/memory/${first}`, { content: 'Still red', embedding: someVector() });
    await lookedAt();
    await tenant.patch(`/memory/${first}`, { content: 'Now it is blue', embedding: someVector() });
    for (const type of ['RELATES_TO', 'LEADS_TO'])
      await tenant.post('/associate', { memory1_id: first, memory2_id: second, type });
    // What is told is what there is when it is told.
    await listener.heard('/related');
    await tenant.delete(`/memory/${second}`);
    expect((await listener.heard('/updated')).data).toMatchObject([{ memory_id: first }]);
    expect((await listener.heard('/related')).data).toMatchObject([
      { relation: { memory1_id: first, memory2_id: second, type: 'LEADS_TO' } },
    ]);
    expect((await listener.heard('/important')).data).toMatchObject([{ memory_id: decision }]);
    const { data } = await listener.heard('/deleted');
    expect(data).toMatchObject([{ memory_id: second }]);
    expect(data[0]).not.toHaveProperty('memory');
    expect(listener.told.filter((told) => told.path === '/off')).toEqual([]);
  });

  it('tags and relates, and what it does triggers nothing', async () => {
    const target = await store('Of lamps');
    await trigger({ event: 'memory.created', match: 'lamp' }, [
      // Tags are stored without spaces around them.
      { tag: ['lamp', ' seen '] },
      { relate: { to: target, type: 'PART_OF', strength: 0.75 } },
    ]);
    // Each would lead to the next, and so on for ever.
    await trigger({ event: 'memory.updated', tags: ['seen '] }, [{ tag: ['again'] }, hook('circle')]);
    await trigger({ event: 'relation.created' }, [hook('circle')]);
    const id = await store('A lamp in the shed', { tags: ['lamp'] });
    await eventually('it is tagged', async () => (await memory(id)).tags.length === 2);
    expect((await memory(id)).tags).toEqual(['lamp', 'seen']);
    const { body } = await tenant.get<{ related_memories: Record<string, unknown>[] }>(
      `/memories/${id}/related`,
    );
    expect(body.related_memories).toMatchObject([
      { id: target, relation_type: 'PART_OF', relation_strength: 0.75 },
    ]);
    const history = await tenant.get<{ history: unknown[] }>(`/memory/${id}/history`);
    expect(history.body.history).toMatchObject([{ memory: { tags: ['lamp'] } }]);
    // Somebody else's write is looked at, and with it what the triggers wrote before.
    await store('Something else');
    await lookedAt();
    expect((await memory(id)).tags).toEqual(['lamp', 'seen']);
    expect(listener.told.filter((told) => told.path === '/circle')).toEqual([]);
    // What a caller does to the same memory is nobody's circle.
    await tenant.patch(`/memory/${id}`, { importance: 0.9 });
    expect((await listener.heard('/circle')).data).toMatchObject([{ memory_id: id }]);
    expect((await memory(id)).tags).toEqual(['lamp', 'seen', 'again']);
  });

  it('tries again what was not taken, later and later, and gives up after the eighth time', async () => {
    listener.answer = { status: 503 };
    const { id } = await trigger({ event: 'memory.created' }, [hook('failing')]);
    await store('Nobody takes this');
    for (let attempt = 1; attempt <= 8; attempt++) {
      await listener.heard('/failing', attempt);
      await eventually('it is written down', async () => (await log(id)).data[0]?.['last_status'] === 503);
      const [delivery] = (await log(id)).data;
      if (attempt === 8) break;
      expect(delivery).toMatchObject({ state: 'waiting', attempts: attempt, last_error: 'It answered 503' });
      expect(Date.parse(String(delivery?.['next_try_at']))).toBeGreaterThan(Date.now());
      await hurry();
    }
    await eventually('it has failed', async () => (await log(id, '?state=failed')).data.length === 1);
    listener.answer = { status: 200 };
    const again = await tenant.post(`${path}/${id}/redeliver`);
    expect(again).toMatchObject({ status: 202, body: { id, count: 1 } });
    const { told } = await listener.heard('/failing', 9);
    await eventually('it is taken', async () => (await log(id, '?state=delivered')).data.length === 1);
    // Whoever takes it twice knows it by its id.
    expect(new Set(told.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    const all = await tenant.post(`${path}/${id}/redeliver`);
    expect(all.body).toMatchObject({ count: 0 });
  });

  it('follows no redirect, and reaches no address inside', async () => {
    listener.answer = { status: 307, headers: { location: `${listener.url}/inside` } };
    const { id } = await trigger({ event: 'memory.created' }, [hook('redirected')]);
    await store('Sent elsewhere');
    await listener.heard('/redirected');
    await eventually(
      'it is refused',
      async () => (await log(id)).data[0]?.['last_error'] === 'It answered 307',
    );
    expect(listener.told.filter((told) => told.path === '/inside')).toEqual([]);
    for (const url of [
      'http://example.com/x',
      'https://10.0.0.1/x',
      'https://169.254.169.254/latest',
      'https://[::1]/',
      'https://localhost/x',
      'https://user:pw@example.com/',
      'no url',
    ]) {
      const body = { name: 'In', when: { event: 'memory.created' }, then: [{ webhook: { url } }] };
      const refused = await tenant.post(path, body);
      expect([url, refused.status]).toEqual([url, 400]);
      expect(refused.body['errors']).toMatchObject([{ location: 'body.then[0].webhook.url' }]);
    }
  });

  it('is done after a restart, once, whatever happened before it', async () => {
    const { id } = await trigger({ event: 'memory.created' }, [hook('restarted'), { tag: ['marked'] }]);
    const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => store(`Number ${i}`)));
    await loci.restart();
    const { data } = await listener.heard('/restarted', 20);
    expect(data.map((one) => one['memory_id']).sort()).toEqual([...ids].sort());
    await eventually('the log says so', async () => (await log(id, '?state=delivered')).data.length === 20);
    for (const one of ids) expect((await memory(one)).tags).toEqual(['marked']);
    const page = await log(id, '?limit=15');
    const rest = await log(id, `?limit=15&cursor=${String(page.next_cursor)}`);
    expect([page.data.length, rest.data.length, rest.next_cursor]).toEqual([15, 5, null]);
    expect(new Set([...page.data, ...rest.data].map((one) => one['item_id'])).size).toBe(20);
  });

  it('minds what happens from then on: neither what was stored before it was made nor while it was off', async () => {
    await store('Before');
    const { id } = await trigger({ event: 'memory.created' }, [hook('since')]);
    const first = await store('While it is on');
    await listener.heard('/since');
    await tenant.patch(`${path}/${id}`, { is_active: false });
    await store('While it is off');
    await tenant.patch(`${path}/${id}`, { is_active: true });
    const second = await store('While it is on again');
    const { data } = await listener.heard('/since', 2);
    expect(data.map((one) => one['memory_id'])).toEqual([first, second]);
  });

  it('is made, shown, changed and removed, and its secret shown once', async () => {
    const order = {
      name: 'Tell',
      when: { event: 'memory.created', tags: ['a'] },
      then: [{ webhook: { url: `${listener.url}/crud` } }],
    };
    const key = { 'Idempotency-Key': 'one-trigger' };
    const made = await tenant.post<TriggerReply>(path, order, key);
    expect(made).toMatchObject({ status: 201, body: { ...order, is_active: true } });
    expect(made.body.secret).toMatch(/^whsec_/);
    const { secret, ...shown } = made.body;
    const replay = await tenant.post<TriggerReply>(path, order, key);
    expect([replay.status, replay.body]).toEqual([201, shown]);
    expect((await tenant.get(path)).body).toEqual({ data: [shown] });
    const renamed = await tenant.patch<TriggerReply>(`${path}/${shown.id}`, {
      name: 'Renamed',
      then: order.then,
    });
    expect(renamed.body).toMatchObject({ name: 'Renamed', when: order.when });
    expect(renamed.body).not.toHaveProperty('secret');
    const moved = await tenant.patch<TriggerReply>(`${path}/${shown.id}`, {
      then: [{ webhook: { url: `${listener.url}/elsewhere` } }],
    });
    expect(moved.body.secret).toMatch(/^whsec_/);
    expect(moved.body.secret).not.toBe(secret);
    const own = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const given = await tenant.patch(`${path}/${shown.id}`, {
      then: [{ webhook: { url: `${listener.url}/own`, secret: own } }],
    });
    expect(given.body).not.toHaveProperty('secret');
    await store('Tagged', { tags: ['a'] });
    const { told } = await listener.heard('/own');
    expect(() =>
      new Webhook(own).verify(told[0]?.body ?? '', told[0]?.headers as Record<string, string>),
    ).not.toThrow();
    const audit = await tenant.get<{ data: { action: string }[] }>(
      '/v1/tenants/current/audit?action=trigger.update',
    );
    expect(JSON.stringify(audit.body)).not.toContain(own);

    const other = await loci.tenant();
    for (const [method, at, body] of [
      ['PATCH', '', { name: 'x' }],
      ['DELETE', '', undefined],
      ['GET', '/deliveries', undefined],
      ['POST', '/redeliver', {}],
    ] as const) {
      const refused = await other.call(method, `${path}/${shown.id}${at}`, body);
      expect([method, refused.status, refused.body['code']]).toEqual([method, 404, 'trigger.not_found']);
    }
    expect((await tenant.delete(`${path}/${shown.id}`)).status).toBe(200);
    expect((await tenant.delete(`${path}/${shown.id}`)).body['code']).toBe('trigger.not_found');
    expect((await tenant.get(path)).body).toEqual({ data: [] });
  });

  it('is refused where it says what cannot be', async () => {
    const good = { name: 'x', when: { event: 'memory.created' }, then: [{ tag: ['a'] }] };
    const to = '5f0c3f3e-1f63-4a0f-9d39-0a3a3c9a8b11';
    for (const [location, wrong] of [
      ['body.then[0]', { then: [{}] }],
      ['body.then[0]', { then: [{ tag: ['a'], relate: { to } }] }],
      ['body.then', { then: [{ tag: ['a'] }, { tag: ['b'] }] }],
      ['body.then[0].relate.type', { then: [{ relate: { to, type: 'SIMILAR_TO' } }] }],
      ['body.when.event', { when: { event: 'memory.read' } }],
      ['body.when.tags', { when: { event: 'memory.deleted', tags: ['a'] }, then: [hook('x')] }],
      ['body.then', { when: { event: 'memory.deleted' } }],
      ['body.then[0].webhook.secret', { then: [{ webhook: { url: `${listener.url}/x`, secret: 'short' } }] }],
    ] as const) {
      const refused = await tenant.post(path, { ...good, ...wrong });
      expect([location, refused.status]).toEqual([location, 400]);
      expect((refused.body['errors'] as { location: string }[])[0]?.location).toBe(location);
    }
    for (let made = 0; made < 50; made++) expect((await tenant.post(path, good)).status).toBe(201);
    expect(await tenant.post(path, good)).toMatchObject({
      status: 409,
      body: { code: 'trigger.too_many', limit: 50 },
    });
  });
});
