import { randomUUID } from 'node:crypto';
import type { Caller, Loci as LociServer, Reply, TestTenant } from '../support/loci.js';
import { Loci } from '../support/loci.js';
import { declaredAccess, liveRoutes, nameOf, postsWithoutIdempotency } from '../support/live-routes.js';
import { asSuperuser } from '../support/superuser.js';
import {
  OPERATOR_ROUTES,
  PUBLIC_ROUTES,
  SHARED_ROUTES,
  TENANT_ROUTES,
  type Names,
  type Own,
  type Probe,
} from './route-table.js';
import {
  addWorkspace,
  furnish,
  ledgerOf,
  MARK,
  namesOf,
  namesOfNobody,
  workspaceKey,
  type StrangersWorkspace,
} from './strangers.js';

/** `/v1/memory/:id` is served by the entry of `/memory/:id`. */
const entryOf = (route: string): string =>
  route in TENANT_ROUTES ? route : route.replace(/^(\w+) \/v1\//, '$1 /');
const isTenantRoute = (route: string): boolean => entryOf(route) in TENANT_ROUTES;

/** The same request under `/v1`, where the live route stands there. */
function under(route: string, probe: Probe): Probe {
  const prefixed = route !== entryOf(route);
  return prefixed ? { ...probe, path: `/v1${probe.path}` } : probe;
}

const send = (caller: Caller, { method, path, body, headers }: Probe): Promise<Reply> =>
  caller.call(method, path, body, headers);

describe('the wall, seen from outside', () => {
  let loci: LociServer;
  let routes: string[];
  let acme: TestTenant;
  let acmesWorkspaceKey: Caller;
  let strangers: { other: StrangersWorkspace; sibling: StrangersWorkspace };
  /** Each name is used once, whoever sends it: what it makes in the caller's own workspace stays there. */
  let foreign: { other: Names; sibling: Names };
  let own: Own;

  beforeAll(async () => {
    loci = await Loci.start();
    routes = liveRoutes(loci.server.app).map(nameOf);
    acme = await loci.tenant();
    acmesWorkspaceKey = await workspaceKey(loci, acme, acme.workspaceId);
    const other = await loci.tenant();
    strangers = {
      other: await furnish(other, other, await addWorkspace(loci, other), { members: 20 }),
      sibling: await furnish(acme, acme, await addWorkspace(loci, acme)),
    };
    foreign = { other: namesOf(strangers.other), sibling: namesOf(strangers.sibling) };
    let contents = 0;
    const content = () => `What Acme says for the ${++contents}th time`;
    const memories = [{ content: content(), tags: ['own'] }, { content: content() }];
    const { body } = await acme.post<{ memory_ids: [string, string] }>('/memory/batch', { memories });
    own = {
      memories: body.memory_ids,
      workspace: acme.workspaceId,
      member: await viewerOf(acme),
      content,
    };
  }, 180_000);
  afterAll(() => loci.stop());

  it('is tried at every route there is, and at none that is not', () => {
    const known = [
      ...PUBLIC_ROUTES,
      ...Object.keys(OPERATOR_ROUTES),
      ...Object.keys(TENANT_ROUTES).flatMap((route) =>
        route.includes('/v1/') ? route : [route, route.replace(' /', ' /v1/')],
      ),
    ];
    expect([...routes].sort()).toEqual(known.sort());
  });

  it('takes an Idempotency-Key at every POST', () => {
    expect(postsWithoutIdempotency(loci.server.app)).toEqual([]);
  });

  it('has a declaration at every handler', () => {
    const undeclared = [...declaredAccess(loci.server.app)].filter(([, access]) => access === null);
    expect(undeclared).toEqual([]);
    expect(declaredAccess(loci.server.app).size).toBeGreaterThan(20);
  });

  describe.each([
    ['another tenant’s', 'other', 'a key of the whole tenant'],
    ['another tenant’s', 'other', 'a key of one workspace'],
    ['a sibling workspace’s', 'sibling', 'a key of one workspace'],
    ['a sibling workspace’s', 'sibling', 'a key of the whole tenant'],
  ] as const)('%s names (%s) sent with %s', (_whose, which, by) => {
    it('get the answers of names that never existed, and change nothing', async () => {
      const caller = by === 'a key of the whole tenant' ? acme : acmesWorkspaceKey;
      const before = await ledgerOf(loci, strangers[which]);
      const differences: string[] = [];
      let tried = 0;
      for (const route of routes.filter(isTenantRoute)) {
        for (const [place, request] of Object.entries(TENANT_ROUTES[entryOf(route)]?.places ?? {})) {
          if (which === 'sibling' && isOwnRight(place, by)) continue;
          const nobody = namesOfNobody();
          const foreignProbe = under(route, request(own, foreign[which]));
          const nobodysProbe = under(route, request(own, nobody));
          const told = outside(await send(caller, foreignProbe), foreignProbe);
          const expected = outside(await send(caller, nobodysProbe), nobodysProbe);
          tried++;
          if (told !== expected) differences.push(`${route}, ${place}:\n  ${told}\n  ${expected}`);
          if (told.includes(MARK)) differences.push(`${route}, ${place} tells a stranger's content`);
        }
      }
      expect(differences).toEqual([]);
      expect(tried).toBeGreaterThan(100);
      expect(await ledgerOf(loci, strangers[which])).toEqual(before);
    }, 120_000);
  });

  it('leaves the strangers’ recall whole', async () => {
    const { sibling } = strangers;
    const { body } = await acme.get<{ count: number; results: { memory: { content: string } }[] }>(
      `/recall?limit=100&query=${MARK}`,
      { 'X-Workspace-ID': sibling.workspace.slug },
    );
    expect(body.count).toBe(100);
    expect(body.results.every(({ memory }) => memory.content.startsWith(MARK))).toBe(true);
  });

  it('does not hand one workspace’s answer to another with the same Idempotency-Key', async () => {
    const sibling = await workspaceKey(loci, acme, strangers.sibling.workspace.id);
    const key = { 'Idempotency-Key': randomUUID() };
    const order = { content: 'The same words in two workspaces', tags: ['idempotent'] };
    const first = await acmesWorkspaceKey.post('/memory', order, key);
    const second = await sibling.post('/memory', order, key);
    expect(first.status).toBe(201);
    expect(second.status).toBe(201);
    expect(second.body['workspace_id']).toBe(strangers.sibling.workspace.id);
    expect(second.body['memory_id']).not.toBe(first.body['memory_id']);
    const other = await acmesWorkspaceKey.post('/memory', { content: 'Another body' }, key);
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency.conflict' } });
  });

  it('stores no item of a batch where the item did not name', async () => {
    const { workspace } = strangers.sibling;
    const item = { content: 'For the sibling', workspace_id: workspace.slug };
    const alike = await acme.post('/memory/batch', { memories: [item] });
    expect(alike).toMatchObject({ status: 201, body: { workspace_id: workspace.id } });
    const mixed = await acme.post('/memory/batch', { memories: [{ content: 'For the default' }, item] });
    expect(mixed).toMatchObject({
      status: 400,
      body: { errors: [{ location: 'body.memories[1].workspace_id' }] },
    });
    const foreign = await acmesWorkspaceKey.post('/memory/batch', { memories: [item] });
    expect(foreign).toMatchObject({ status: 404, body: { code: 'workspace.not_found' } });
  });

  it('asks for a token everywhere', async () => {
    const nobody = loci.as('');
    for (const route of routes.filter((name) => !PUBLIC_ROUTES.includes(name))) {
      const probe = isTenantRoute(route) ? under(route, plain(route)) : OPERATOR_ROUTES[route]?.(acme.slug);
      const reply = await nobody.call(probe?.method ?? '', probe?.path ?? '', probe?.body, {
        Authorization: '',
      });
      expect([route, reply.status, reply.body['code']]).toEqual([route, 401, 'auth.required']);
    }
    const metrics = await fetch(`${loci.url}/metrics`);
    expect(metrics.status).toBe(401);
  });

  it('lets no tenant’s key do an operator’s work, on any tenant', async () => {
    const { other } = strangers;
    for (const [route, request] of Object.entries(OPERATOR_ROUTES)) {
      for (const tenant of [other.tenant.slug, other.tenant.id, acme.slug, 'never-was', randomUUID()]) {
        const { status, body } = await send(acme, request(tenant));
        expect([route, status, body['code']]).toEqual([route, 403, 'auth.forbidden']);
      }
    }
    const { body } = await loci.operator.get(`/admin/tenants/${other.tenant.slug}`);
    expect(body).toMatchObject({ state: 'active', name: other.tenant.slug });
  });

  it('gives the operator no content', async () => {
    const ofContent = routes.filter((route) => isTenantRoute(route) && !SHARED_ROUTES.includes(route));
    for (const route of ofContent) {
      const { status, body } = await send(loci.operator, under(route, plain(route)));
      expect([route, status, body['code']]).toEqual([route, 403, 'operator.no_content']);
    }
  });

  it('is shut for a suspended tenant, and for a deleted one', async () => {
    const gone = await loci.tenant();
    const { body } = await gone.post<{ memory_ids: [string, string] }>('/memory/batch', {
      memories: [{ content: 'One' }, { content: 'Two' }],
    });
    const theirs: Own = {
      memories: body.memory_ids,
      workspace: gone.workspaceId,
      member: await viewerOf(gone),
      content: () => 'Three',
    };
    const answers = async (): Promise<Set<string>> => {
      const seen = new Set<string>();
      for (const route of routes.filter(isTenantRoute)) {
        const probe = TENANT_ROUTES[entryOf(route)]?.plain(theirs);
        if (probe === undefined) throw new Error(route);
        const reply = await send(gone, under(route, probe));
        seen.add(`${reply.status} ${String(reply.body['code'])}`);
      }
      return seen;
    };
    await loci.operator.post(`/admin/tenants/${gone.slug}/suspend`, { reason: 'unpaid' });
    expect([...(await answers())]).toEqual(['403 tenant.suspended']);
    await loci.operator.delete(`/admin/tenants/${gone.slug}`);
    expect([...(await answers())]).toEqual(['401 auth.invalid']);
    await loci.operator.post(`/admin/tenants/${gone.slug}/restore`);
    expect((await gone.get(`/memory/${theirs.memories[0]}`)).status).toBe(200);
  });

  it('is shut within a second for a revoked key, also where nothing was announced', async () => {
    for (const revoke of [byOperator, behindOurBack]) {
      const { body } = await loci.operator.post<{ id: string; key: string }>(
        `/admin/tenants/${acme.slug}/keys`,
      );
      const caller = loci.as(body.key);
      expect((await caller.get('/v1/tenants/current')).status).toBe(200);
      await revoke(body.id);
      const revokedAt = performance.now();
      let status = 200;
      // Asked all the while, so that the cached principal is in use until its end.
      while (status === 200 && performance.now() - revokedAt < 3_000)
        status = (await caller.get('/v1/tenants/current')).status;
      expect(status).toBe(401);
      expect(performance.now() - revokedAt).toBeLessThan(1_000);
    }
  });

  async function byOperator(id: string): Promise<void> {
    await loci.operator.delete(`/admin/tenants/${acme.slug}/keys/${id}`);
  }

  async function behindOurBack(id: string): Promise<void> {
    await asSuperuser(loci, (client) =>
      client.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [id]),
    );
  }

  function plain(route: string): Probe {
    const probe = TENANT_ROUTES[entryOf(route)]?.plain(own);
    if (probe === undefined) throw new Error(`${route} has no entry`);
    return probe;
  }
});

