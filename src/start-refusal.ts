import { DataFolderRefused } from './platform/config/data-folder.js';
import { SettingsError } from './platform/config/environment.js';
import type { Settings } from './platform/config/settings.js';
import { DatabaseNotReached } from './platform/database/database-not-reached.js';
import { PostgresCannotRun } from './platform/database/postgres-cannot-run.js';

/** The line that says which setting, or what of this machine, keeps the server from starting; null where it is a fault. */
export function startRefusal(error: unknown, { host, port }: Pick<Settings, 'host' | 'port'>): string | null {
  if (
    error instanceof SettingsError ||
    error instanceof DataFolderRefused ||
    error instanceof PostgresCannotRun ||
    error instanceof DatabaseNotReached
  ) {
    return error.message;
  }
  const { code, syscall, hostname } = error as NodeJS.ErrnoException & { hostname?: string };
  if (syscall === 'getaddrinfo' && hostname === host) return 'HOST is no address, nor a name that is known.';
  if (syscall !== 'listen') return null;
  if (code === 'EADDRINUSE') return `PORT is in use: something else listens on ${host}:${port}.`;
  if (code === 'EACCES') return 'PORT is one that this user may not listen on.';
  return code === 'EADDRNOTAVAIL' ? 'HOST is no address of this machine.' : null;
}
