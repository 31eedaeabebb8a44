import { ServerState } from '../../src/platform/health/server-state.js';
import { type TestTenant } from '../support/loci.js';
import { startHomed, type Homed } from '../support/own-database.js';
import { testPostgres } from '../support/postgres.js';
import { TcpProxy } from './tcp-proxy.js';

// Whole servers, on machines that do something else too.
jest.setTimeout(120_000);

/** Repeats until it is so, or gives the last answer. */
async function eventually<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  for (const deadline = Date.now() + 20_000; ;) {
    const answer = await ask();
    if (isSo(answer) || Date.now() > deadline) return answer;
    await new Promise((resume) => setTimeout(resume, 100));
  }
}

describe('where a placement’s own database is away', () => {
  let line: TcpProxy;
  let homed: Homed;
  let acme: TestTenant;
  let shared: TestTenant;

  beforeAll(async () => {
    const { host, port } = testPostgres().connection;
    line = await TcpProxy.to(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { port });
    homed = await startHomed({
      reach: (url) => {
        const through = new URL(url);
        through.hostname = '127.0.0.1';
        through.port = String(line.port);
        return through.href;
      },
    });
    acme = await homed.loci.tenant({ placement: 'acme' });
    shared = await homed.loci.tenant();
    for (const tenant of [acme, shared]) await tenant.post('/memory', { content: 'The well is deep.' });
  }, 120_000);
  afterAll(async () => {
    line.turn('open');
    await homed.stop();
    await line.close();
  });

  it('only its own tenants wait: others are served, requests are to be sent here, a start goes on', async () => {
    const { loci } = homed;
    line.turn('shut');
    const refused = await eventually(
      () => acme.get('/recall?query=well'),
      ({ status }) => status === 503,
    );
    expect([refused.status, refused.body['code']]).toEqual([503, 'ledger.unavailable']);
    expect((await acme.post('/memory', { content: 'Lost?' })).status).toBe(503);
    expect((await shared.post('/memory', { content: 'The well is wide.' })).status).toBe(201);
    const { body: health } = await eventually(
      () => loci.operator.get<{ stores: Record<string, string> }>('/health'),
      ({ body }) => body.stores['ledger'] === 'down',
    );
    expect(health).toMatchObject({ status: 'degraded', stores: { ledger: 'down' } });
    expect((await loci.operator.get('/health/ready')).status).toBe(200);
    // Those that can be counted are; the others are listed all the same.
    const { body: list } = await loci.operator.get<{ data: { tenant_id: string; stats?: object }[] }>(
      '/admin/tenants?include_stats=true',
    );
    const listed = (slug: string) => list.data.find((tenant) => tenant.tenant_id === slug);
    expect(listed(acme.slug)).toBeDefined();
    expect(listed(acme.slug)?.stats).toBeUndefined();
    expect(listed(shared.slug)?.stats).toMatchObject({ memory_count: 2 });
    // Nothing is made half.
    const made = await loci.operator.post('/admin/tenants', { tenant_id: 'half', placement: 'acme' });
    expect(made.status).toBe(503);
    expect((await loci.operator.get('/admin/tenants/half')).status).toBe(404);

    await loci.restart();
    expect(loci.server.app.get(ServerState).phase).toBe('ready');
    expect((await shared.get('/recall?query=well')).body['count']).toBe(2);
    expect((await acme.get('/recall?query=well')).status).toBe(503);

    line.turn('open');
    const answered = await eventually(
      () => acme.get('/recall?query=well'),
      ({ status }) => status === 200,
    );
    expect(answered.body['count']).toBe(1);
    expect((await acme.post('/memory', { content: 'The well is old.' })).status).toBe(201);
  });

  it('a wrong master key for it stops the start, and so does the main database under another address', async () => {
    await expect(startHomed({ reach: () => homed.ownUrl })).rejects.toThrow(
      /^LOCI_MASTER_KEY is not the key/,
    );
    await expect(startHomed({ reach: (_own, main) => `${main}?application_name=twice` })).rejects.toThrow(
      /^LOCI_PLACEMENTS gives acme the database of the main database by another address/,
    );
  });
});
