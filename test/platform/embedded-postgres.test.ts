import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, readFile, readdir, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { DataFolder } from '../../src/platform/config/data-folder.js';
import { type DatabaseConnection, EmbeddedPostgres } from '../../src/platform/database/embedded-postgres.js';
import { type SystemUser, postgresUser } from '../../src/platform/database/postgres-user.js';
import { cannotRun } from '../support/cannot-run.js';
import { scratchFolder } from '../support/scratch-folder.js';

const ROOT = join(__dirname, '../..');
const isRoot = process.geteuid?.() === 0;

async function query(connection: DatabaseConnection, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client(connection);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function serverId(folder: DataFolder | string): Promise<number> {
  const pg = typeof folder === 'string' ? join(folder, 'pg') : folder.pg;
  return Number((await readFile(join(pg, 'data', 'postmaster.pid'), 'utf8')).split('\n', 1)[0]);
}

/** Zombies, whose parent has not asked after them, work nowhere. */
async function processesIn(data: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => null)));
  return pids.filter((_, index) => folders[index] === data);
}

/** Starts a database in a process of its own, as a server would. Resolves once it answers. */
async function serveElsewhere(path: string, user?: SystemUser): Promise<[ChildProcess, DatabaseConnection]> {
  const child = spawn(process.execPath, [join(ROOT, 'test/support/serve-postgres.mjs'), path], {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: '/',
    ...(user && {
      uid: user.uid,
      gid: user.gid,
      env: { HOME: '/nonexistent', PGDATA: '/nonexistent', PGPORT: '1' },
    }),
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const line = await Promise.race([
    once(child.stdout.setEncoding('utf8'), 'data').then(([text]) => String(text)),
    once(child, 'exit').then(() => Promise.reject(new Error(said))),
  ]);
  return [child, (JSON.parse(line) as { connection: DatabaseConnection }).connection];
}

/** The first answer, however often it takes to ask; gives up with the last refusal after 20 s. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + 20_000; ;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resume) => setTimeout(resume, 50));
    }
  }
}

describe('the embedded PostgreSQL', () => {
  let scratch: Awaited<ReturnType<typeof scratchFolder>>;
  let databaseUser: SystemUser | null;
  let folder: DataFolder;
  let postgres: EmbeddedPostgres;

  async function start(): Promise<void> {
    folder = await DataFolder.open({ path: join(scratch.path, 'data'), databaseUser });
    postgres = await EmbeddedPostgres.start(folder);
  }

  async function stop(): Promise<void> {
    await postgres.stop();
    folder.close();
  }

  beforeAll(async () => {
    scratch = await scratchFolder();
    databaseUser = await postgresUser();
    // What a first start that was cut off leaves.
    const before = await DataFolder.open({ path: join(scratch.path, 'data'), databaseUser });
    await mkdir(join(before.pg, 'data.new'));
    await writeFile(join(before.pg, 'data.new', 'PG_VERSION'), '18\n');
    before.close();
    await start();
  });

  afterAll(async () => {
    await stop();
    await scratch.remove();
  });

  it('gives a role that owns its database and makes roles, but stands above no policy', async () => {
    const [role] = await query(
      postgres.connection,
      `SELECT r.*, pg_get_userbyid(d.datdba) AS owner FROM pg_roles r, pg_database d
       WHERE r.rolname = current_user AND d.datname = current_database()`,
    );
    expect(role).toMatchObject({
      rolname: 'loci',
      owner: 'loci',
      rolsuper: false,
      rolbypassrls: false,
      rolcreaterole: true,
      rolreplication: false,
    });
  });

  it('gives up nothing on durability, and compares text the same on every machine', async () => {
    const settings = await query(
      postgres.connection,
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
              current_setting('full_page_writes') AS pages, current_setting('server_encoding') AS encoding,
              (SELECT datlocale FROM pg_database WHERE datname = current_database()) AS locale`,
    );
    expect(settings).toEqual([
      { fsync: 'on', commit: 'on', pages: 'on', encoding: 'UTF8', locale: 'C.UTF-8' },
    ]);
  });

  it('listens on a socket in a private folder alone, and asks for a password there too', async () => {
    const { connection } = postgres;
    const socket = await stat(connection.host);
    expect(socket.mode & 0o777).toBe(0o700);
    expect(socket.uid).toBe(databaseUser?.uid ?? process.geteuid?.());
    expect(await query(connection, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '' }]);
    await expect(query({ ...connection, password: 'wrong' }, 'SELECT 1')).rejects.toMatchObject({
      code: '28P01',
    });
    await expect(query({ ...postgres.admin, password: 'wrong' }, 'SELECT 1')).rejects.toMatchObject({
      code: '28P01',
    });
  });

  it('keeps what was stored over a restart, and leaves no process behind', async () => {
    await query(postgres.connection, "CREATE TABLE kept AS SELECT 'kept' AS value");
    const data = join(folder.pg, 'data');
    if (process.platform === 'linux') expect(await processesIn(data)).not.toEqual([]);
    await stop();
    if (process.platform === 'linux') expect(await processesIn(data)).toEqual([]);
    await start();
    expect(await query(postgres.connection, 'SELECT value FROM kept')).toEqual([{ value: 'kept' }]);
  });

  it('finds and stops a server that outlived the process that started it', async () => {
    await stop();
    const [starter, connection] = await serveElsewhere(join(scratch.path, 'data'));
    await query(connection, "CREATE TABLE acknowledged AS SELECT 'here' AS value");
    const leftBehind = await serverId(folder);
    starter.kill('SIGKILL');
    await once(starter, 'exit');
    expect(await query(connection, 'SELECT value FROM acknowledged')).toEqual([{ value: 'here' }]);

    await start();
    expect(await serverId(folder)).not.toBe(leftBehind);
    expect(await query(postgres.connection, 'SELECT value FROM acknowledged')).toEqual([{ value: 'here' }]);
  });

  it('never signals a process that only has the number of a server long gone', async () => {
    const pidFile = join(folder.pg, 'data', 'postmaster.pid');
    const [, ...rest] = (await readFile(pidFile, 'utf8')).split('\n');
    await stop();
    // This very process: a signal would end the tests.
    await writeFile(pidFile, [process.pid, ...rest].join('\n'), { mode: 0o600 });
    if (databaseUser) await chown(pidFile, databaseUser.uid, databaseUser.gid);
    await start();
    expect(await query(postgres.connection, 'SELECT value FROM kept')).toEqual([{ value: 'kept' }]);
  });

  it('starts the server again where it was killed under us', async () => {
    const killed = await serverId(folder);
    process.kill(killed, 'SIGKILL');
    const answer = await eventually(() => query(postgres.connection, 'SELECT value FROM kept'));
    expect(answer).toEqual([{ value: 'kept' }]);
    expect(await serverId(folder)).not.toBe(killed);
  });

  it('refuses a data folder that another process holds', async () => {
    await expect(serveElsewhere(folder.path)).rejects.toThrow(
      `is in use by another Loci (process ${process.pid})`,
    );
  });

  it('refuses the database of another release', async () => {
    const other = await DataFolder.open({ path: join(scratch.path, 'old'), databaseUser });
    await mkdir(join(other.pg, 'data'));
    await writeFile(join(other.pg, 'data', 'PG_VERSION'), '15\n');
    await expect(EmbeddedPostgres.start(other)).rejects.toThrow(/made by PostgreSQL 15, and this is 18/);
    other.close();
  });

  it('runs beside another, below a path that is too long for a socket, and leaves nothing outside', async () => {
    const deep = await DataFolder.open({
      path: join(scratch.path, 'long-'.repeat(20), 'data'),
      databaseUser,
    });
    const second = await EmbeddedPostgres.start(deep);
    try {
      expect(second.connection.host.length).toBeLessThan(80);
      expect((await stat(second.connection.host)).mode & 0o777).toBe(0o700);
      expect(await query(second.connection, 'SELECT current_database() AS name')).toEqual([{ name: 'loci' }]);
    } finally {
      await second.stop();
      deep.close();
    }
    await expect(stat(second.connection.host)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  if (isRoot) {
    it('does not run as root', async () => {
      const { uid } = await stat(`/proc/${await serverId(folder)}`);
      expect(uid).toBe(databaseUser?.uid);
      expect(uid).not.toBe(0);
    });

    const nobody = unprivileged();
    if (nobody) {
      it('runs for an ordinary user, whatever the environment says', async () => {
        const path = join(scratch.path, 'ordinary');
        await mkdir(path, { mode: 0o700 });
        await chown(path, nobody.uid, nobody.gid);
        const [starter, connection] = await serveElsewhere(path, nobody);
        expect((await stat(`/proc/${await serverId(path)}`)).uid).toBe(nobody.uid);
        expect(await query(connection, 'SELECT current_user AS name')).toEqual([{ name: 'loci' }]);
        starter.stdin?.end();
        expect(await once(starter, 'exit')).toEqual([0, null]);
        expect(await processesIn(join(path, 'pg', 'data'))).toEqual([]);
      });
    } else {
      cannotRun(
        'The embedded database was not checked as an ordinary user: user "nobody" cannot enter this checkout.',
      );
    }
  } else {
    cannotRun('The embedded database was not checked as root: these tests do not run as root.');
  }
});

/** `nobody`, where there is one who can run what lies in this checkout. */
function unprivileged(): SystemUser | null {
  try {
    const id = (flag: string) =>
      Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8', stdio: 'pipe' }));
    const user = { name: 'nobody', uid: id('-u'), gid: id('-g') };
    const files = [
      join(ROOT, 'test/support/serve-postgres.mjs'),
      join(ROOT, 'dist/platform/database/postgres-user.js'),
    ];
    execFileSync(
      process.execPath,
      ['-e', `${JSON.stringify(files)}.forEach((file) => fs.readFileSync(file))`],
      {
        ...user,
        cwd: '/',
        stdio: 'ignore',
      },
    );
    return user;
  } catch {
    return null;
  }
}
