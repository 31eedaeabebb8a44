import { cannotRun } from '../support/cannot-run.js';
import { ADMIN_TOKEN, Loci } from '../support/loci.js';
import { CurlLines } from './curl-lines.js';

const REQUIRED = process.env['LOCI_REQUIRE_SERVERS'] === '1';

/** The lines of two reference documents for tenants, workspaces, agents and keys, as they stand there. */
describe('the lines of the documents', () => {
  let loci: Loci;
  /** For document 1, whose lines name no token, and for document 4, whose lines do. */
  let first: CurlLines | null;
  let fourth: CurlLines | null;
  beforeAll(async () => {
    loci = await Loci.start();
    first = await CurlLines.with(ADMIN_TOKEN);
    fourth = await CurlLines.with(null);
    if (first !== null) return;
    if (REQUIRED) throw new Error('curl is not there');
    cannotRun('The lines of the reference documents were not run: this machine has no curl.');
  });
  afterAll(async () => {
    await first?.remove();
    await fourth?.remove();
    await loci.stop();
  });

  it('set up an organization with workspace, agents and key', async () => {
    if (first === null) return;
    const run = first.run.bind(first);
    const here = { 'http://localhost:8000': loci.url };
    const organization = await run(
      `curl -X POST http://localhost:8000/v1/organizations \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "Tech Startup Inc",
    "slug": "techstartup",
    "plan_tier": "starter",
    "contact_email": "founders@techstartup.com"
  }'`,
      here,
    );
    expect(organization).toMatchObject({
      status: 201,
      body: { name: 'Tech Startup Inc', slug: 'techstartup', plan_tier: 'starter', max_workspaces: 3 },
    });
    const workspace = await run(
      `curl -X POST http://localhost:8000/v1/organizations/a1b2c3d4.../workspaces \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "Product Documentation",
    "slug": "docs",
    "description": "Technical documentation workspace"
  }'`,
      { ...here, 'a1b2c3d4...': String(organization.body['id']) },
    );
    expect(workspace).toMatchObject({
      status: 201,
      body: { organization_id: organization.body['id'], name: 'Product Documentation' },
    });
    const inWorkspace = { ...here, 'e5f6g7h8...': String(workspace.body['id']) };
    const expert = await run(
      `curl -X POST http://localhost:8000/v1/workspaces/e5f6g7h8.../agents \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "Docs Expert",
    "slug": "docs-expert",
    "system_prompt": "You are a technical documentation expert...",
    "temperature": 0.3,
    "enabled_tools": ["vector_search", "hybrid_search"]
  }'`,
      inWorkspace,
    );
    expect(expert).toMatchObject({ status: 201, body: { slug: 'docs-expert', temperature: 0.3 } });
    const helper = await run(
      `curl -X POST http://localhost:8000/v1/workspaces/e5f6g7h8.../agents \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "API Helper",
    "slug": "api-helper",
    "system_prompt": "You help developers integrate with our API...",
    "temperature": 0.5,
    "enabled_tools": ["vector_search", "graph_search"]
  }'`,
      inWorkspace,
    );
    expect(helper).toMatchObject({
      status: 201,
      body: { slug: 'api-helper', enabled_tools: ['vector_search', 'graph_search'] },
    });
    const key = await run(
      `curl -X POST http://localhost:8000/v1/workspaces/e5f6g7h8.../api-keys \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "Production Key",
    "scopes": ["chat", "search"],
    "rate_limit_per_minute": 100
  }'`,
      inWorkspace,
    );
    expect(key).toMatchObject({ status: 201, body: { name: 'Production Key', rate_limit_per_minute: 100 } });
    const opened = await loci.as(String(key.body['key'])).get('/v1/workspaces');
    expect(opened.body['data']).toMatchObject([{ id: workspace.body['id'], agent_count: 2 }]);
    expect(await run('curl http://localhost:8000/v1/health', here)).toMatchObject({
      body: { status: 'healthy', multi_tenant: true },
    });
  });

  it('make two tenants, each of which keeps its own memory, and tell what they hold', async () => {
    if (fourth === null) return;
    const run = fourth.run.bind(fourth);
    const here = {
      'https://your-automem.railway.app': loci.url,
      'your-super-secret-admin-token': ADMIN_TOKEN,
    };
    const fernando = await run(
      `curl -X POST https://your-automem.railway.app/admin/tenants \\
  -H "Authorization: Bearer your-super-secret-admin-token" \\
  -H "Content-Type: application/json" \\
  -d '{
    "tenant_id": "fernando",
    "name": "Fernando Client",
    "api_token": "fernando_unique_secure_token_here"
  }'`,
      here,
    );
    expect(fernando).toMatchObject({ status: 201, body: { namespace: 'memories_fernando' } });
    const claudio = await run(
      `curl -X POST https://your-automem.railway.app/admin/tenants \\
  -H "Authorization: Bearer your-super-secret-admin-token" \\
  -H "Content-Type: application/json" \\
  -d '{
    "tenant_id": "claudio",
    "name": "Claudio Client",
    "api_token": "claudio_unique_secure_token_here"
  }'`,
      here,
    );
    expect(claudio.status).toBe(201);
    const stored = await run(
      `curl -X POST https://your-automem.railway.app/memory \\
  -H "Authorization: Bearer fernando_unique_secure_token_here" \\
  -H "Content-Type: application/json" \\
  -d '{"content": "My project uses PostgreSQL"}'`,
      here,
    );
    expect(stored).toMatchObject({ status: 201, body: { status: 'success', tenant_id: 'fernando' } });
    const other = await run(
      `curl -X POST https://your-automem.railway.app/memory \\
  -H "Authorization: Bearer claudio_unique_secure_token_here" \\
  -H "Content-Type: application/json" \\
  -d '{"content": "My project uses MongoDB"}'`,
      here,
    );
    expect(other).toMatchObject({ status: 201, body: { tenant_id: 'claudio' } });
    const list = await run(
      `curl https://your-automem.railway.app/admin/tenants?include_stats=true \\
  -H "Authorization: Bearer your-super-secret-admin-token"`,
      here,
    );
    expect(list.body['data']).toEqual(
      expect.arrayContaining([expect.objectContaining({ tenant_id: 'fernando' })]),
    );
    const stats = await run(
      `curl https://your-automem.railway.app/admin/tenants/fernando/stats \\
  -H "Authorization: Bearer your-super-secret-admin-token"`,
      here,
    );
    expect(stats.body).toMatchObject({
      tenant_id: 'fernando',
      memory_count: 1,
      graph_nodes: 1,
      graph_relationships: 0,
      vector_points: 1,
      storage_mb: expect.any(Number) as number,
    });
  });

  it('work with bodies that nobody says are JSON', async () => {
    if (fourth === null) return;
    const run = fourth.run.bind(fourth);
    const here = `ADMIN_TOKEN='${ADMIN_TOKEN}' BASE_URL='${loci.url}';`;
    const made = await run(
      `${here} curl -X POST $BASE_URL/admin/tenants \\
  -H "Authorization: Bearer $ADMIN_TOKEN" \\
  -d '{"tenant_id":"test","api_token":"test-token"}'`,
    );
    expect(made).toMatchObject({ status: 201, body: { tenant_id: 'test', api_key: { key: 'test-token' } } });
    const stored = await run(
      `${here} curl -X POST $BASE_URL/memory \\
  -H "Authorization: Bearer test-token" \\
  -d '{"content":"test memory"}'`,
    );
    expect(stored).toMatchObject({ status: 201, body: { tenant_id: 'test' } });
    const stats = await run(
      `${here} curl $BASE_URL/admin/tenants/test/stats \\
  -H "Authorization: Bearer $ADMIN_TOKEN"`,
    );
    expect(stats.body).toMatchObject({ memory_count: 1 });
  });

  it('work for the rest of what document 1 lists, through their bodies', async () => {
    if (first === null) return;
    const run = first.run.bind(first);
    const here = { BASE: `${loci.url}/v1` };
    const bodies = {
      organization:
        '{"name": "Acme Corp", "slug": "acme", "plan_tier": "pro", "contact_email": "admin@acme.com", "contact_name": "Admin User"}',
      workspace:
        '{"name": "Customer Support", "slug": "support", "description": "Support knowledge base", "settings": {}}',
      agent:
        '{"name": "Support Bot", "slug": "support-bot", "description": "Helpful support agent", "system_prompt": "You are a helpful support agent...", "model_provider": "openai", "model_name": "gpt-4", "temperature": 0.7, "enabled_tools": ["vector_search", "hybrid_search"], "tool_config": {}}',
      change: '{"name": "Updated Name", "temperature": 0.8, "is_active": false}',
      key: '{"name": "Production Key", "scopes": ["chat", "search"], "rate_limit_per_minute": 60}',
    };
    const send = async (method: string, path: string, body?: string): Promise<Record<string, unknown>> => {
      const data = body === undefined ? '' : ` -d '${body}'`;
      const answer = await run(`curl -X ${method} BASE${path}${data}`, here);
      expect([method, path, answer.status]).toEqual([method, path, method === 'POST' ? 201 : 200]);
      return answer.body;
    };
    const org = await send('POST', '/organizations', bodies.organization);
    const at = `/organizations/${String(org['id'])}`;
    expect(await send('GET', at)).toMatchObject({ slug: 'acme', contact_name: 'Admin User' });
    const workspace = await send('POST', `${at}/workspaces`, bodies.workspace);
    const inside = `/workspaces/${String(workspace['id'])}`;
    expect(await send('GET', inside)).toMatchObject({ slug: 'support', document_count: 0 });
    expect(await send('GET', `${at}/workspaces`)).toMatchObject({ data: [{ slug: 'support' }, {}] });
    const agent = await send('POST', `${inside}/agents`, bodies.agent);
    const one = `${inside}/agents/${String(agent['id'])}`;
    expect(await send('GET', one)).toMatchObject({ model_name: 'gpt-4' });
    expect(await send('GET', `${inside}/agents`)).toMatchObject({ data: [{ slug: 'support-bot' }] });
    expect(await send('PATCH', one, bodies.change)).toMatchObject({ status: 'inactive', temperature: 0.8 });
    expect(await send('DELETE', one)).toMatchObject({ status: 'deleted' });
    const key = await send('POST', `${inside}/api-keys`, bodies.key);
    expect(await send('GET', `${inside}/api-keys`)).toMatchObject({ data: [{ id: key['id'] }] });
    expect(await send('DELETE', `${inside}/api-keys/${String(key['id'])}`)).toMatchObject({
      is_active: false,
    });
  });
});
