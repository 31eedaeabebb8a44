import { writeFile } from 'node:fs/promises';
import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { cannotRun } from '../support/cannot-run.js';
import { Loci, ADMIN_TOKEN, type TestTenant } from '../support/loci.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { runLoci, runLociAtTerminal, type Ended } from './loci-command.js';

const ALICE = '6f1d2c58-9a1e-4b7d-8d0c-0a5f3c1e9b01';
const BOB = '6f1d2c58-9a1e-4b7d-8d0c-0a5f3c1e9b02';

describe('loci import, of a file', () => {
  let scratch: Awaited<ReturnType<typeof scratchFolder>>;
  let loci: Loci;
  let files = 0;

  beforeAll(async () => {
    scratch = await scratchFolder();
    loci = await Loci.start();
  });
  afterAll(async () => {
    await loci.stop();
    await scratch.remove();
  });

  const run = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
    runLoci(['import', ...args], {
      cwd: scratch.path,
      env: { LOCI_URL: loci.url, ADMIN_API_TOKEN: ADMIN_TOKEN, ...env },
    });

  async function file(...lines: (object | string)[]): Promise<string> {
    const path = join(scratch.path, `records-${++files}.ndjson`);
    const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
    await writeFile(path, `${text.join('\n')}\n`);
    return path;
  }

  const outcome = (ended: Ended) => JSON.parse(ended.stdout);
  const countOf = async (tenant: TestTenant): Promise<unknown> =>
    (await loci.operator.get(`/admin/tenants/${tenant.slug}/stats`)).body['memory_count'];

  const memories = [
    { id: ALICE, content: 'Alice prefers green tea.', type: 'Preference', tags: ['drinks'], importance: 0.8 },
    { id: BOB, content: 'Bob owns the tea shop.', timestamp: '2024-03-01T10:00:00Z', session_id: 's-1' },
    { id: 'm-17', content: 'The shop opens at nine.', metadata: { from: 'notes' } },
    { content: 'Nobody gave this one an id.' },
  ];
  const relation = {
    kind: 'relation',
    memory1_id: ALICE,
    memory2_id: 'm-17',
    type: 'RELATES_TO',
    strength: 0.7,
  };

  it('brings memories and relations with their ids, and twice stores nothing twice', async () => {
    const tenant = await loci.tenant();
    // A relation may come before its memories.
    const path = await file(relation, ...memories);
    const first = await run([path, '--tenant', tenant.slug, '--json']);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(outcome(first)).toMatchObject({
      tenant_id: tenant.slug,
      complete: true,
      memories: { found: 4, stored: 4, existed: 0, refused: 0 },
      relations: { found: 1, stored: 1, existed: 0 },
      refused: [],
    });
    const { body } = await tenant.get<{ memory: object }>(`/memory/${ALICE}`);
    expect(body.memory).toMatchObject({ type: 'Preference', tags: ['drinks'], importance: 0.8 });
    const related = await tenant.get<{ related_memories: object[] }>(`/memories/${ALICE}/related`);
    expect(related.body.related_memories).toMatchObject([
      {
        content: 'The shop opens at nine.',
        metadata: { from: 'notes', source_id: 'm-17' },
        relation_strength: 0.7,
      },
    ]);
    const stats = async () =>
      (await loci.operator.get(`/admin/tenants/${tenant.slug}/stats`)).body['revision'];
    const before = await stats();
    const again = await run([path, '--tenant', tenant.slug, '--json']);
    expect(outcome(again)).toMatchObject({
      memories: { found: 4, stored: 0, existed: 4 },
      relations: { found: 1, stored: 0, existed: 1 },
    });
    expect([await countOf(tenant), await stats()]).toEqual([4, before]);
  });

  it('brings them into the default tenant where none is named, and leaves no key behind', async () => {
    const ended = await run([await file(...memories)]);
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('Into default.') });
    expect(ended.stdout).toMatch(/^memories +4 +4 +0 +0 +0$/m);
    const { body } = await loci.operator.get<{ data: { name: string; is_active: boolean }[] }>(
      '/admin/tenants/default/keys',
    );
    expect(body.data.filter(({ name }) => name === 'loci import')).toMatchObject([{ is_active: false }]);
  });

  it("brings them into the tenant of a tenant's own key, without the admin token", async () => {
    const tenant = await loci.tenant();
    const ended = await runLoci(['import', await file(...memories)], {
      cwd: scratch.path,
      env: { LOCI_URL: loci.url, LOCI_API_KEY: tenant.token },
    });
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining(`Into ${tenant.slug}.`) });
    expect(await countOf(tenant)).toBe(4);
  });

  it('names each refused line with its reason, stores the others, and ends with 1', async () => {
    const tenant = await loci.tenant();
    const path = await file(
      { content: 'Good.' },
      { content: '' },
      'not json',
      { kind: 'invoice' },
      { content: 'Odd.', colour: 'red' },
      { kind: 'relation', memory1_id: ALICE, memory2_id: BOB, type: 'RELATES_TO' },
      { content: 'Elsewhere.', workspace_id: 'no-such-workspace' },
      { content: 'Also good.' },
    );
    const ended = await run([path, '--tenant', tenant.slug, '--json']);
    expect(ended.code).toBe(1);
    expect(outcome(ended)).toMatchObject({
      memories: { found: 5, stored: 2, refused: 3 },
      relations: { found: 1, stored: 0, refused: 1 },
    });
    const lines = ended.stderr.trimEnd().split('\n');
    for (const [place, reason] of [
      ['line 2 (memory)', 'content'],
      ['line 3', 'is not JSON'],
      ['line 4', 'has a kind'],
      ['line 5 (memory)', 'colour'],
      ['line 6 (relation)', 'No memory'],
      ['line 7 (memory)', 'No such workspace'],
    ] as const) {
      expect(lines).toContainEqual(expect.stringContaining(`error: ${place}: ${reason}`));
    }
    expect(lines).toHaveLength(6);
  });

  it('refuses to overwrite: another memory under the same id is named, and the first one stays', async () => {
    const tenant = await loci.tenant();
    await run([await file({ id: ALICE, content: 'As it was.' }), '--tenant', tenant.slug]);
    const ended = await run([await file({ id: ALICE, content: 'As it is.' }), '--tenant', tenant.slug]);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('line 1 (memory): ') });
    expect((await tenant.get<{ memory: object }>(`/memory/${ALICE}`)).body.memory).toMatchObject({
      content: 'As it was.',
    });
  });

  it('brings back what was deleted in between', async () => {
    const tenant = await loci.tenant();
    const path = await file({ id: ALICE, content: 'Here again.' });
    await run([path, '--tenant', tenant.slug]);
    await tenant.delete(`/memory/${ALICE}`);
    expect(outcome(await run([path, '--tenant', tenant.slug, '--json']))).toMatchObject({
      memories: { stored: 1, existed: 0 },
    });
  });

  it('brings agents, known by their slugs, and leaves those alone that are there', async () => {
    const tenant = await loci.tenant();
    const path = await file(
      {
        kind: 'agent',
        id: 7,
        name: 'Café Support Bot',
        system_prompt: 'You are a helpful support agent.',
        model_name: 'gpt-4',
        temperature: 0.7,
        enabled_tools: ['vector_search', 'hybrid_search'],
      },
      { kind: 'agent', name: 'Odd', slug: 'odd', enabled_tools: ['telepathy'] },
    );
    const ended = await run([path, '--tenant', tenant.slug, '--json']);
    expect(ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('line 2 (agent): enabled_tools'),
    });
    expect(outcome(ended)).toMatchObject({ agents: { found: 2, stored: 1, refused: 1 } });
    const agent = `/v1/workspaces/default/agents/cafe-support-bot`;
    expect((await tenant.get(agent)).body).toMatchObject({ name: 'Café Support Bot', temperature: 0.7 });
    await tenant.patch(agent, { temperature: 0.2 });
    expect(outcome(await run([path, '--tenant', tenant.slug, '--json']))).toMatchObject({
      agents: { stored: 0, existed: 1 },
    });
    expect((await tenant.get(agent)).body).toMatchObject({ temperature: 0.2 });
  });

  it('counts documents and leaves them, as no route takes them yet', async () => {
    const tenant = await loci.tenant();
    const path = await file({ kind: 'document', title: 'Manual', content: 'Press the button.' });
    const ended = await run([path, '--tenant', tenant.slug]);
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('not yet importable') });
    expect(ended.stdout).toMatch(/^documents +1 +0 +0 +0 +1$/m);
  });

  it('sends nothing in a dry run, and says what it would bring and what is wrong', async () => {
    const tenant = await loci.tenant();
    const path = await file(...memories, { content: 7 }, relation, 'half a li');
    const ended = await run([path, '--tenant', tenant.slug, '--dry-run', '--json'], {
      LOCI_URL: 'http://127.0.0.1:1',
    });
    expect(outcome(ended)).toMatchObject({
      dry_run: true,
      memories: { found: 5, stored: 0, refused: 1 },
      relations: { found: 1, refused: 0 },
      refused: [
        { place: 'line 7', kind: null },
        { place: 'line 5', kind: 'memory' },
      ],
    });
    expect(ended.code).toBe(1);
    expect(await countOf(tenant)).toBe(0);
  });

  it('puts each record where it says: its own workspace, or the one of the whole import', async () => {
    const tenant = await loci.tenant();
    for (const slug of ['north', 'south']) {
      expect((await tenant.post('/v1/workspaces', { name: slug, slug })).status).toBe(201);
    }
    const path = await file(
      { content: 'A polar bear.', workspace_id: 'north' },
      { content: 'A penguin.' },
      { content: 'A seal.', workspace_id: 'north' },
    );
    const ended = await run([path, '--tenant', tenant.slug, '--workspace', 'south']);
    expect(ended.code).toBe(0);
    const inside = async (workspace: string) =>
      (await tenant.get<{ data: { content: string }[] }>(`/v1/memories?workspace_id=${workspace}`)).body.data
        .map(({ content }) => content)
        .sort();
    expect(await inside('north')).toEqual(['A polar bear.', 'A seal.']);
    expect(await inside('south')).toEqual(['A penguin.']);
  });

  it('stops where the quota is reached, says so, and goes on once there is room', async () => {
    const tenant = await loci.tenant({ settings: { quotas: { max_memories: 250 } } });
    const path = await file(
      ...Array.from({ length: 450 }, (_, n) => ({ content: `Fact ${n}.`, id: `f-${n}` })),
    );
    const ended = await run([path, '--tenant', tenant.slug, '--json']);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('quota.exceeded') });
    expect(outcome(ended)).toMatchObject({ complete: false, memories: { found: 450, stored: 200 } });
    await loci.operator.patch(`/admin/tenants/${tenant.slug}`, {
      settings: { quotas: { max_memories: 1_000 } },
    });
    const again = await run([path, '--tenant', tenant.slug, '--json']);
    expect(outcome(again)).toMatchObject({ complete: true, memories: { stored: 250, existed: 200 } });
  });

  it('loses and doubles nothing where answers are lost and the server is away for a while', async () => {
    const tenant = await loci.tenant();
    const path = await file(
      ...Array.from({ length: 620 }, (_, n) => ({ content: `Event ${n} took place.` })),
    );
    const flaky = await unreliable(loci.url);
    try {
      const ended = await run([path, '--tenant', tenant.slug, '--json'], { LOCI_URL: flaky.url });
      expect(ended.code).toBe(0);
      // What was stored although its answer was lost counts as stored: the first answer is given again.
      expect(outcome(ended)).toMatchObject({ memories: { found: 620, stored: 620, existed: 0 } });
      expect(flaky.troubles).toEqual({ lost: 2, away: 2 });
    } finally {
      flaky.close();
    }
    expect(await countOf(tenant)).toBe(620);
  });

  it('shows at a terminal how far it is, and nowhere else', async () => {
    const tenant = await loci.tenant();
    const path = await file(...Array.from({ length: 210 }, (_, n) => ({ content: `Step ${n}.` })));
    const args = ['import', path, '--tenant', tenant.slug];
    const here = { cwd: scratch.path, env: { LOCI_URL: loci.url, ADMIN_API_TOKEN: ADMIN_TOKEN } };
    const watched = await runLociAtTerminal(args, here, 'never asked', '');
    if (watched === null) {
      cannotRun('The command line at a terminal: the program `script` is not installed.');
      return;
    }
    expect(watched.stdout).toMatch(/█░* +95 % +200\/210 +records/);
    expect(watched.stdout).toMatch(/100 % +210\/210/);
    expect((await runLoci(args, here)).stderr).toBe('');
  });

  it('ends with 3 where the server stays away, and its memory is what was stored', async () => {
    const ended = await run([await file(...memories), '--wait', '0'], { LOCI_URL: 'http://127.0.0.1:1' });
    expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining('No server answers') });
    expect(ended.stdout).toMatch(/^memories +4 +0 /m);
  });

  it.each([
    ['a file that is not there', ['nowhere.ndjson']],
    ['a folder', ['.']],
    ['a source of another kind', ['mysql://localhost/notes']],
    ['a mapping that is not there', ['postgresql://localhost/x', '--map', 'nowhere.json']],
    ['a tenant that would name another route', ['x.ndjson', '--tenant', '../x']],
  ])('ends with 2 for %s', async (_, args) => {
    expect(await run(args)).toMatchObject({ code: 2, stdout: '' });
  });
});

/** Hands requests on. Of those that store it loses the answers of two, and turns two away as a restarting server would. */
async function unreliable(
  to: string,
): Promise<{ url: string; troubles: { lost: number; away: number }; close(): void }> {
  const troubles = { lost: 0, away: 0 };
  let stores = 0;
  const server: Server = createServer((request, response) => {
    const trouble = request.url === '/memory/batch' ? [null, 'lost', 'away', 'lost', 'away'][stores++] : null;
    if (trouble === 'away') {
      troubles.away++;
      response.writeHead(503, { 'Retry-After': '0', 'Content-Type': 'application/problem+json' });
      response.end(JSON.stringify({ code: 'ledger.unavailable', detail: 'Away.' }));
      return;
    }
    const onward = send(
      new URL(request.url ?? '/', to),
      { method: request.method, headers: request.headers },
      (reply) => {
        if (trouble === 'lost') {
          troubles.lost++;
          reply.resume().once('end', () => request.socket.destroy());
          return;
        }
        response.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(response);
      },
    );
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    troubles,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