async function viewerOf(tenant: Caller): Promise<string> {
  const order = { email: `${randomUUID()}@own.example`, role: 'tenant_viewer' };
  return (await tenant.post<{ id: string }>('/v1/tenants/current/members', order)).body.id;
}

/** A key of the whole tenant may name every workspace of it; and its own tenant may be named by all. */
function isOwnRight(place: string, by: string): boolean {
  if (/^(?:X-Tenant-ID|tenant of)/.test(place)) return true;
  const namesWorkspace = /^(?:workspace_id|project|X-Workspace-ID|workspace of)/.test(place);
  return namesWorkspace && by === 'a key of the whole tenant';
}

const OWN_LINES = new Set(['date', 'x-request-id', 'content-length', 'ratelimit', 'retry-after']);

/** What a caller can tell from an answer, without what differs between any two: ids, times, and what it sent itself. */
function outside({ status, headers, body }: Reply, probe: Probe): string {
  const sent = new Set(JSON.stringify(probe).match(/w-[0-9a-f]{12}|ws-[0-9a-f]{8}|t\d+-[0-9a-f]{6}/g));
  let text = JSON.stringify(body);
  for (const word of sent) text = text.replaceAll(word, '<sent>');
  text = text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>')
    .replace(/"\d{4}-\d\d-\d\dT[0-9:.]+Z"/g, '"<time>"')
    .replace(/"token":"[\w.-]+"/, '"token":"<jwt>"')
    .replace(/id: \d+\\n|\\"revision\\":\d+/g, '<revision>')
    .replace(/"(took_ms|query_time_ms)":[\d.]+/g, '"$1":0')
    .replace(/Acme says for the \d+th time/g, '<own content>')
    .replace(/"(?:revision|score|importance|monthly_requests|requests)":[\d.]+/g, '"<number>"')
    // The second of two requests finds what the first made, of the caller's own.
    .replace(/"unchanged_count":\d+/g, '"unchanged_count":0');
  const lines = [...headers].filter(([name]) => !OWN_LINES.has(name)).map((pair) => pair.join(': '));
  return `${status} ${text} ${lines.join('; ')}`;
}
