import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ADMIN_TOKEN, Loci } from '../support/loci.js';

const run = promisify(execFile);
const examples = join(__dirname, '../../examples');

describe('npm run demo, against a running server', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  it('finds answers, sees the wall hold, and leaves nothing behind', async () => {
    const { stdout } = await run(
      process.execPath,
      [join(examples, 'demo.mjs'), '--file', join(examples, 'conversations.json')],
      { env: { ...process.env, LOCI_URL: loci.url, ADMIN_API_TOKEN: ADMIN_TOKEN } },
    );
    expect(stdout.match(/among the best ten for (\d+ of \d+)/g)).toEqual([
      'among the best ten for 6 of 6',
      'among the best ten for 6 of 6',
    ]);
    expect(stdout.match(/✓/g)).toHaveLength(7);
    expect(stdout).not.toContain('BROKEN');
    const { body } = await loci.operator.get<{ data: { tenant_id: string }[] }>('/admin/tenants');
    expect(body.data.map((tenant) => tenant.tenant_id)).toEqual(['default']);
  });

  it('says so and fails where it has no token', async () => {
    const env: NodeJS.ProcessEnv = { ...process.env, LOCI_URL: loci.url };
    delete env['ADMIN_API_TOKEN'];
    await expect(run(process.execPath, [join(examples, 'demo.mjs')], { env })).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('ADMIN_API_TOKEN'),
    });
  });
});
