import { createServer } from 'node:net';
import { migrate } from '../../src/platform/database/migrations.js';
import { reaching } from '../../src/platform/database/database-not-reached.js';
import { startRefusal } from '../../src/start-refusal.js';
import { testPostgres } from '../support/postgres.js';

/** What listening there fails with. */
function listening(host: string, port = 0): Promise<unknown> {
  const server = createServer();
  return new Promise((resolve) => {
    server.on('error', resolve).listen(port, host, () => server.close(() => resolve(null)));
  });
}

describe('a start that its surroundings refuse is told in one line', () => {
  it.each([
    ['192.0.2.1', /^HOST is no address of this machine/],
    ['no-such-host.invalid', /^HOST is no address, nor a name/],
  ])('for the host %s, whose value it does not tell', async (host, line) => {
    const told = startRefusal(await listening(host), { host, port: 0 });
    expect(told).toMatch(line);
    expect(told).not.toContain(host);
  });

  it('for a port that is in use', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port));
    });
    const told = startRefusal(await listening('127.0.0.1', port), { host: '127.0.0.1', port });
    await new Promise((resolve) => taken.close(resolve));
    expect(told).toMatch(/^PORT is in use/);
  });

  it.each([
    ['is not there', { port: 9, host: '127.0.0.1' }, 'ECONNREFUSED'],
    ['is of another name', { database: 'no_such_database' }, '3D000'],
    ['knows another password', { password: 'Tr0ub4dor' }, '28P01'],
  ])('for a database that %s', async (_, wrong, code) => {
    const attempt = reaching(migrate({ ...testPostgres().connection, ...wrong }));
    const told = startRefusal(await attempt.catch((error: unknown) => error), { host: '127.0.0.1', port: 0 });
    expect(told).toMatch(/^DATABASE_URL: [^\n]+$/);
    expect(told).toContain(`(${code})`);
  });

  it.each(['53100', '55P03', '40P01'])(
    'not as unreachable where the database answers with %s',
    async (code) => {
      const failure = Object.assign(new Error('what PostgreSQL says'), { code });
      await expect(reaching(Promise.reject(failure))).rejects.toBe(failure);
      expect(startRefusal(failure, { host: '127.0.0.1', port: 0 })).toBeNull();
    },
  );

  it('for nothing else: what is a fault of ours goes to the log', () => {
    expect(startRefusal(new TypeError('x is undefined'), { host: '127.0.0.1', port: 0 })).toBeNull();
  });
});
