import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { SettingsError } from '../../src/platform/config/environment.js';
import { parseSettings } from '../../src/platform/config/settings.js';
import { openLog } from '../../src/platform/logging/log.js';
import { startServer } from '../../src/server.js';
import { Caller, Loci, urlOf, type TestTenant } from '../support/loci.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { asSuperuser } from '../support/superuser.js';

interface KeyState {
  key: string;
  known: string[];
  remaining: number;
  rewrapped?: number;
}

const newKey = () => randomBytes(32).toString('base64');
const ROTATE = '/admin/master-key/rotate';

describe('rotating the master key', () => {
  const [first, second] = [newKey(), newKey()];
  const both = { LOCI_MASTER_KEY: second, LOCI_MASTER_KEY_PREVIOUS: first };
  let loci: Loci;
  let tenants: TestTenant[];

  beforeAll(async () => {
    loci = await Loci.start({ LOCI_MASTER_KEY: first });
    tenants = [];
    for (let n = 0; n < 12; n++) {
      const tenant = await loci.tenant();
      await tenant.post('/memory', { content: `The first teapot of tenant ${n}` });
      tenants.push(tenant);
    }
  });
  afterAll(() => loci.stop());

  const state = async () => (await loci.operator.get<KeyState>('/admin/master-key')).body;
  const readable = async () => {
    for (const tenant of tenants) {
      const { status, body } = await tenant.get<{ count: number }>('/recall?query=teapot');
      expect({ status, found: body.count > 0 }).toEqual({ status: 200, found: true });
    }
    const { body } = await loci.operator.get<{ ok: boolean }>('/admin/audit/verify');
    expect(body.ok).toBe(true);
  };
  /** Stores, recalls and provisions until it is told to stop; whatever was not answered as it should be. */
  const load = () => {
    let going = true;
    const wrong: unknown[] = [];
    let done = 0;
    const loop = async (one: (n: number) => Promise<{ status: number; body: unknown }>) => {
      for (let n = 0; going; n++) {
        const { status, body } = await one(n);
        if (status >= 400) wrong.push([status, body]);
        done++;
      }
    };
    const loops = [
      ...tenants.slice(0, 4).map((tenant) => loop((n) => tenant.post('/memory', { content: `Teapot ${n}` }))),
      ...tenants.slice(0, 2).map((tenant) => loop(() => tenant.get('/recall?query=teapot'))),
      loop(async (n) => {
        // Enough of them to fall into every moment of the rotation, and few enough to be looked at again.
        if (n >= 15) return loci.operator.get('/admin/master-key');
        const made = await loci.tenant();
        tenants.push(made);
        return made.post('/memory', { content: 'A teapot of a tenant that was made meanwhile' });
      }),
    ];
    return async () => {
      going = false;
      await Promise.all(loops);
      return { wrong, done };
    };
  };
  /** Rotations end at this tenant, as if the server had died there. */
  const obstacle = (tenant: TestTenant) =>
    asSuperuser(loci, (client) =>
      client.query(
        `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'it died here'; END $$;
         CREATE TRIGGER die BEFORE UPDATE OF wrapped_key ON tenants FOR EACH ROW WHEN (new.id = '${tenant.id}') EXECUTE FUNCTION die()`,
      ),
    );
  const noObstacle = () => asSuperuser(loci, (client) => client.query('DROP FUNCTION die() CASCADE'));

  it('is refused before the servers have the new key, and while one of them lacks it', async () => {
    expect(await loci.operator.post(ROTATE)).toMatchObject({
      status: 409,
      body: { code: 'master_key.not_ready' },
    });
    await loci.restart(undefined, both);
    await readable();
    const old = new Client({
      ...loci.server.stores.database.connection,
      application_name: 'loci-listener/00',
    });
    await old.connect();
    const refused = await loci.operator.post<{ detail: string }>(ROTATE);
    expect(refused).toMatchObject({ status: 409, body: { code: 'master_key.not_ready' } });
    expect(refused.body.detail).toMatch(/^1 of the servers/);
    await old.end();
  });

  it('wraps every key anew while tenants are served and made; cut off in the middle, it goes on when asked again', async () => {
    const before = await state();
    expect(before.known).toHaveLength(2);
    const stop = load();
    const sorted = [...tenants].sort((a, b) => (a.id < b.id ? -1 : 1));
    await obstacle(sorted[7] as TestTenant);
    expect((await loci.operator.post(ROTATE)).status).toBe(500);
    const halfway = await state();
    expect(halfway.key).toBe(before.known[0]);
    expect(halfway.remaining).toBeGreaterThan(0);
    const underWay = await stop();
    expect(underWay.wrong).toEqual([]);
    expect(underWay.done).toBeGreaterThan(10);

    // As after a crash: other processes, which have both keys.
    await loci.restart(undefined, both);
    await readable();
    await noObstacle();
    const stopAgain = load();
    const { status, body } = await loci.operator.post<KeyState>(ROTATE);
    expect({ status, remaining: body.remaining }).toEqual({ status: 200, remaining: 0 });
    expect(body.rewrapped).toBeGreaterThan(0);
    expect((await stopAgain()).wrong).toEqual([]);
    expect(await state()).toMatchObject({ key: before.known[0], remaining: 0 });
    await readable();
    expect((await loci.operator.post<KeyState>(ROTATE)).body.rewrapped).toBe(0);
  }, 120_000);

  it('leaves the old key of no use: the new one alone opens everything, and the old one alone is refused', async () => {
    const settings = (key: string) =>
      parseSettings({
        NODE_ENV: 'test',
        LOG_LEVEL: 'fatal',
        PORT: '0',
        LOCI_DATA_DIR: loci.dataFolder,
        DATABASE_URL: urlOf(loci.database),
        ADMIN_API_TOKEN: loci.operator.token,
        LOCI_MASTER_KEY: key,
      });
    const refusal = (key: string) =>
      startServer(settings(key), openLog(settings(key))).then(
        () => null,
        (error: SettingsError) => error.variable,
      );
    const left = (mark: string) =>
      asSuperuser(loci, (client) =>
        client.query(`UPDATE tenants SET wrapped_by = ${mark} WHERE id = $1`, [tenants[0]?.id]),
      );
    await loci.restart(
      async () => {
        expect(await refusal(first)).toBe('LOCI_MASTER_KEY');
        await left(`'\\x00'`);
        expect(await refusal(second)).toBe('LOCI_MASTER_KEY_PREVIOUS');
        await left('NULL');
      },
      { LOCI_MASTER_KEY: second },
    );
    await readable();
    const made = await loci.tenant();
    expect((await made.post('/memory', { content: 'A teapot' })).status).toBe(201);
  });

  it('is on record, by the names of the keys', async () => {
    const { body } = await loci.operator.get<{ data: { before: object; after: object }[] }>(
      '/admin/audit?action=master_key.rotate',
    );
    const key = expect.stringMatching(/^[0-9a-f]{16}$/) as string;
    expect(body.data).toMatchObject([{ before: { key }, after: { key } }]);
  });
});

