import { spawn } from 'node:child_process';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { DataFolder, chooseDataFolder } from '../../src/platform/config/data-folder.js';
import { postgresUser } from '../../src/platform/database/postgres-user.js';
import { cannotRun } from '../support/cannot-run.js';
import { scratchFolder } from '../support/scratch-folder.js';

const isRoot = process.geteuid?.() === 0;

async function mode(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

describe('the data folder', () => {
  let scratch: Awaited<ReturnType<typeof scratchFolder>>;
  const opened: DataFolder[] = [];

  async function open(path: string): Promise<DataFolder> {
    const folder = await DataFolder.open({ path, databaseUser: null });
    opened.push(folder);
    return folder;
  }

  beforeEach(async () => {
    scratch = await scratchFolder();
  });

  afterEach(async () => {
    for (const folder of opened.splice(0)) folder.close();
    await scratch.remove();
  });

  it('is made with all its folders, closed to everybody else', async () => {
    const folder = await open(join(scratch.path, 'a', 'b'));
    for (const path of [folder.path, folder.pg, folder.spaces, folder.keys, folder.models]) {
      expect(await mode(path)).toBe('700');
    }
  });

  it('is refused where others may write to it', async () => {
    const path = join(scratch.path, 'open');
    await mkdir(path);
    await chmod(path, 0o777);
    await expect(open(path)).rejects.toThrow(/^LOCI_DATA_DIR: .*open can be written by other users.*$/);
    expect(await readdir(path)).toEqual([]);
  });

  it('is refused where it is a file', async () => {
    const path = join(scratch.path, 'file');
    await writeFile(path, '');
    await expect(open(path)).rejects.toThrow(/^LOCI_DATA_DIR: .*file is not a folder\.$/);
  });

  it('is held by one opener at a time', async () => {
    const path = join(scratch.path, 'data');
    const first = await open(path);
    await expect(open(path)).rejects.toThrow(`is in use by another Loci (process ${process.pid})`);
    first.close();
    await open(path);
  });

  it('is held against other processes, and free again once its holder was killed', async () => {
    const path = join(scratch.path, 'data');
    const script = `
      const { DataFolder } = await import(${JSON.stringify(join(__dirname, '../../dist/platform/config/data-folder.js'))});
      await DataFolder.open({ path: ${JSON.stringify(path)}, databaseUser: null });
      console.log('open');
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    await expect(open(path)).rejects.toThrow(`(process ${holder.pid})`);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await open(path);
  });

  describe('its secrets', () => {
    it('are made once and kept, readable by nobody else', async () => {
      const path = join(scratch.path, 'data');
      const first = await open(path);
      let made = 0;
      const make = () => `secret ${++made}`;
      const both = await Promise.all([first.secret('admin-token', make), first.secret('admin-token', make)]);
      expect(both).toEqual(['secret 1', 'secret 1']);
      expect(await mode(join(first.keys, 'admin-token'))).toBe('600');
      first.close();

      const second = await open(path);
      expect(await second.secret('admin-token', make)).toBe('secret 1');
      expect(await readdir(second.keys)).toEqual(['admin-token']);
    });

    it('are never replaced where their file was emptied', async () => {
      const folder = await open(join(scratch.path, 'data'));
      await writeFile(join(folder.keys, 'master-key'), '');
      await expect(folder.secret('master-key', () => 'new')).rejects.toThrow(/master-key is empty/);
    });

    it('survive a process that ended while it was writing one', async () => {
      const folder = await open(join(scratch.path, 'data'));
      await writeFile(join(folder.keys, 'master-key.new'), 'half');
      expect(await folder.secret('master-key', () => 'whole')).toBe('whole');
    });
  });

  if (isRoot) {
    describe('opened by root', () => {
      it("lets the database's user in, to pg/ alone", async () => {
        const databaseUser = await postgresUser();
        const folder = await DataFolder.open({ path: join(scratch.path, 'a', 'b'), databaseUser });
        opened.push(folder);
        expect(await mode(folder.path)).toBe('711');
        expect(await mode(folder.keys)).toBe('700');
        expect((await stat(folder.pg)).uid).toBe(databaseUser?.uid);
      });

      it("is refused below a folder that the database's user cannot enter, and by default goes elsewhere", async () => {
        const databaseUser = await postgresUser();
        const home = join(scratch.path, 'home');
        await mkdir(home, { mode: 0o700 });
        const path = join(home, 'checkout', 'data');
        await expect(DataFolder.open({ path, databaseUser })).rejects.toThrow(
          `LOCI_DATA_DIR: the database's user "postgres" cannot enter ${home}, `,
        );
        const before = process.cwd();
        try {
          process.chdir(home);
          expect(await chooseDataFolder({ path: null, databaseUser })).toBe('/var/lib/loci');
          expect(await chooseDataFolder({ path: null, databaseUser: null })).toBe(join(home, '.loci'));
        } finally {
          process.chdir(before);
        }
      });

      it('is refused where it belongs to another user', async () => {
        const path = join(scratch.path, 'theirs');
        const databaseUser = await postgresUser();
        const folder = await DataFolder.open({ path, databaseUser });
        folder.close();
        await expect(open(folder.pg)).rejects.toThrow(/belongs to another user \(uid \d+\)/);
      });
    });
  } else {
    cannotRun('What the data folder does for root was not checked: these tests do not run as root.');
  }
});
