import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { FalkorDbServerForTests, falkorDbIsThere } from '../support/falkordb.js';
import { ADMIN_TOKEN, Loci, urlOf, type TestTenant } from '../support/loci.js';
import { freshDatabase, type FreshDatabase } from '../support/postgres.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { runLoci, type Ended } from './loci-command.js';

const TEA = '6f1d2c58-9a1e-4b7d-8d0c-0a5f3c1e9b01';
const SHOP = '6f1d2c58-9a1e-4b7d-8d0c-0a5f3c1e9b02';

describe('loci import, of a single-tenant database', () => {
  let scratch: Awaited<ReturnType<typeof scratchFolder>>;
  let loci: Loci;
  const databases: FreshDatabase[] = [];

  beforeAll(async () => {
    scratch = await scratchFolder();
    loci = await Loci.start();
  });
  afterAll(async () => {
    await loci.stop();
    await Promise.all(databases.map((database) => database.drop()));
    await scratch.remove();
  });

  const run = (args: string[], input?: string): Promise<Ended> =>
    runLoci(['import', ...args, '--json'], {
      cwd: scratch.path,
      env: { LOCI_URL: loci.url, ADMIN_API_TOKEN: ADMIN_TOKEN },
      ...(input === undefined ? {} : { input }),
    });
  const outcome = (ended: Ended) => JSON.parse(ended.stdout);
  const memoryOf = async (tenant: TestTenant, id: string) =>
    (await tenant.get<{ memory: object }>(`/memory/${id}`)).body.memory;

  async function databaseWith(sql: string): Promise<string> {
    const database = await freshDatabase();
    databases.push(database);
    const client = new Client(database);
    await client.connect();
    await client.query(sql);
    await client.end();
    return urlOf(database);
  }

  it('brings agents, memories and relations of the usual tables, and counts documents, types and times as they are meant', async () => {
    const url = await databaseWith(`
      CREATE TABLE memories (id uuid PRIMARY KEY, content text NOT NULL, source varchar(255), importance numeric(3,2),
        layer varchar(50), tags text[], metadata jsonb, timestamp timestamp, usage_count int DEFAULT 0);
      INSERT INTO memories VALUES
        ('${TEA}', 'Alice prefers green tea.', 'chat', 0.80, 'ltm', '{drinks,alice}', '{"by": "hand"}', '2024-03-01 10:00:00.5'),
        ('${SHOP}', 'Bob owns the shop.', NULL, NULL, NULL, NULL, NULL, NULL);
      CREATE TABLE memory_relations (source_id uuid, target_id uuid, relation_type text, weight real);
      INSERT INTO memory_relations VALUES ('${TEA}', '${SHOP}', 'LEADS_TO', 0.25);
      CREATE TABLE agents (id serial, owner_id int, name text, agent_type text, system_prompt text, is_public boolean,
        is_active boolean, status text);
      INSERT INTO agents (owner_id, name, agent_type, system_prompt, is_public, is_active) VALUES
        (3, 'Customer Service Bot', 'customer_service', 'You are a helpful customer service assistant', true, false);
      CREATE TABLE documents (id serial, title text, source text, content text);
      INSERT INTO documents (title, content) VALUES ('Manual', 'Press the button.'), ('Notes', 'None.');`);
    const tenant = await loci.tenant();
    // The address holds a password: read from stdin, no list of processes shows it.
    const first = await run(['-', '--tenant', tenant.slug], `${url}\n`);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(outcome(first)).toMatchObject({
      memories: { found: 2, stored: 2 },
      relations: { found: 1, stored: 1 },
      agents: { found: 1, stored: 1 },
      documents: { found: 2, left: 2 },
    });
    const agent = await tenant.get('/v1/workspaces/default/agents/customer-service-bot');
    expect(agent.body).toMatchObject({ agent_type: 'customer_service', is_active: false });
    expect(await memoryOf(tenant, TEA)).toMatchObject({
      content: 'Alice prefers green tea.',
      type: 'ltm',
      tags: ['drinks', 'alice'],
      importance: 0.8,
      metadata: { by: 'hand' },
      timestamp: '2024-03-01T10:00:00.500Z',
    });
    expect(outcome(await run([url, '--tenant', tenant.slug]))).toMatchObject({
      memories: { stored: 0, existed: 2 },
      relations: { stored: 0, existed: 1 },
    });
  });

  it('reads tables and columns that are called otherwise, and of a shared one only the rows that are asked for', async () => {
    const url = await databaseWith(`
      CREATE SCHEMA app;
      CREATE TABLE app."Notes" (no serial PRIMARY KEY, body text, labels text, project text, created_at timestamptz, tenant_id text);
      INSERT INTO app."Notes" (body, labels, project, tenant_id) VALUES
        ('Ours.', 'a, b', 'north', 'old-tenant-123'), ('Theirs.', 'a', 'north', 'another');`);
    const map = join(scratch.path, 'map.json');
    const mapping = {
      memories: {
        table: 'app.Notes',
        columns: { id: 'no', content: 'body', tags: 'labels', workspace_id: 'project', timestamp: null },
        where: { tenant_id: 'old-tenant-123' },
      },
      documents: null,
    };
    await writeFile(map, JSON.stringify(mapping));
    const tenant = await loci.tenant();
    await tenant.post('/v1/workspaces', { name: 'North', slug: 'north' });
    expect(outcome(await run([url, '--tenant', tenant.slug, '--map', map]))).toMatchObject({
      memories: { found: 1, stored: 1, refused: 0 },
    });
    const { body } = await tenant.get<{ data: object[] }>('/v1/memories?workspace_id=north');
    expect(body.data).toMatchObject([{ content: 'Ours.', tags: ['a', 'b'], metadata: { source_id: '1' } }]);

    // The same number in another system is another memory, if one says so.
    expect(
      outcome(await run([url, '--tenant', tenant.slug, '--map', map, '--origin', 'second'])),
    ).toMatchObject({ memories: { stored: 1, existed: 0 } });

    for (const [change, complaint] of [
      [{ memories: { table: 'nowhere' } }, 'no table nowhere'],
      [{ memories: { ...mapping.memories, columns: { content: 'text' } } }, 'no column text'],
      [{ notes: {} }, 'names `notes`'],
      [{ memories: { ...mapping.memories, were: {} } }, 'memories.were'],
    ] as const) {
      await writeFile(map, JSON.stringify(change));
      expect(await run([url, '--tenant', tenant.slug, '--map', map])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(complaint),
      });
    }
  });

  it('says so where the database has none of it, or is not there, and never repeats its password', async () => {
    expect(await run([await databaseWith('CREATE TABLE other (id int)')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--map'),
    });
    const away = await run(['postgresql://me:s3cret@127.0.0.1:1/memories']);
    expect(away).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('cannot be read') });
    expect(away.stderr).not.toContain('s3cret');
  });

  it("brings AutoMem's graph: memories and the relations that people made", async () => {
    if (!falkorDbIsThere()) return;
    const falkordb = await FalkorDbServerForTests.start();
    try {
      const tenant = await loci.tenant();
      expect(await run([falkordb.url, '--tenant', tenant.slug])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('no graph memories'),
      });
      await falkordb.command(
        'GRAPH.QUERY',
        'memories',
        `CREATE (a:Memory {id: '${TEA}', content: 'Alice\\'s "tea" is green.', type: 'Preference', tags: ['drinks', 'alice'],
           tag_prefixes: ['d'], importance: 0.8, confidence: 1, metadata: '{"source": "chat"}',
           timestamp: '2024-03-01T10:00:00.123456+00:00', t_invalid: '', updated_at: 'x', relevance_score: 0.3}),
         (b:Memory {id: '${SHOP}', content: 'Bob owns the shop.', timestamp: '2024-03-02T10:00:00+00:00'}),
         (e:Entity {name: 'Bob'}),
         (a)-[:LEADS_TO {strength: 0.25, reason: 'a whim', confidence: 0.5}]->(b), (a)-[:SIMILAR_TO {score: 0.9}]->(b), (b)-[:ABOUT]->(e)`,
      );
      // More than one page of them.
      await falkordb.command(
        'GRAPH.QUERY',
        'memories',
        `UNWIND range(1, 510) AS n CREATE (:Memory {id: 'n-' + toString(n), content: 'Fact ' + toString(n)})`,
      );
      const first = await run([falkordb.url, '--tenant', tenant.slug]);
      expect(first).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('1 relations that AutoMem worked out'),
      });
      expect(outcome(first)).toMatchObject({
        memories: { found: 512, stored: 512, refused: 0 },
        relations: { found: 1, stored: 1, refused: 0 },
      });
      expect(await memoryOf(tenant, TEA)).toMatchObject({
        content: 'Alice\'s "tea" is green.',
        type: 'Preference',
        tags: ['drinks', 'alice'],
        importance: 0.8,
        confidence: 1,
        metadata: { source: 'chat' },
        timestamp: '2024-03-01T10:00:00.123Z',
      });
      const { body } = await tenant.get<{ related_memories: object[] }>(`/memories/${TEA}/related`);
      expect(body.related_memories).toMatchObject([
        {
          ...{ memory_id: SHOP, relation_type: 'LEADS_TO', relation_strength: 0.25 },
          relation_attributes: { reason: 'a whim', confidence: 0.5 },
        },
      ]);
      expect(outcome(await run([falkordb.url, '--tenant', tenant.slug]))).toMatchObject({
        memories: { stored: 0, existed: 512 },
      });
    } finally {
      await falkordb.stop();
    }
  });
});
