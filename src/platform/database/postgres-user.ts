import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PostgresCannotRun } from './postgres-cannot-run.js';

const run = promisify(execFile);

/** A user of the operating system. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

const NAME = 'postgres';

/**
 * Who has to run the embedded database: null where we can do it ourselves.
 * PostgreSQL refuses to run as root, so root lets the user `postgres` do it, who is made where missing.
 */
export async function postgresUser(): Promise<SystemUser | null> {
  if (process.geteuid?.() !== 0) return null;
  const known = await lookUp();
  if (known) return known;
  // shadow's useradd first, busybox's adduser (Alpine) after; whether either worked is what the second look tells.
  await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', NAME]).catch(
    () => run('adduser', ['-S', '-D', '-H', '-s', '/bin/false', NAME]).catch(() => undefined),
  );
  const made = await lookUp();
  if (made) return made;
  throw new PostgresCannotRun(
    `PostgreSQL refuses to run as root and no user "${NAME}" could be made: make one, run Loci as an ordinary user, or set DATABASE_URL.`,
  );
}

async function lookUp(): Promise<SystemUser | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', NAME]), run('id', ['-g', NAME])]);
    return { name: NAME, uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}
