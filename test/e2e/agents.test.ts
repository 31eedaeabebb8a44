import { randomBytes, randomUUID } from 'node:crypto';
import { systemCause } from '../../src/ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../src/ledger/ledger.js';
import { AGENT_DEFAULTS, type NewAgent } from '../../src/modules/agents/agent.js';
import type { AgentScope, AgentViewer } from '../../src/modules/agents/agent-access.js';
import { agentPage, oneAgent, type AgentQuery } from '../../src/modules/agents/agent-queries.js';
import { AgentsService } from '../../src/modules/agents/agents.service.js';
import type { Tenant } from '../../src/tenancy/principal.js';
import { Description, DescribedCaller } from '../support/described.js';
import { ADMIN_TOKEN, Loci, type TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';
import { tenantOf } from '../isolation/two-palaces.js';
import { workspaceKey } from '../isolation/strangers.js';

interface Agent {
  id: string;
  slug: string;
  workspace_id: string;
  is_public: boolean;
}
interface Listed {
  data: Agent[];
  next_cursor: string | null;
}

const word = (): string => `a${randomBytes(4).toString('hex')}`;
const AGENTS = '/v1/workspaces/default/agents';

describe('agents', () => {
  let loci: Loci;
  let description: Description;
  let operator: DescribedCaller;
  beforeAll(async () => {
    loci = await Loci.start();
    description = await Description.of(loci);
    operator = new DescribedCaller(() => loci.url, ADMIN_TOKEN, description);
  });
  afterAll(() => loci.stop());

  const described = (token: string): DescribedCaller =>
    new DescribedCaller(() => loci.url, token, description);
  async function acmeOf(order: Record<string, unknown> = {}): Promise<TestTenant & DescribedCaller> {
    const tenant = await loci.tenant(order);
    const { slug, id, workspaceId } = tenant;
    return Object.assign(described(tenant.token), { slug, id, workspaceId });
  }
  async function make(owner: DescribedCaller, fields: object = {}, at = AGENTS): Promise<Agent> {
    const slug = word();
    const { status, body } = await owner.post<Agent>(at, { name: slug, slug, ...fields });
    expect(status).toBe(201);
    return body;
  }
  const slugs = ({ data }: Listed): string[] => data.map(({ slug }) => slug);

  it('are made, shown by slug and by UUID, changed, listed and deleted', async () => {
    const acme = await acmeOf();
    const order = {
      name: 'Support Bot',
      slug: 'support-bot',
      description: 'Helpful support agent',
      system_prompt: 'You are a helpful support agent...',
      model_provider: 'openai',
      model_name: 'gpt-4',
      temperature: 0.7,
      enabled_tools: ['vector_search', 'hybrid_search'],
      tool_config: { top_k: 5 },
    };
    const made = await acme.post<Agent>(AGENTS, order);
    expect(made).toMatchObject({
      status: 201,
      body: {
        ...order,
        workspace_id: acme.workspaceId,
        agent_type: 'custom',
        owner_id: null,
        is_public: true,
        is_active: true,
        status: 'active',
        is_default: false,
        template: null,
      },
    });
    for (const name of ['support-bot', 'Support-Bot', made.body.id, made.body.id.toUpperCase()]) {
      expect((await acme.get(`${AGENTS}/${name}`)).body).toEqual(made.body);
    }
    const change = { name: 'Updated Name', temperature: 0.8, is_active: false, description: null };
    expect((await acme.patch(`${AGENTS}/support-bot`, change)).body).toMatchObject({
      ...order,
      ...change,
      status: 'inactive',
    });
    expect(slugs((await acme.get<Listed>(AGENTS)).body)).toEqual(['support-bot', 'default']);
    expect((await acme.delete(`${AGENTS}/${made.body.id}`)).body).toEqual({
      id: made.body.id,
      slug: 'support-bot',
      status: 'deleted',
    });
    expect((await acme.get(`${AGENTS}/${made.body.id}`)).status).toBe(404);
    expect((await acme.delete(`${AGENTS}/support-bot`)).status).toBe(404);
    expect((await acme.patch(`${AGENTS}/support-bot`, { name: 'Back' })).status).toBe(404);
    expect(slugs((await acme.get<Listed>(AGENTS)).body)).toEqual(['default']);
  });

  it('are deleted softly: the row stays, and the slug is free again', async () => {
    const acme = await acmeOf();
    const first = await make(acme, { slug: 'again' });
    await acme.delete(`${AGENTS}/again`);
    const second = await make(acme, { slug: 'again' });
    expect(second.id).not.toBe(first.id);
    await asSuperuser(loci, async (client) => {
      const { rows } = await client.query(
        `SELECT id, deleted_at IS NOT NULL AS deleted, is_active FROM agents WHERE tenant_id = $1 AND slug = 'again'
         ORDER BY created_at`,
        [acme.id],
      );
      expect(rows).toEqual([
        { id: first.id, deleted: true, is_active: false },
        { id: second.id, deleted: false, is_active: true },
      ]);
    });
  });

  it('have slugs of their own in their workspace, and share them with other workspaces', async () => {
    const acme = await acmeOf();
    await acme.post('/v1/workspaces', { name: 'Docs', slug: 'docs' });
    await make(acme, { slug: 'twin' });
    await make(acme, { slug: 'twin' }, '/v1/workspaces/docs/agents');
    const taken = { status: 409, body: { code: 'agent.slug_taken' } };
    expect(await acme.post(AGENTS, { name: 'Twin', slug: 'twin' })).toMatchObject(taken);
    expect(await acme.patch(`${AGENTS}/twin`, { slug: 'default' })).toMatchObject(taken);
    expect((await acme.patch(`${AGENTS}/twin`, { slug: 'single' })).status).toBe(200);
  });

  it.each([
    ['temperature', 2.1],
    ['temperature', -0.1],
    ['enabled_tools', ['rm_rf']],
    ['agent_type', 'Two Words'],
    ['slug', randomUUID()],
    ['tool_config', []],
    ['is_public', 'yes'],
    ['system_prompt', 'x'.repeat(32_769)],
    ['colour', 'blue'],
  ])('are refused with a bad %s', async (field, value) => {
    const acme = await acmeOf();
    const order = { name: 'Bad', slug: 'bad', [field]: value };
    const { status, body } = await acme.post<{ errors: { location: string }[] }>(AGENTS, order);
    expect([status, body.errors[0]?.location.replace(/\[.*/, '')]).toEqual([400, `body.${field}`]);
  });

  it('keep a temperature that is too small for the ledger as zero', async () => {
    const acme = await acmeOf();
    expect(await make(acme, { temperature: 5e-324 })).toMatchObject({ temperature: 0 });
  });

  it('are made once where the same Idempotency-Key comes twice', async () => {
    const acme = await acmeOf();
    const key = { 'Idempotency-Key': randomUUID() };
    const first = await acme.post(AGENTS, { name: 'Once', slug: 'once' }, key);
    const second = await acme.post(AGENTS, { name: 'Once', slug: 'once' }, key);
    expect([second.status, second.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(second.body).toEqual(first.body);
  });

  it('include the default one, which can be changed and not deleted', async () => {
    const acme = await acmeOf();
    expect((await acme.patch(`${AGENTS}/default`, { system_prompt: 'Be brief.' })).body).toMatchObject({
      is_default: true,
      system_prompt: 'Be brief.',
    });
    expect(await acme.delete(`${AGENTS}/default`)).toMatchObject({
      status: 422,
      body: { code: 'agent.is_default' },
    });
  });

  it('go with their workspace', async () => {
    const acme = await acmeOf();
    await acme.post('/v1/workspaces', { name: 'Doomed', slug: 'doomed' });
    await make(acme, {}, '/v1/workspaces/doomed/agents');
    expect((await acme.delete('/v1/workspaces/doomed')).body).toMatchObject({ removed: { agents: 1 } });
    expect(slugs((await acme.get<Listed>('/v1/agents')).body)).toEqual(['default']);
  });

  describe('from templates', () => {
    it('are made of at least four, whose prompts speak for themselves', async () => {
      const acme = await acmeOf();
      const { body } = await acme.get<{ data: { id: string; system_prompt: string }[] }>(
        '/v1/agent-templates',
      );
      expect(body.data.map(({ id }) => id)).toEqual(
        expect.arrayContaining(['support', 'documentation-expert', 'research-analyst', 'sales-assistant']),
      );
      for (const template of body.data) {
        const made = await acme.post(`${AGENTS}/from-template`, { template: template.id });
        expect(made).toMatchObject({
          status: 201,
          body: { ...template, id: expect.any(String) as string, slug: template.id, template: template.id },
        });
      }
    });

    it('take what the caller gives before what the template says', async () => {
      const acme = await acmeOf();
      const own = { name: 'Maria', slug: 'maria', temperature: 1.5, is_public: false };
      const made = await acme.post(`${AGENTS}/from-template`, { template: 'support', ...own });
      expect(made).toMatchObject({ status: 201, body: { ...own, agent_type: 'customer_service' } });
      expect(await acme.post(`${AGENTS}/from-template`, { template: 'lawyer' })).toMatchObject({
        status: 400,
        body: { errors: [{ location: 'body.template' }] },
      });
    });
  });

  describe('in the access matrix', () => {
    const ANNA: AgentViewer = { member: 'anna', isAdmin: false, makesOwn: true };
    const BEN: AgentViewer = { member: 'ben', isAdmin: false, makesOwn: true };
    const VIEWER: AgentViewer = { member: 'vera', isAdmin: false, makesOwn: false };
    const KEY: AgentViewer = { member: null, isAdmin: false, makesOwn: false };
    const ADMIN: AgentViewer = { member: 'ada', isAdmin: true, makesOwn: true };

    let service: AgentsService;
    let acme: TestTenant;
    let tenant: Tenant;
    beforeAll(async () => {
      service = loci.server.app.get(AgentsService);
      acme = await acmeOf();
      tenant = await tenantOf(loci, acme);
      await put(ANNA, { slug: 'anna-public' });
      await put(ANNA, { slug: 'anna-private', isPublic: false });
      await put(ANNA, { slug: 'anna-inactive', isActive: false });
      await put(ADMIN, { slug: 'house-public', owner: null });
      await put(ADMIN, { slug: 'house-private', owner: null, isPublic: false });
    });

    const put = (viewer: AgentViewer, fields: Partial<NewAgent> & { slug: string }, of = tenant) =>
      service.create(
        of,
        of.defaultWorkspace,
        viewer,
        randomUUID(),
        { ...AGENT_DEFAULTS, name: fields.slug, owner: viewer.member, isPublic: null, ...fields },
        systemCause('test'),
      );
    const seen = async (viewer: AgentViewer, scope: AgentScope, of = tenant): Promise<string[]> => {
      const query = { scope, workspace: null, type: null, limit: 100, after: null };
      const { agents } = await service.list(of, WHOLE_TENANT, viewer, query);
      return agents.map(({ slug }) => slug).sort();
    };
    const outcome = (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'done',
        (error: { code?: string }) => String(error.code),
      );

    it.each<[string, AgentViewer, AgentScope, string[]]>([
      ['the owner', ANNA, 'own', ['anna-inactive', 'anna-private', 'anna-public']],
      ['the owner', ANNA, 'public', ['anna-public', 'default', 'house-public']],
      ['the owner', ANNA, 'all', ['anna-inactive', 'anna-private', 'anna-public', 'default', 'house-public']],
      ['another member', BEN, 'own', []],
      ['another member', BEN, 'all', ['anna-public', 'default', 'house-public']],
      ['a key', KEY, 'own', []],
      ['a key', KEY, 'all', ['anna-public', 'default', 'house-public']],
      [
        'an admin',
        ADMIN,
        'all',
        ['anna-inactive', 'anna-private', 'anna-public', 'default', 'house-private', 'house-public'],
      ],
      ['an admin', ADMIN, 'public', ['anna-inactive', 'anna-public', 'default', 'house-public']],
    ])('%s sees what is for it, %j, of %s', async (_who, viewer, scope, expected) => {
      expect(await seen(viewer, scope)).toEqual(expected);
    });

    it('shows one by one what it lists, and nothing else', async () => {
      const all = [
        'anna-inactive',
        'anna-private',
        'anna-public',
        'default',
        'house-private',
        'house-public',
      ];
      for (const viewer of [ANNA, BEN, VIEWER, KEY, ADMIN]) {
        const listed = await seen(viewer, 'all');
        for (const slug of all) {
          const answer = await outcome(service.get(tenant, tenant.defaultWorkspace, viewer, slug));
          expect([slug, answer]).toEqual([slug, listed.includes(slug) ? 'done' : 'agent.not_found']);
        }
      }
    });

    it('lets the owner and admins edit and delete, and tells others no more than they see', async () => {
      const edit = (viewer: AgentViewer, slug: string) =>
        outcome(
          service.change(
            tenant,
            tenant.defaultWorkspace,
            viewer,
            slug,
            { description: word() },
            systemCause('test'),
          ),
        );
      const remove = (viewer: AgentViewer, slug: string) =>
        outcome(service.remove(tenant, tenant.defaultWorkspace, viewer, slug, systemCause('test')));
      for (const act of [edit, remove]) {
        await put(ANNA, { slug: 'open' });
        await put(ANNA, { slug: 'closed', isPublic: false });
        for (const viewer of [BEN, VIEWER, KEY]) {
          expect(await act(viewer, 'open')).toBe('auth.forbidden');
          expect(await act(viewer, 'closed')).toBe('agent.not_found');
        }
        expect(await act(ANNA, 'open')).toBe('done');
        expect(await act(ADMIN, 'closed')).toBe('done');
        if (act === edit) {
          await remove(ANNA, 'open');
          await remove(ANNA, 'closed');
        }
      }
    });

    it('lets users make their own, admins anybody’s, and viewers and plain keys none', async () => {
      const make = (viewer: AgentViewer, owner: string | null) =>
        outcome(put(viewer, { slug: word(), owner, isPublic: false }));
      expect(await make(BEN, 'ben')).toBe('done');
      expect(await make(BEN, 'anna')).toBe('auth.forbidden');
      expect(await make(BEN, null)).toBe('auth.forbidden');
      expect(await make(ADMIN, 'ben')).toBe('done');
      expect(await make(VIEWER, 'vera')).toBe('auth.forbidden');
      expect(await make(KEY, null)).toBe('auth.forbidden');
      const own = await put(BEN, { slug: 'bens', isPublic: false });
      const give = (viewer: AgentViewer) =>
        outcome(
          service.change(
            tenant,
            tenant.defaultWorkspace,
            viewer,
            own.id,
            { owner: 'anna' },
            systemCause('test'),
          ),
        );
      expect(await give(BEN)).toBe('auth.forbidden');
      expect(await give(ADMIN)).toBe('done');
      expect(await give(BEN)).toBe('agent.not_found');
    });

    it('ends at the tenant: another’s public agents are not found', async () => {
      const other = await acmeOf();
      const { id } = await service.get(tenant, tenant.defaultWorkspace, ADMIN, 'anna-public');
      expect(slugs((await other.get<Listed>('/v1/agents?scope=public')).body)).toEqual(['default']);
      for (const path of [`${AGENTS}/${id}`, `/v1/workspaces/${acme.workspaceId}/agents/${id}`]) {
        expect((await other.get(path)).status).toBe(404);
        expect((await other.patch(path, { name: 'Mine' })).status).toBe(404);
        expect((await other.delete(path)).status).toBe(404);
      }
    });

    it('is what keys meet over HTTP', async () => {
      const here = await acmeOf();
      await make(here, { slug: 'shown' });
      await make(here, { slug: 'hidden', is_public: false });
      const key = described((await workspaceKey(loci, here, here.workspaceId)).token);
      expect(slugs((await key.get<Listed>(AGENTS)).body)).toEqual(['shown', 'default']);
      expect((await key.get(`${AGENTS}/shown`)).status).toBe(200);
      expect((await key.get(`${AGENTS}/hidden`)).status).toBe(404);
      const refused = { status: 403, body: { code: 'auth.forbidden' } };
      expect(await key.patch(`${AGENTS}/shown`, { name: 'Mine' })).toMatchObject(refused);
      expect(await key.delete(`${AGENTS}/shown`)).toMatchObject(refused);
      expect(await key.post(AGENTS, { name: 'Mine', slug: 'mine' })).toMatchObject(refused);
      expect((await key.patch(`${AGENTS}/hidden`, { name: 'Mine' })).status).toBe(404);
    });
  });

  it('are what their owners and other members make of them, over HTTP', async () => {
    const acme = await acmeOf();
    const as = async (role: string): Promise<DescribedCaller & { id: string }> => {
      const member = { email: `${word()}@acme.example`, role };
      const { id } = (await loci.as(acme.token).post<{ id: string }>('/v1/tenants/current/members', member))
        .body;
      const order = { member_id: id };
      const { body } = await loci.as(acme.token).post<{ token: string }>('/v1/tenants/current/tokens', order);
      return Object.assign(described(body.token), { id });
    };
    const [anna, ben, vera, ada] = [
      await as('tenant_user'),
      await as('tenant_user'),
      await as('tenant_viewer'),
      await as('tenant_admin'),
    ];
    const made = await anna.post<Agent>(AGENTS, { name: 'Hers', slug: 'hers' });
    expect(made).toMatchObject({ status: 201, body: { owner_id: anna.id, is_public: true } });
    await make(anna, { slug: 'secret', is_public: false });
    for (const other of [ben, vera]) {
      expect(slugs((await other.get<Listed>('/v1/agents')).body)).toEqual(['hers', 'default']);
      expect((await other.get(`${AGENTS}/hers`)).status).toBe(200);
      expect((await other.patch(`${AGENTS}/hers`, { name: 'Mine' })).status).toBe(403);
      expect((await other.delete(`${AGENTS}/hers`)).status).toBe(403);
      for (const method of ['GET', 'PATCH', 'DELETE'])
        expect(
          (await other.call(method, `${AGENTS}/secret`, method === 'PATCH' ? { name: 'Mine' } : undefined))
            .status,
        ).toBe(404);
    }
    expect((await vera.post(AGENTS, { name: 'X', slug: 'x' })).status).toBe(403);
    expect((await ben.post(AGENTS, { name: 'X', slug: 'x', owner_id: anna.id })).status).toBe(403);
    expect(slugs((await anna.get<Listed>('/v1/agents?scope=own')).body)).toEqual(['secret', 'hers']);
    expect((await anna.patch(`${AGENTS}/secret`, { name: 'Still hers' })).status).toBe(200);
    expect((await ada.patch(`${AGENTS}/secret`, { owner_id: ben.id })).status).toBe(200);
    expect((await anna.get(`${AGENTS}/secret`)).status).toBe(404);
    expect((await ben.delete(`${AGENTS}/secret`)).status).toBe(200);
    expect((await ada.delete(`${AGENTS}/hers`)).status).toBe(200);
  });

  it('are listed over the workspaces that the caller sees, in pages, by type', async () => {
    const acme = await acmeOf();
    await acme.post('/v1/workspaces', { name: 'Docs', slug: 'docs' });
    const made = ['default'];
    for (let i = 0; i < 5; i++) {
      const at = i % 2 === 0 ? AGENTS : '/v1/workspaces/docs/agents';
      made.unshift((await make(acme, { agent_type: i % 2 === 0 ? 'even' : 'odd' }, at)).slug);
    }
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await acme.get<Listed>(`/v1/agents?limit=2${cursor}`);
      seen.push(...slugs(body));
      cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
    } while (cursor !== '');
    expect(seen).toEqual(made);
    expect((await acme.get<Listed>('/v1/agents?agent_type=odd')).body.data).toHaveLength(2);
    expect((await acme.get<Listed>('/v1/agents?scope=own')).body.data).toHaveLength(6);
    const docs = await acme.get<{ id: string }>('/v1/workspaces/docs');
    const key = described((await workspaceKey(loci, acme, docs.body.id)).token);
    expect((await key.get<Listed>('/v1/agents')).body.data).toHaveLength(2);
    expect((await key.get(AGENTS)).status).toBe(404);
    expect((await acme.get('/v1/agents?scope=mine')).status).toBe(400);
  });

  describe('and features', () => {
    it('are made and changed only with `custom_agents`, which every plan brings', async () => {
      for (const plan_tier of ['free', 'starter', 'pro', 'enterprise'])
        await make(await acmeOf({ plan_tier }));
      const acme = await acmeOf();
      const { slug } = await make(acme);
      const change = await operator.patch(`/admin/tenants/${acme.slug}`, { features: ['agent_sharing'] });
      expect(change.body).toMatchObject({ features: ['agent_sharing'] });
      const disabled = {
        status: 403,
        body: { code: 'feature.disabled', feature: 'custom_agents' },
      };
      expect(await acme.post(AGENTS, { name: 'X', slug: 'x' })).toMatchObject(disabled);
      expect(await acme.post(`${AGENTS}/from-template`, { template: 'support' })).toMatchObject(disabled);
      expect(await acme.patch(`${AGENTS}/${slug}`, { name: 'X' })).toMatchObject(disabled);
      expect((await acme.get(`${AGENTS}/${slug}`)).status).toBe(200);
      expect((await acme.delete(`${AGENTS}/${slug}`)).status).toBe(200);
    });

    it('are shared between members only with `agent_sharing`', async () => {
      const acme = await acmeOf({ features: ['custom_agents'] });
      const disabled = { status: 403, body: { code: 'feature.disabled', feature: 'agent_sharing' } };
      expect(await acme.post(AGENTS, { name: 'X', slug: 'x', is_public: true })).toMatchObject(disabled);
      await make(acme, { slug: 'house' });
      await make(acme, { slug: 'annas', owner_id: 'anna' });
      await make(acme, { slug: 'private', is_public: false });
      expect(await acme.patch(`${AGENTS}/private`, { is_public: true })).toMatchObject(disabled);
      const key = described((await workspaceKey(loci, acme, acme.workspaceId)).token);
      expect(slugs((await key.get<Listed>(AGENTS)).body)).toEqual(['house', 'default']);
      await operator.patch(`/admin/tenants/${acme.slug}`, { features: ['custom_agents', 'agent_sharing'] });
      expect(slugs((await key.get<Listed>(AGENTS)).body)).toEqual(['annas', 'house', 'default']);
      expect((await acme.patch(`${AGENTS}/private`, { is_public: true })).status).toBe(200);
    });
  });

  it('are managed by the operator in any workspace, on the tenant’s record', async () => {
    const acme = await acmeOf();
    const at = `/v1/workspaces/${acme.workspaceId}/agents`;
    const made = await make(operator, { slug: 'by-operator' }, at);
    expect(slugs((await operator.get<Listed>(at)).body)).toEqual(['by-operator', 'default']);
    expect((await operator.get(`${AGENTS}/by-operator`, { 'X-Tenant-ID': acme.slug })).status).toBe(200);
    expect((await operator.patch(`${at}/${made.id}`, { name: 'Y' })).status).toBe(200);
    expect((await operator.get<Listed>('/v1/agents', { 'X-Tenant-ID': acme.id })).body.data).toHaveLength(2);
    expect(await operator.get('/v1/agents')).toMatchObject({
      status: 400,
      body: { code: 'tenant.not_named' },
    });
    expect((await operator.delete(`${at}/by-operator`)).status).toBe(200);
    expect((await operator.get(`/v1/workspaces/${randomUUID()}/agents`)).status).toBe(404);
    const lines = await asSuperuser(loci, async (client) => {
      const { rows } = await client.query<{ line: string }>(
        `SELECT actor || ' ' || action AS line FROM audit_records WHERE tenant_id = $1 AND action LIKE 'agent.%' ORDER BY id`,
        [acme.id],
      );
      return rows.map(({ line }) => line);
    });
    expect(lines).toEqual(['operator agent.create', 'operator agent.update', 'operator agent.delete']);
  });

  describe('are found by an index', () => {
    let tenant: Tenant;
    beforeAll(async () => {
      const acme = await acmeOf();
      tenant = await tenantOf(loci, acme);
      const others = [await acmeOf(), await acmeOf()];
      await asSuperuser(loci, async (client) => {
        for (const { id, workspaceId } of [acme, ...others]) {
          await client.query(
            `INSERT INTO agents (tenant_id, workspace_id, id, slug, name, owner_id, agent_type, is_public, created_at)
             SELECT $1, $2, gen_random_uuid(), 's' || i, 'Many', 'member-' || i % 200, 'type_' || i % 50, i % 20 = 0,
               now() - i * interval '1 minute'
             FROM generate_series(1, 4000) i`,
            [id, workspaceId],
          );
        }
        await client.query('ANALYZE agents');
      });
    });

    const MEMBER: AgentViewer = { member: 'member-7', isAdmin: false, makesOwn: true };
    const KEY: AgentViewer = { member: null, isAdmin: false, makesOwn: false };
    const ADMIN: AgentViewer = { member: null, isAdmin: true, makesOwn: true };
    const plan = async ({ sql, values }: { sql: string; values: unknown[] }): Promise<string> => {
      const rows = await loci.server.app
        .get(Ledger)
        .readRows<{ 'QUERY PLAN': string }>(tenant, WHOLE_TENANT, `EXPLAIN ${sql}`, values);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    };
    const query = (fields: Partial<AgentQuery>): AgentQuery => ({
      scope: 'all',
      workspace: null,
      type: null,
      limit: 50,
      after: null,
      ...fields,
    });

    it.each<[string, AgentViewer, () => Partial<AgentQuery>, RegExp]>([
      ['one member’s own', MEMBER, () => ({ scope: 'own' }), /agents_owner/],
      ['the public ones', MEMBER, () => ({ scope: 'public' }), /agents_public/],
      ['what a key sees', KEY, () => ({}), /agents_public/],
      ['what a member sees', MEMBER, () => ({}), /agents_(?:newest|public|owner)/],
      ['all of an admin’s', ADMIN, () => ({}), /agents_newest/],
      ['a workspace’s', ADMIN, () => ({ workspace: tenant.defaultWorkspace }), /agents_(?:workspace|newest)/],
      ['those of a type', ADMIN, () => ({ type: 'type_7' }), /agents_type/],
      [
        'a later page',
        ADMIN,
        () => ({ after: { createdAt: new Date(Date.now() - 3_600_000), id: randomUUID() } }),
        /agents_newest/,
      ],
    ])('%s', async (_what, viewer, fields, index) => {
      const explained = await plan(agentPage(tenant, viewer, query(fields())));
      expect(explained).toMatch(index);
      expect(explained).not.toMatch(/Seq Scan on agents/);
    });

    it('one by its slug, one by its UUID', async () => {
      const bySlug = await plan(oneAgent(tenant, MEMBER, tenant.defaultWorkspace, 's77'));
      expect(bySlug).toMatch(/agents_slug/);
      const byId = await plan(oneAgent(tenant, MEMBER, tenant.defaultWorkspace, randomUUID()));
      expect(byId).toMatch(/agents_pkey/);
    });
  });

  it('have answered every operation as it is described', () => {
    const operations = description
      .operations()
      .filter((name) => /\/(?:agents|agent-templates)(?:\/|$)/.test(name));
    expect(operations).toHaveLength(8);
    expect(description.unseen(operations)).toEqual([]);
  });
});
