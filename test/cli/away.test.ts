import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { scratchFolder } from '../support/scratch-folder.js';
import { runLoci, type Ended } from './loci-command.js';

describe('the command line without a server that answers well', () => {
  let scratch: Awaited<ReturnType<typeof scratchFolder>>;
  beforeAll(async () => {
    scratch = await scratchFolder();
  });
  afterAll(() => scratch.remove());

  const run = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
    runLoci(args, { cwd: scratch.path, env });

  async function against(listener: RequestListener, ...args: string[]): Promise<Ended> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      return await run(args, { LOCI_URL: `http://127.0.0.1:${port}`, ADMIN_API_TOKEN: 'a-token' });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  it('ends with 3 where nothing listens', async () => {
    // Port 1 is nobody's.
    const ended = await run(['health'], { LOCI_URL: 'http://127.0.0.1:1' });
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(ended.stderr).toContain('No server answers at http://127.0.0.1:1 (ECONNREFUSED).');
  });

  it('ends with 3 where the server fails, and says what it said', async () => {
    const problem = {
      detail: 'The ledger cannot be reached.',
      code: 'ledger.unavailable',
      request_id: 'r-1',
    };
    const ended = await against(
      (_, response) => {
        response.writeHead(503, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(problem));
      },
      'tenant',
      'list',
    );
    expect(ended).toEqual({
      code: 3,
      stdout: '',
      stderr: 'error: The ledger cannot be reached.\n       ledger.unavailable (503), request r-1\n',
    });
  });

  it.each<[string, RequestListener]>([
    ['another kind of server', (_, response) => response.end('<html>Hello</html>')],
    ['one that sends elsewhere', (_, response) => response.writeHead(302, { Location: '/' }).end('{}')],
    ['one that breaks off', (_, response) => response.writeHead(200, { 'Content-Length': 9 }).end('{}')],
    ['one that hangs up', (request) => request.socket.destroy()],
  ])('ends with 3 at %s', async (_, listener) => {
    const ended = await against(listener, 'tenant', 'show', 'acme');
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(ended.stderr.split('\n').length).toBeLessThanOrEqual(3);
  });

  it('ends with 3 where a part of the server is down', async () => {
    const health = { status: 'degraded', version: '1', stores: { ledger: 'down', vectors: 'ok' } };
    const ended = await against((_, response) => response.end(JSON.stringify(health)), 'health');
    expect(ended).toMatchObject({ code: 3, stdout: expect.stringMatching(/^ledger +down$/m) });
  });

  it('keeps telling what was verified when the server goes away', async () => {
    const same = { equal: true, in_ledger: 0, in_projection: 0 };
    const none = { count: 0, examples: [] };
    const verdict = { ...same, missing: none, surplus: none, stale: none, changed: none };
    const ended = await against(
      (request, response) => {
        if (request.url?.includes('second') === true) request.socket.destroy();
        else
          response.end(JSON.stringify({ tenant_id: 'first', equal: true, vectors: verdict, graph: verdict }));
      },
      'verify',
      'first',
      'second',
    );
    expect(ended).toMatchObject({ code: 3, stdout: expect.stringMatching(/^first +yes /m) });
  });

  it.each([
    ['no command', []],
    ['an unknown command', ['tenants']],
    ['an unknown option', ['tenant', 'list', '--everything']],
    ['no tenant', ['tenant', 'show']],
    ['an empty tenant', ['tenant', 'delete', '']],
    ['a tenant that would name another route', ['tenant', 'delete', '..']],
    ['a tenant without a name', ['tenant', 'create']],
    ['nothing to verify', ['verify']],
    ['all and one', ['verify', 'acme', '--all']],
    ['no key to recall with', ['recall', 'tea']],
    ['no tenant of a key', ['key', 'list']],
  ])('ends with 2 for %s, without asking the server', async (_, args) => {
    const ended = await run(args, { LOCI_URL: 'http://127.0.0.1:1', ADMIN_API_TOKEN: 'a-token' });
    expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/\S/) });
  });

  it('names a malformed setting and not its value', async () => {
    const ended = await run(['health'], { LOCI_URL: 'ftp://secret.example' });
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('LOCI_URL must be a URL') });
    expect(ended.stderr).not.toContain('secret');
  });
});
