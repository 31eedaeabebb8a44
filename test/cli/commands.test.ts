import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { cannotRun } from '../support/cannot-run.js';
import { ADMIN_TOKEN, Loci } from '../support/loci.js';
import { testPostgres } from '../support/postgres.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { runLoci, runLociAtTerminal, type Ended, type Surroundings } from './loci-command.js';

describe('the command line', () => {
  let scratch: Awaited<ReturnType<typeof scratchFolder>>;
  let loci: Loci;

  beforeAll(async () => {
    scratch = await scratchFolder();
    const placements = join(scratch.path, 'placements.json');
    await writeFile(placements, JSON.stringify({ shared: {}, second: {} }));
    loci = await Loci.start({ LOCI_PLACEMENTS: placements });
  });
  afterAll(async () => {
    await loci.stop();
    await scratch.remove();
  });

  const here = (env: Record<string, string> = {}): Surroundings => ({
    cwd: scratch.path,
    env: { LOCI_URL: loci.url, ADMIN_API_TOKEN: ADMIN_TOKEN, ...env },
  });
  const run = (...args: string[]): Promise<Ended> => runLoci(args, here());
  const as = (token: string, ...args: string[]): Promise<Ended> =>
    runLoci(args, { cwd: scratch.path, env: { LOCI_URL: loci.url, LOCI_API_KEY: token } });
  const json = (text: string) => JSON.parse(text);
  const stateOf = async (slug: string) => (await loci.operator.get(`/admin/tenants/${slug}`)).body['state'];

  /** As the superuser, whom no policy holds: for making what cannot happen. */
  async function tamper(sql: string, values: unknown[]): Promise<void> {
    const client = new Client({ ...testPostgres().admin, database: loci.database.database });
    await client.connect();
    await client.query(sql, values);
    await client.end();
  }

  it('makes a tenant whose printed key stores and recalls', async () => {
    const order = ['--name', 'Acme Corp', '--plan', 'enterprise', '--admin-email', 'admin@acme.com'];
    const made = await run('tenant', 'create', ...order);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(/^tenant +acme-corp$/m);
    expect(made.stdout).toMatch(/^workspace +[0-9a-f-]{36}$/m);
    expect(made.stdout).toMatch(/^agent +[0-9a-f-]{36}$/m);
    expect(made.stdout).toMatch(/^policies +those of the plan enterprise/m);
    expect(made.stdout).toMatch(/^ {2}features +custom_agents, agent_sharing, /m);
    expect(made.stdout).toMatch(/^ {2}requests per minute +10000$/m);
    const key = /^key +(loci_live_\S+)$/m.exec(made.stdout)?.[1] ?? '';

    const stored = await as(
      key,
      'store',
      'Alice prefers tea.',
      '--tags',
      'drinks,alice',
      '--type',
      'Preference',
    );
    expect(stored).toMatchObject({ code: 0, stdout: expect.stringMatching(/ is stored for acme-corp\.\n$/) });
    const recalled = await as(key, 'recall', 'what does Alice drink?', '--tags', 'drinks');
    expect(recalled.stdout).toMatch(
      /^SCORE +ID +TYPE +WHEN +CONTENT\n.* Preference .*Alice prefers tea\.\n$/,
    );
    expect((await as(key, 'recall', 'tea', '--tags', 'food')).stdout).toBe(
      'Nothing is remembered about that.\n',
    );

    const again = await run('tenant', 'create', ...order);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('its key is not shown again') });
    expect(again.stdout).not.toContain('loci_live_');
  });

  it("prints the API's own JSON where asked", async () => {
    const tenant = await loci.tenant({ name: 'Beta' });
    const shown = await run('tenant', 'show', tenant.slug, '--json');
    expect(json(shown.stdout)).toEqual((await loci.operator.get(`/admin/tenants/${tenant.slug}`)).body);
    const made = await run('tenant', 'create', '--slug', 'gamma', '--json');
    expect(json(made.stdout)).toMatchObject({ tenant_id: 'gamma', api_key: { key: expect.any(String) } });
    const listed = await run('tenant', 'list', '--json');
    expect(json(listed.stdout)).toEqual((await loci.operator.get('/admin/tenants?limit=1000')).body);
  });

  it('makes and lists workspaces and agents, for an operator and for a tenant', async () => {
    const tenant = await loci.tenant();
    const operator = (...args: string[]) => run(...args, '--tenant', tenant.slug);
    const itself = (...args: string[]) => as(tenant.token, ...args);
    for (const [who, of] of [
      ['Operator', operator],
      ['Tenant', itself],
    ] as const) {
      const made = await of('workspace', 'create', '--name', `${who}’s Wörk`, '--description', 'Docs');
      expect(made).toMatchObject({ code: 0, stderr: '' });
      const slug = `${who.toLowerCase()}-s-work`;
      expect(made.stdout).toMatch(new RegExp(`^workspace +${slug}$`, 'm'));
      const order = ['--workspace', slug, '--name', 'Docs Expert', '--temperature', '0.3', '--private'];
      const agent = await of('agent', 'create', ...order, '--tools', 'vector_search,hybrid_search');
      expect(agent).toMatchObject({ code: 0, stderr: '' });
      expect(agent.stdout).toMatch(/^agent +docs-expert$/m);
      expect(agent.stdout).toMatch(/^tools +vector_search, hybrid_search$/m);
      const template = await of('agent', 'create', '--workspace', slug, '--template', 'support', '--json');
      expect(json(template.stdout)).toMatchObject({ slug: 'support', template: 'support' });
      const listed = await of('agent', 'list', '--workspace', slug);
      expect(listed.stdout).toMatch(
        /^AGENT +ID .*\nsupport +.* everybody .*\ndocs-expert .* its owner .*\n$/,
      );
    }
    const workspaces = await operator('workspace', 'list');
    expect(workspaces.stdout.match(/^(?:default|operator-s-work|tenant-s-work) /gm)).toHaveLength(3);
    expect(json((await itself('workspace', 'list', '--json')).stdout).data).toHaveLength(3);
    expect(json((await itself('agent', 'list', '--json')).stdout).data).toHaveLength(5);
    expect(await operator('agent', 'create')).toMatchObject({ code: 2 });
    expect(await operator('agent', 'create', '--workspace', '../x', '--name', 'X')).toMatchObject({
      code: 2,
    });
    expect(await operator('workspace', 'create', '--name', 'Default', '--slug', 'default')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('workspace.slug_taken'),
    });
  });

  it('lists tenants by state, with what they hold', async () => {
    const [first, second] = [await loci.tenant({ name: 'Shop' }), await loci.tenant()];
    await first.post('/memory', { content: 'One.' });
    expect((await run('tenant', 'suspend', second.slug, '--reason', 'unpaid')).code).toBe(0);
    const active = await run('tenant', 'list', '--state', 'active', '--stats');
    const row = active.stdout.split('\n').find((line) => line.startsWith(first.slug));
    expect(row?.split(/ {2,}/).slice(0, 7)).toEqual([
      first.slug,
      'Shop',
      'enterprise',
      'active',
      'shared',
      expect.stringMatching(/^\d{4}-.*Z$/),
      '1',
    ]);
    expect(active.stdout).not.toContain(second.slug);
    expect((await run('tenant', 'show', second.slug)).stdout).toMatch(/^suspended for +unpaid$/m);
  });

  it('takes a tenant through its life', async () => {
    const { slug } = await loci.tenant();
    for (const [command, state] of [
      ['suspend', 'suspended'],
      ['resume', 'active'],
      ['delete', 'deleted'],
      ['restore', 'active'],
    ] as const) {
      expect(await run('tenant', command, slug)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(state),
      });
      expect(await stateOf(slug)).toBe(state);
    }
    expect((await run('tenant', 'stats', slug)).stdout).toMatch(/^memories +0$/m);
  });

  it('purges only with --yes where nobody can be asked', async () => {
    const tenant = await loci.tenant();
    await tenant.post('/memory', { content: 'Soon gone.' });
    const unasked = await run('tenant', 'delete', tenant.slug, '--purge');
    expect(unasked).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--yes') });
    expect(await stateOf(tenant.slug)).toBe('active');
    const purged = await run('tenant', 'delete', tenant.slug, '--purge', '--yes');
    expect(purged).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^vectors +1 removed, none left$/m),
    });
    expect(purged.stdout).toContain('nothing is left');
  });

  it('asks at a terminal for the slug before it purges, and shows bars only there', async () => {
    const { slug } = await loci.tenant();
    const purge = (answer: string) =>
      runLociAtTerminal(['tenant', 'delete', slug, '--purge'], here(), 'Type its slug', answer);
    const declined = await purge('something-else');
    if (declined === null) {
      cannotRun('The command line at a terminal: the program `script` is not installed.');
      return;
    }
    expect(declined).toMatchObject({ code: 1, stdout: expect.stringContaining('nothing was purged') });
    expect(await stateOf(slug)).toBe('active');
    const verified = await runLociAtTerminal(['verify', slug], here(), 'never asked', '');
    expect(verified?.stdout).toContain('░');
    expect((await run('verify', slug)).stderr).toBe('');
    expect(await purge(slug)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${slug} is purged.`),
    });
  });

  it('makes, lists and revokes keys', async () => {
    const tenant = await loci.tenant();
    const made = await run(
      'key',
      'create',
      '--tenant',
      tenant.slug,
      '--scopes',
      'memory:read,search',
      '--json',
    );
    const { id, key } = json(made.stdout);
    expect((await as(key, 'recall', 'anything')).code).toBe(0);
    expect(await as(key, 'store', 'no')).toMatchObject({ code: 1, stderr: expect.stringContaining('(403)') });
    const listed = await run('key', 'list', '--tenant', tenant.slug);
    expect(listed.stdout.split('\n')[1]).toMatch(
      new RegExp(`^${id} +loci_live_\\S+… +active .* memory:read,search$`),
    );
    expect(listed.stdout).not.toContain(key);
    expect((await run('key', 'revoke', id, '--tenant', tenant.slug)).stdout).toBe(`${id} is revoked.\n`);
    expect((await as(key, 'recall', 'anything')).code).toBe(1);
  });

  it('rotates a key, which goes on for the overlap', async () => {
    const tenant = await loci.tenant();
    const made = json((await run('key', 'create', '--tenant', tenant.slug, '--json')).stdout);
    const rotated = await run('key', 'rotate', made.id, '--tenant', tenant.slug, '--overlap', '3600');
    expect(rotated).toMatchObject({ code: 0, stderr: '' });
    const successor = /^key +(loci_live_\S+)$/m.exec(rotated.stdout)?.[1] ?? '';
    expect(rotated.stdout).toContain(`${String(made.id)} opens what it opened until `);
    for (const key of [made.key, successor]) expect((await as(key, 'recall', 'anything')).code).toBe(0);
    expect((await run('key', 'list', '--tenant', tenant.slug)).stdout).toMatch(
      new RegExp(`^${String(made.id)} .* rotated `, 'm'),
    );
    expect((await run('key', 'rotate', made.id, '--tenant', tenant.slug)).stderr).toContain('key.rotated');
  });

  it("manages a workspace's keys with the tenant's own key, without any of the operator's", async () => {
    const tenant = await loci.tenant();
    const own = (...args: string[]) => as(tenant.token, 'key', ...args);
    const made = json((await own('create', '--scopes', 'search', '--rate-limit', '100', '--json')).stdout);
    expect(made).toMatchObject({ workspace_id: tenant.workspaceId, rate_limit_per_minute: 100 });
    expect((await own('list')).stdout).toMatch(
      new RegExp(`^${String(made.id)} +loci_live_\\S+… +active `, 'm'),
    );
    const rotated = json((await own('rotate', made.id, '--workspace', 'default', '--json')).stdout);
    expect(rotated).toMatchObject({ scopes: ['search'], replaces: { id: made.id } });
    expect((await own('revoke', rotated.id)).stdout).toBe(`${String(rotated.id)} is revoked.\n`);
    expect(await own('create', '--token', 'brought-along')).toMatchObject({ code: 2, stdout: '' });
    expect(await own('list', '--tenant', tenant.slug, '--workspace', 'default')).toMatchObject({ code: 2 });
    expect(await own('list', '--workspace', 'nowhere')).toMatchObject({ code: 1 });
  });

  it('brings a token along that is given on standard input', async () => {
    const { slug } = await loci.tenant();
    const token = `brought-${slug}`;
    const made = await runLoci(['key', 'create', '--tenant', slug, '--token', '-'], {
      ...here(),
      input: `${token}\n`,
    });
    expect(made.code).toBe(0);
    expect((await as(token, 'recall', 'anything')).code).toBe(0);
  });

  it('moves a tenant and waits until it is there', async () => {
    const tenant = await loci.tenant();
    await tenant.post('/memory', { content: 'It moves along.' });
    const moved = await run('tenant', 'move', tenant.slug, 'second', '--wait', '--json');
    expect(json(moved.stdout)).toEqual({
      placement: 'second',
      state: 'settled',
      moving_to: null,
      progress: null,
    });
    expect(moved.stderr).toBe('');
    expect((await run('tenant', 'move', tenant.slug, 'second')).stdout).toBe(
      `${tenant.slug} is in second.\n`,
    );
    expect(await run('tenant', 'move', tenant.slug, 'nowhere', '--wait')).toMatchObject({
      code: 1,
      stdout: '',
    });
  });

  it('ends with 4 where projections differ from their ledger, and rebuilds them', async () => {
    const tenant = await loci.tenant();
    const { body } = await tenant.post<{ memory_id: string }>('/memory', { content: 'First.' });
    await tenant.patch(`/memory/${body.memory_id}`, { content: 'Second.' });
    expect(await run('verify', tenant.slug)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(' yes '),
    });
    await tamper('UPDATE changes SET revision = 1 WHERE id = $1', [body.memory_id]);
    const different = await run('verify', tenant.slug);
    expect(different.code).toBe(4);
    expect(different.stdout).toMatch(new RegExp(`^${tenant.slug} +NO +1 of 1, 1 stale `, 'm'));
    expect(different.stdout).toContain(`${tenant.slug} vectors stale: `);
    const all = await run('verify', '--all', '--json');
    const verdicts = all.stdout.trimEnd().split('\n').map(json);
    const { body: tenants } = await loci.operator.get<{ data: { state: string }[] }>(
      '/admin/tenants?limit=1000',
    );
    expect(all.code).toBe(4);
    expect(verdicts).toHaveLength(tenants.data.filter(({ state }) => state !== 'deleted').length);
    expect(verdicts.filter(({ equal }) => !equal)).toMatchObject([{ tenant_id: tenant.slug }]);
    expect((await run('rebuild', tenant.slug)).code).toBe(0);
    expect((await run('verify', tenant.slug)).code).toBe(0);
  });

  it('verifies the others where one tenant is refused, and ends with 1', async () => {
    const { slug } = await loci.tenant();
    const { code, stdout, stderr } = await run('verify', 'nobody', slug);
    expect(code).toBe(1);
    expect(stdout).toContain(slug);
    expect(stderr).toMatch(/^error: nobody: No such tenant\.\n {7}tenant\.not_found \(404\), request \S+\n$/);
  });

  it('tells a refusal in two lines: what is wrong, and what to report', async () => {
    const { code, stdout, stderr } = await run('tenant', 'create', '--name', 'Delta', '--plan', 'golden');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error: .*body\.plan_tier .*\.\n {7}request\.\w+ \(400\), request \S+\n$/);
  });

  it('reads where the server is and its token from .env and from the data folder', async () => {
    const folder = join(scratch.path, 'checkout');
    await mkdir(join(folder, '.loci', 'keys'), { recursive: true });
    await writeFile(join(folder, '.loci', 'keys', 'admin-token'), `${ADMIN_TOKEN}\n`);
    await writeFile(join(folder, '.env'), `LOCI_URL=${loci.url}\n`);
    expect((await runLoci(['tenant', 'list'], { cwd: folder })).code).toBe(0);
    const elsewhere = { cwd: folder, env: { LOCI_URL: 'http://loci.example.invalid' } };
    // Refused before anything is sent: the kept token is for the server on this machine alone.
    expect(await runLoci(['tenant', 'list'], elsewhere)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ADMIN_API_TOKEN is not set'),
    });
  });

  it('shows an escape in a name as text', async () => {
    const { slug } = await loci.tenant({ name: 'Evil \u009b2J \u202eeman' });
    expect((await run('tenant', 'show', slug)).stdout).toMatch(/^name +Evil \\u\{9b\}2J \\u\{202e\}eman$/m);
  });
});
