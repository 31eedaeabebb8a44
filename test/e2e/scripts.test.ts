import { execFile } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ADMIN_TOKEN, Loci } from '../support/loci.js';

const scripts = join(__dirname, '../../scripts');

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function run(script: string, env: Record<string, string>): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      join(scripts, script),
      { env: { PATH: process.env['PATH'] ?? '', ...env } },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}

describe('the scripts that try a running server by curl', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  it.each(['test-setup.sh', 'test-isolation.sh'])(
    '%s finds everything as it should be, and leaves nothing',
    async (script) => {
      const ended = await run(script, { BASE_URL: loci.url, ADMIN_TOKEN });
      expect(ended).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringMatching(/\n\d\d as expected, 0 not\n$/),
      });
      const { body } = await loci.operator.get<{ data: { tenant_id: string }[] }>('/admin/tenants');
      expect(body.data.map(({ tenant_id }) => tenant_id)).toEqual(['default']);
    },
  );

  it.each(['test-setup.sh', 'test-isolation.sh'])(
    '%s ends with 1 where a server says yes to everything',
    async (script) => {
      const yes: RequestListener = (_, response) => response.end('{"id":"1","key":"k","memory_id":"2"}');
      const created: RequestListener = (request, response) => {
        response.statusCode = request.method === 'POST' ? 201 : 200;
        yes(request, response);
      };
      const server = createServer(created);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const ended = await run(script, { BASE_URL: `http://127.0.0.1:${port}`, ADMIN_TOKEN });
      server.close();
      expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('WRONG') });
    },
  );

  it('end with 2 without a token, and where nothing answers', async () => {
    for (const env of [{ BASE_URL: loci.url }, { BASE_URL: 'http://127.0.0.1:1', ADMIN_TOKEN }]) {
      for (const script of ['test-setup.sh', 'test-isolation.sh']) {
        expect(await run(script, env)).toMatchObject({ code: 2, stdout: '' });
      }
    }
  });
});
