import { spawn } from 'node:child_process';
import { chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { cannotRun } from '../support/cannot-run.js';
import { ADMIN_TOKEN } from '../support/loci.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { someVector } from '../spaces/rules/projected.js';
import { postgresPid, processesOf, ServerProcess, startFailure } from './server-process.js';

interface Made {
  tenant_id: string;
  api_key: { key: string };
}

describe('the server as a process', () => {
  let folder: { path: string; remove(): Promise<void> };
  let data: string;
  let options: { cwd: string; env: Record<string, string> };
  const running: ServerProcess[] = [];

  beforeEach(async () => {
    folder = await scratchFolder();
    data = join(folder.path, 'data');
    options = { cwd: folder.path, env: { LOCI_DATA_DIR: data } };
  });
  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop();
    await folder.remove();
  });

  const start = async (env: Record<string, string> = {}): Promise<ServerProcess> => {
    const server = await ServerProcess.start({ ...options, env: { ...options.env, ...env } });
    running.push(server);
    return server;
  };
  const tenantOf = async (server: ServerProcess, slug: string): Promise<string> =>
    (await server.as(ADMIN_TOKEN).post<Made>('/admin/tenants', { tenant_id: slug })).body.api_key.key;

  describe.each(['SIGTERM', 'SIGINT'] as const)('on %s', (signal) => {
    it('finishes what it accepted, ends with 0, leaves no process, and starts cleanly again', async () => {
      const server = await start();
      const key = await tenantOf(server, 'stopped');
      const caller = server.as(key);
      // Long enough to be under way: each text is embedded.
      const texts = (batch: number) =>
        Array.from({ length: 20 }, (_, i) => ({
          content: `Batch ${batch}, text ${i}: ${'words '.repeat(60)}`,
        }));
      let answered = 0;
      const requests = [0, 1, 2].map(async (batch) => {
        const reply = await caller.post<{ memory_ids: string[] }>('/memory/batch', {
          memories: texts(batch),
        });
        answered++;
        return reply;
      });
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(answered).toBe(0);
      server.kill(signal);
      // As npm hands a terminal's Ctrl-C on once more.
      server.kill(signal);
      const replies = await Promise.all(requests);
      expect(replies.map(({ status }) => status)).toEqual([201, 201, 201]);
      const { code, stdout, stderr } = await server.ended;
      expect(code).toBe(0);
      expect(stderr).toBe('');
      expect(stdout).toMatch(/Stopped\.\s*$/);
      expect((await processesOf(folder.path)) ?? []).toEqual([]);
      expect(await postgresPid(data)).toBeNull();

      const again = await start();
      const after = again.as(key);
      for (const id of replies.flatMap(({ body }) => body.memory_ids))
        expect((await after.get(`/memory/${id}`)).status).toBe(200);
      expect((await after.get('/recall?query=words&limit=100')).body).toMatchObject({ count: 60 });
      expect((await again.stop()).code).toBe(0);
    }, 180_000);
  });

  it('prints no secret where nobody watches, and names the 0600 file that holds them', async () => {
    const server = await start({ ADMIN_API_TOKEN: '' });
    await server.said(/first-start/);
    const file = join(data, 'keys', 'first-start.txt');
    const held = await readFile(file, 'utf8');
    const [, admin = ''] = /^Admin token +(\S+)$/m.exec(held) ?? [];
    const [, key = ''] = /key +(\S+)$/m.exec(held) ?? [];
    expect(server.stdout).toContain(file);
    expect(server.stdout + server.stderr).not.toContain(admin);
    expect(server.stdout + server.stderr).not.toContain(key);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(data, 'keys'))).mode & 0o777).toBe(0o700);
    expect((await server.as(admin).get('/admin/tenants')).status).toBe(200);
    expect((await server.as(key).get('/v1/tenants/current')).body).toMatchObject({
      id: '00000000-0000-0000-0000-000000000001',
      tenant_id: 'default',
      workspace_id: '00000000-0000-0000-0000-000000000002',
    });
    await server.stop();
    const again = await start({ ADMIN_API_TOKEN: '' });
    expect(again.stdout).not.toContain('first-start');
    expect((await again.as(admin).get('/admin/tenants')).status).toBe(200);
    expect((await again.as(key).get('/v1/tenants/current')).status).toBe(200);
  }, 180_000);

  it('shows its secrets on a terminal, once', async () => {
    // `script` gives the server a terminal of its own.
    const said = await onTerminal(folder.path, { LOCI_DATA_DIR: data, PORT: '0', LOG_LEVEL: 'fatal' });
    if (said === null)
      return cannotRun('What the server prints on a terminal was not looked at: there is no `script` here.');
    expect(said).toMatch(/Admin token +loci_admin_\S{43}/);
    expect(said).toMatch(/Default tenant's key +loci_live_\S+/);
  }, 180_000);

  it.each<[string, Record<string, string>]>([
    ['LOCI_SECRET_THING', { LOCI_SECRET_THING: 'Tr0ub4dor' }],
    ['PORT', { PORT: 'Tr0ub4dor' }],
    ['ADMIN_API_TOKEN', { ADMIN_API_TOKEN: 'Tr0ub4dor and a space' }],
    ['LOCI_MASTER_KEY', { DATABASE_URL: 'postgres://u:Tr0ub4dor@127.0.0.1:1/db' }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://u:Tr0ub4dor@127.0.0.1/db' }],
    ['ENABLE_TENANT_ISOLATION', { ENABLE_TENANT_ISOLATION: 'false' }],
    ['ENABLE_ROW_LEVEL_SECURITY', { ENABLE_ROW_LEVEL_SECURITY: 'false' }],
  ])(
    'does not start with a wrong %s, and says so in one line without the value (%j)',
    async (variable, env) => {
      const { code, stdout, stderr } = await startFailure({ ...options, env: { ...options.env, ...env } });
      expect(code).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(new RegExp(`^${variable} [^\n]+\n$`));
      expect(stderr).not.toContain('Tr0ub');
      expect(await stat(data).catch(() => null)).toBeNull();
    },
  );

  it('does not wait for requests that are never sent to their end, and leaves no process', async () => {
    const server = await start();
    const { hostname, port } = new URL(server.url);
    const begun = [
      'POST /memory HTTP/1.1\r\nHost: loci\r\nContent-Length: 100\r\n\r\n{"content"',
      'POST /memory HTTP/1.1\r\nHost: lo',
    ].map(async (part) => {
      const socket = connect(Number(port), hostname, () => socket.write(part));
      socket.on('error', () => undefined).resume();
      await new Promise((resolve) => socket.once('close', resolve));
    });
    // The one before is known to the server once this one, sent after it, is answered.
    expect((await server.as(ADMIN_TOKEN).get('/admin/tenants')).status).toBe(200);
    const { code, stderr } = await server.stop();
    await Promise.all(begun);
    expect([code, stderr]).toEqual([0, '']);
    expect((await processesOf(folder.path)) ?? []).toEqual([]);
  }, 180_000);

  it('sends to its end what it has answered, however large', async () => {
    const server = await start();
    const caller = server.as(await tenantOf(server, 'large'));
    for (let batch = 0; batch < 5; batch++) {
      const memories = Array.from({ length: 40 }, (_, i) => ({
        // Six characters of JSON for each.
        content: `${batch}/${i} ${'\u0001'.repeat(65_000)}`,
        embedding: someVector(),
      }));
      expect((await caller.post('/memory/batch', { memories })).status).toBe(201);
    }
    const answer = await new Promise<IncomingMessage>((resolve) =>
      get(`${server.url}/v1/memories?limit=200`, { headers: { 'X-API-Key': caller.token } }, resolve),
    );
    server.kill('SIGTERM');
    await server.said(/Stopping/);
    let read = 0;
    for await (const piece of answer) read += (piece as Buffer).length;
    // More than the buffers between the two hold.
    expect(read).toBeGreaterThan(70_000_000);
    expect(String(read)).toBe(answer.headers['content-length']);
    expect((await server.ended).code).toBe(0);
  }, 180_000);

  it('cuts off what does not end within 20 seconds, and leaves no process all the same', async () => {
    const endless = 'import { Server } from "node:http"; Server.prototype.close = () => undefined;';
    const server = await start({
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(endless)}`,
    });
    const { code, stdout } = await server.stop();
    expect(stdout).not.toContain('Stopped');
    expect(code).toBe(1);
    expect((await processesOf(folder.path)) ?? []).toEqual([]);
  }, 180_000);

  it('reads settings from .env, refuses wrong ones there too', async () => {
    await writeFile(join(folder.path, '.env'), 'LOCI_TYPO=Tr0ub4dor\n');
    const { code, stderr } = await startFailure(options);
    expect([code, stderr.startsWith('LOCI_TYPO '), stderr.includes('Tr0ub')]).toEqual([1, true, false]);
  });

  it('does not start with a database that is not there, and does not tell its password', async () => {
    const env = {
      ...options.env,
      DATABASE_URL: 'postgres://u:Tr0ub4dor@127.0.0.1:9/db',
      LOCI_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    };
    const { code, stdout, stderr } = await startFailure({ ...options, env });
    expect(code).toBe(1);
    expect(stdout + stderr).not.toContain('Tr0ub4dor');
    expect(stderr).toBe('DATABASE_URL: the database cannot be reached (ECONNREFUSED).\n');
  }, 180_000);

  it('does not start where its port is taken, and leaves no process', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) =>
      taken.listen(0, '127.0.0.1', () => {
        const address = taken.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      }),
    );
    const { code, stderr } = await startFailure({ ...options, env: { ...options.env, PORT: String(port) } });
    taken.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^PORT is in use[^\n]+\n$/);
    expect((await processesOf(folder.path)) ?? []).toEqual([]);
    expect((await start()).url).toMatch(/^http:/);
  }, 180_000);

  it('does not open a data folder that another holds, which goes on undisturbed', async () => {
    const first = await start();
    const key = await tenantOf(first, 'first');
    const { code, stderr } = await startFailure(options);
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain(data);
    expect((await first.as(key).post('/memory', { content: 'Undisturbed' })).status).toBe(201);
  }, 180_000);

  it('serves for an ordinary user in a folder of its own', async () => {
    const isRoot = process.getuid?.() === 0;
    const user = { uid: 65_534, gid: 65_534 };
    const home = join(folder.path, 'home');
    await mkdir(home);
    if (isRoot) {
      await chown(home, user.uid, user.gid);
      if (!(await canRead(user))) {
        return cannotRun(
          'The server was not started as an ordinary user: that user cannot enter this checkout.',
        );
      }
    }
    const as = {
      cwd: home,
      env: { LOCI_DATA_DIR: join(home, 'data'), HOME: home },
      ...(isRoot ? { user } : {}),
    };
    const first = await ServerProcess.start(as);
    running.push(first);
    const key = await tenantOf(first, 'ordinary');
    const stored = await first.as(key).post('/memory', { content: 'An ordinary memory' });
    expect(stored).toMatchObject({ status: 201, body: { indexed: true } });
    expect((await stat(join(home, 'data'))).uid).toBe(isRoot ? user.uid : process.getuid?.());
    expect(await first.stop()).toMatchObject({ code: 0, stderr: '' });
    expect((await processesOf(folder.path)) ?? []).toEqual([]);
    const second = await ServerProcess.start(as);
    running.push(second);
    expect((await second.as(key).get('/recall?query=ordinary')).body).toMatchObject({ count: 1 });
  }, 180_000);
});

/** Whether this user could run what is in this checkout. */
function canRead(user: { uid: number; gid: number }): Promise<boolean> {
  const main = join(__dirname, '..', '..', 'dist', 'main.js');
  const probe = spawn(process.execPath, ['-e', 'fs.readFileSync(process.argv[1])', main], {
    ...user,
    stdio: 'ignore',
  });
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.once('exit', (code) => resolve(code === 0));
  });
}

/** What the server says on a terminal until it answers; null where no terminal can be had. */
function onTerminal(cwd: string, env: Record<string, string>): Promise<string | null> {
  const main = join(__dirname, '..', '..', 'dist', 'main.js');
  const command = `exec '${process.execPath}' '${main}'`;
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return new Promise((resolve) => {
    let said = '';
    child.once('error', () => resolve(null));
    child.once('close', () => resolve(said));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      // Everything is said: an end of the terminal's input is Ctrl-C to the server.
      if (said.includes("tenant's key")) child.kill('SIGTERM');
    });
  });
}
