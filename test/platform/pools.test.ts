import { Database } from '../../src/platform/database/database.js';
import { migrate } from '../../src/platform/database/migrations.js';
import { isLedgerAway } from '../../src/platform/errors/ledger-away.js';
import { freshDatabase, type FreshDatabase } from '../support/postgres.js';
import { SilentProxy } from '../support/silent-proxy.js';

describe('the pools on PostgreSQL', () => {
  let fresh: FreshDatabase;
  let proxy: SilentProxy;
  let database: Database;

  beforeAll(async () => {
    fresh = await freshDatabase();
    await migrate(fresh);
    const { host, port } = fresh;
    proxy = await SilentProxy.start(
      host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port },
    );
    const through = { ...fresh, host: '127.0.0.1', port: proxy.port };
    database = await Database.open(through, [], { tenants: 2, system: 2, connectMs: 500, statementMs: 200 });
  });
  afterAll(async () => {
    await database.close();
    await proxy.stop();
    await fresh.drop();
  });

  const ask = async (marker: string): Promise<unknown> => {
    const [row] = await database.readAsSystem<{ marker: string }>('SELECT $1::text AS marker', [marker]);
    return row?.marker;
  };
  const askAll = (name: string): Promise<unknown[]> =>
    Promise.all(Array.from({ length: 20 }, (_, at) => ask(`${name}${at}`)));
  const expected = (name: string): string[] => Array.from({ length: 20 }, (_, at) => `${name}${at}`);

  it('tell callers that the ledger is away where it is silent, and hand nobody an answer that was another’s', async () => {
    expect(await askAll('before')).toEqual(expected('before'));
    proxy.fallSilent();
    const asked = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => ask(`silent${at}`)));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toEqual([]);
    for (const one of asked) expect(one.status === 'rejected' && isLedgerAway(one.reason)).toBe(true);
    proxy.speak();
    expect(await askAll('after')).toEqual(expected('after'));
  });

  it('end a statement that takes too long, and go on', async () => {
    const refusal = await database.readAsSystem('SELECT pg_sleep(5)', []).catch((error: unknown) => error);
    expect(isLedgerAway(refusal)).toBe(true);
    expect(await askAll('then')).toEqual(expected('then'));
  });
});
