import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataFolder } from './platform/config/data-folder.js';
import { SettingsError } from './platform/config/environment.js';
import { MasterKeyFile } from './platform/config/master-key-file.js';
import { SHARED } from './platform/config/placements-file.js';
import type { Settings } from './platform/config/settings.js';
import type { Database } from './platform/database/database.js';
import type { TenantProvisioning } from './modules/tenants/tenant-provisioning.service.js';
import type { Stores } from './stores.js';
import { parseTenantSlug } from './tenancy/tenant.js';
import { MasterKey } from './tenancy/tenant-key.js';

/** The two secrets of an installation: as they were set, or made at the first start and kept in the data folder. */
export interface Secrets {
  adminToken: string;
  /** Made just now: to be shown, this once. */
  adminTokenIsNew: boolean;
  master: MasterKey;
  /** Null: the settings give the key. */
  masterKeyFile: MasterKeyFile | null;
}

export async function installationSecrets(settings: Settings, folder: DataFolder): Promise<Secrets> {
  let adminTokenIsNew = false;
  const adminToken =
    settings.adminToken ??
    (await folder.secret('admin-token', () => {
      adminTokenIsNew = true;
      return `loci_admin_${randomBytes(32).toString('base64url')}`;
    }));
  if (settings.masterKey !== null) {
    const master = new MasterKey(settings.masterKey, settings.previousMasterKey);
    return { adminToken, adminTokenIsNew, master, masterKeyFile: null };
  }
  const masterKeyFile = new MasterKeyFile(folder);
  const { key, next } = await masterKeyFile.read();
  const master = new MasterKey(key);
  if (next !== null) master.succeed(next);
  return { adminToken, adminTokenIsNew, master, masterKeyFile };
}

interface InstallationRow {
  id: string;
  master_key_check: Buffer;
  wrapped_key: Buffer | null;
  wrapped_by: Buffer | null;
}

/**
 * Which installation's ledger this is, and its key. Throws `SettingsError` where another master key has wrapped that, or
 * where some tenants' keys were left under one that is not known here.
 */
export async function openInstallation(database: Database, master: MasterKey): Promise<string> {
  return database.asSystem(async (manager) => {
    // Two that start at once make one installation.
    await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', ['loci installation']);
    const read = 'SELECT id, master_key_check, wrapped_key, wrapped_by FROM installation';
    const [found] = await manager.query<InstallationRow[]>(read);
    if (found === undefined) {
      master.mintInstallation();
      const id = randomUUID();
      await manager.query(
        'INSERT INTO installation (id, master_key_check, wrapped_key, wrapped_by) VALUES ($1, $2, $3, $4)',
        [id, master.check, master.wrapInstallation(), master.target],
      );
      return id;
    }
    const wrong = new SettingsError('LOCI_MASTER_KEY', 'is not the key that this ledger was made under');
    if (found.wrapped_key !== null && !master.openInstallation(found.wrapped_key)) throw wrong;
    if (!found.master_key_check.equals(master.check)) throw wrong;
    if (found.wrapped_key === null) {
      const oldest = master.names.at(-1);
      await manager.query('UPDATE installation SET wrapped_key = $1, wrapped_by = $2', [
        master.wrapInstallation(oldest),
        oldest,
      ]);
    }
    const [left] = await manager.query<{ n: number }[]>(
      'SELECT count(*)::int AS n FROM tenants WHERE wrapped_by IS NOT NULL AND wrapped_by <> ALL ($1::bytea[])',
      [master.names],
    );
    if (left !== undefined && left.n > 0) {
      throw new SettingsError(
        'LOCI_MASTER_KEY_PREVIOUS',
        `is needed: the keys of ${left.n} tenants are still wrapped by it. Rotate to the end before leaving it out`,
      );
    }
    return found.id;
  });
}

/** Which database this is, of those that hold ledgers of this installation. Throws `SettingsError` for another's. */
export async function openHome(database: Database, master: MasterKey): Promise<string> {
  const [row] = await database.asSystem(async (manager) => {
    await manager.query(
      `INSERT INTO installation (id, master_key_check) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
      [randomUUID(), master.check],
    );
    return manager.query<{ id: string; master_key_check: Buffer }[]>(
      'SELECT id, master_key_check FROM installation',
    );
  });
  if (row?.master_key_check.equals(master.check) !== true) {
    throw new SettingsError('LOCI_MASTER_KEY', 'is not the key that this ledger was made under');
  }
  return row.id;
}

/** Makes the default tenant of a new installation; its key, to be shown this once. Null: it was there. */
export async function provisionDefaultTenant(
  settings: Settings,
  { database, placements }: Pick<Stores, 'database' | 'placements'>,
  provisioning: TenantProvisioning,
): Promise<string | null> {
  // A process that serves other placements leaves it to those that serve this one.
  if (!placements.serves(SHARED)) return null;
  const { id, slug: wanted, workspaceId, agentId } = settings.defaultTenant;
  const slug = parseTenantSlug(wanted);
  if (slug === null) throw new SettingsError('DEFAULT_TENANT_SLUG', 'is no slug');
  // Asked by id: an operator may have deleted it, or changed it, and that is final.
  const [known] = await database.asSystem<{ n: number }[]>((manager) =>
    manager.query(`SELECT count(*)::int AS n FROM tenants WHERE id = $1 OR slug = $2`, [id, slug]),
  );
  if ((known?.n ?? 0) > 0) return null;
  const made = await provisioning.provision(
    {
      slug,
      name: 'Default',
      id,
      plan: settings.defaultPlan,
      placement: SHARED,
      settings: {},
      features: null,
      metadata: {},
      fixed: { workspaceId, agentId },
    },
    null,
  );
  return made.key?.key ?? null;
}

/**
 * Tells the secrets that were made at this start: on a terminal at once, otherwise through a file that only its owner
 * reads, because what a service prints ends in a log.
 */
export async function tellFirstSecrets(
  folder: DataFolder,
  secrets: { adminToken: string | null; defaultKey: string | null },
  isTerminal: boolean,
): Promise<string[]> {
  const lines = [
    ...(secrets.adminToken === null ? [] : [`Admin token           ${secrets.adminToken}`]),
    ...(secrets.defaultKey === null ? [] : [`Default tenant's key  ${secrets.defaultKey}`]),
  ];
  if (lines.length === 0 || isTerminal) return lines;
  const file = join(folder.keys, 'first-start.txt');
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return [`Keys made at this start are in ${file}`];
}