describe('a master key that lies in the data folder', () => {
  it('is replaced by a new one, also where that was cut off before it was put in its place', async () => {
    const folder = await scratchFolder();
    const settings = parseSettings({
      NODE_ENV: 'test',
      LOG_LEVEL: 'fatal',
      PORT: '0',
      LOCI_DATA_DIR: folder.path,
    });
    const start = () => startServer(settings, openLog(settings));
    const keys = join(folder.path, 'keys');
    const kept = () => readFileSync(join(keys, 'master-key'), 'utf8');
    let server = await start();
    try {
      const token = server.first.defaultKey ?? '';
      const operator = new Caller(() => server.url, server.adminToken);
      const tenant = new Caller(() => server.url, token);
      await tenant.post('/memory', { content: 'The teapot is blue' });
      const before = kept();
      expect((await operator.post<KeyState>(ROTATE)).body).toMatchObject({ rewrapped: 1, remaining: 0 });
      const after = kept();
      expect(after).not.toBe(before);
      expect(readdirSync(keys)).not.toContain('master-key-next');

      await server.stop();
      renameSync(join(keys, 'master-key'), join(keys, 'master-key-next'));
      writeFileSync(join(keys, 'master-key'), before, { mode: 0o600 });
      server = await start();
      expect((await tenant.get('/recall?query=teapot')).body).toMatchObject({ count: 1 });
      expect((await operator.post(ROTATE)).status).toBe(200);
      expect(kept()).toBe(after);
      await server.stop();
      server = await start();
      expect((await tenant.get('/recall?query=teapot')).body).toMatchObject({ count: 1 });
    } finally {
      await server.stop();
      await folder.remove();
    }
  }, 180_000);
});
