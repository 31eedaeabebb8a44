import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentReader, type Environment } from '../platform/config/environment.js';
import { CommandFailed, EXIT } from './command-failed.js';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
/** Where a server that was started without settings keeps its data. */
const DATA_FOLDERS = ['.loci', '/var/lib/loci'];

/** Where the server is and what opens it, from the environment or `.env`. */
export class Connection {
  readonly url: string;
  private readonly reader: EnvironmentReader;

  /** Throws `SettingsError` where the address is none. */
  constructor(env: Environment) {
    this.reader = new EnvironmentReader(env);
    const port = this.reader.integer('PORT', { min: 1, max: 65_535 }) ?? 8000;
    this.url = this.reader.url('LOCI_URL', ['http', 'https']) ?? `http://127.0.0.1:${port}`;
  }

  /**
   * As it is set, or as an embedded server on this machine has kept it. Another machine's server never gets the token
   * that lies here. Throws `CommandFailed`.
   */
  adminToken(): string {
    const token = this.reader.token('ADMIN_API_TOKEN', 1) ?? this.keptAdminToken();
    if (token !== null) return token;
    throw new CommandFailed(
      EXIT.usage,
      'ADMIN_API_TOKEN is not set, and no data folder of a local server could be read for it.',
      'Set it, or LOCI_DATA_DIR, in the environment or .env.',
    );
  }

  get hasApiKey(): boolean {
    return this.reader.token('LOCI_API_KEY', 1) !== null;
  }

  /** As the server on this machine is told; it checks the word. */
  get defaultTenant(): string {
    return encodeURIComponent(this.reader.text('DEFAULT_TENANT_SLUG') ?? 'default');
  }

  /** A tenant's own key. Throws `CommandFailed`. */
  apiKey(): string {
    const key = this.reader.token('LOCI_API_KEY', 1);
    if (key !== null) return key;
    throw new CommandFailed(
      EXIT.usage,
      "LOCI_API_KEY is not set: what is a tenant's own, only its key opens.",
      '`loci key create --tenant <tenant>` makes one. Set it in the environment or .env.',
    );
  }

  private keptAdminToken(): string | null {
    if (!LOOPBACK.test(new URL(this.url).hostname)) return null;
    const set = this.reader.text('LOCI_DATA_DIR');
    for (const folder of set === null ? DATA_FOLDERS : [set]) {
      const token = readIfAllowed(join(folder, 'keys', 'admin-token'));
      if (token !== null) return token;
    }
    return null;
  }
}

/** Null: not there, not ours to read, or empty. */
function readIfAllowed(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim() || null;
  } catch {
    return null;
  }
}
