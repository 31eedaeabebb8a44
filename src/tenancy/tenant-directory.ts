import { timingSafeEqual } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Homes, MAIN } from '../ledger/homes.js';
import { Database } from '../platform/database/database.js';
import type { PlanTier } from '../platform/config/plans.js';
import { Placements } from '../spaces/placements.js';
import {
  scopesOf,
  type KeyPrincipal,
  type Tenant,
  type TenantSettings,
  type TenantState,
} from './principal.js';
import { grantedFeatures } from './features.js';
import {
  isUuid,
  spaceName,
  tenantColumn,
  type TenantId,
  type TenantSlug,
  type WorkspaceId,
} from './tenant.js';
import { MasterKey } from './tenant-key.js';

export interface TenantRow extends QueryResultRow {
  id: TenantId;
  slug: TenantSlug;
  name: string;
  state: TenantState;
  plan: PlanTier;
  placement: string;
  home: string;
  embedding_model: string;
  default_workspace_id: WorkspaceId;
  default_agent_id: string;
  settings: TenantSettings;
  domain: string | null;
  platform: string | null;
  contact_email: string | null;
  contact_name: string | null;
  features: string[] | null;
  features_off: string[];
  wrapped_key: Buffer;
}

interface KeyRow extends TenantRow {
  key_id: string;
  hash: Buffer;
  workspace_id: WorkspaceId | null;
  scopes: string[];
  rate_limit_per_minute: number | null;
  expires_at: Date | null;
}

/** A workspace and whose it is. */
export interface TenantWorkspace {
  tenant: Tenant;
  workspace: WorkspaceId;
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000' as TenantId;

/** What `tenantFrom` needs of `tenants t`. */
export const TENANT_COLUMNS = `t.id, t.slug, t.name, t.state, t.plan, t.placement, t.home, t.embedding_model,
  t.default_workspace_id, t.default_agent_id, t.settings, t.domain, t.platform, t.contact_email,
  t.contact_name, t.features, t.features_off, t.wrapped_key`;

/** Active, and in a placement that this process serves ($1): what its jobs look after. */
const LOOKED_AFTER = `t.state = 'active' AND t.placement = ANY($1)`;

/** Asked of the database in which ledgers are. A row of a ledger that has left, or is still to come, does no harm. */
const BEHIND = `
SELECT t.id FROM tenants t LEFT JOIN followers f ON f.tenant_id = t.id AND f.name = $2
WHERE ${LOOKED_AFTER} AND t.revision > COALESCE(f.revision, 0) AND (f.next_try_at IS NULL OR f.next_try_at <= now())
ORDER BY f.updated_at NULLS FIRST LIMIT $3`;

/** One look into one index; `$1` is `lookupOf(hash)`. */
export const KEY_BY_LOOKUP = `
SELECT ${TENANT_COLUMNS}, k.id AS key_id, k.hash, k.workspace_id, k.scopes, k.rate_limit_per_minute, k.expires_at
FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
WHERE k.lookup = $1 AND (k.revoked_at IS NULL OR k.revoked_at > now())
  AND (k.expires_at IS NULL OR k.expires_at > now()) AND t.state <> 'deleted'`;

/** The part of a hash that keys are found by; the whole is compared afterwards, in constant time. */
export function lookupOf(hash: Buffer): Buffer {
  return hash.subarray(0, 8);
}

/** Makes `Tenant` values, from the ledger alone. */
@Injectable()
export class TenantDirectory {
  private readonly logger = new Logger(TenantDirectory.name);

  constructor(
    private readonly database: Database,
    private readonly homes: Homes,
    private readonly master: MasterKey,
    private readonly placements: Placements,
  ) {}

  /**
   * By a token's hash (`hashToken`); null where it is unknown, expired, revoked, or a deleted tenant's, which all cost
   * the same: one query that finds nothing. A suspended tenant's key is found.
   */
  async principalOf(hash: Buffer): Promise<KeyPrincipal | null> {
    const rows = await this.database.readAsSystem<KeyRow>(KEY_BY_LOOKUP, [lookupOf(hash)]);
    const row = rows.find((candidate) => timingSafeEqual(candidate.hash, hash));
    if (row === undefined) return null;
    return {
      kind: 'key',
      keyId: row.key_id,
      tenant: this.tenantFrom(row),
      workspace: row.workspace_id,
      scopes: scopesOf(row.scopes),
      rateLimitPerMinute: row.rate_limit_per_minute,
      expiresAt: row.expires_at,
    };
  }

  /** Null where there is none. For the operator's routes and the server's own jobs. */
  async tenantById(id: TenantId): Promise<Tenant | null> {
    const [tenant] = await this.tenants('t.id = $1', [id]);
    return tenant ?? null;
  }

  /**
   * The workspaces that an operator may mean by a UUID, or by a slug of the named tenant (slug or UUID): those of
   * tenants that are not deleted. More than one only where tenants share an id.
   */
  async workspacesNamed(workspace: string, tenant: string | null): Promise<TenantWorkspace[]> {
    const rows = await this.database.readAsSystem<TenantRow & { workspace_id: WorkspaceId }>(
      `SELECT ${TENANT_COLUMNS}, w.id AS workspace_id FROM workspaces w JOIN tenants t ON t.id = w.tenant_id
       WHERE ${isUuid(workspace) ? 'w.id = $1::uuid' : 'w.slug = $1 AND $2::text IS NOT NULL'}
         AND ($2::text IS NULL OR t.slug = $2 OR t.id::text = $2) AND t.state <> 'deleted'
         AND w.deleted_at IS NULL LIMIT 2`,
      [workspace, tenant],
    );
    return rows.map((row) => ({ tenant: this.tenantFrom(row), workspace: row.workspace_id }));
  }

  /** The active store behind a host name, with or without `www.` before its domain; null where there is none. */
  async storeAt(host: string): Promise<Tenant | null> {
    const [store] = await this.tenants(
      `t.domain = ANY($1) AND t.platform IS NOT NULL AND t.state = 'active' ORDER BY length(t.domain) DESC LIMIT 1`,
      [[host, host.replace(/^www\./, '')]],
    );
    return store ?? null;
  }

  /** By slug, UUID or domain; null where there is none, or it is deleted. For the operator's routes. */
  async tenantNamed(name: string): Promise<Tenant | null> {
    const condition = `t.${tenantColumn(name)} = $1`;
    const [tenant] = await this.tenants(`${condition} AND t.state <> 'deleted'`, [name.toLowerCase()]);
    return tenant ?? null;
  }

  /** Tenants with texts that wait for a vector of this model. */
  async waitingForVectors(model: string, limit: number): Promise<Tenant[]> {
    const here = await this.tenants(
      `${LOOKED_AFTER} AND t.home = '${MAIN}'
       AND EXISTS (SELECT FROM pending_vectors p WHERE p.tenant_id = t.id AND p.model = $2) LIMIT $3`,
      [this.placements.names, model, limit],
    );
    const elsewhere = await this.inOtherHomes<{ tenant_id: TenantId }>(
      'SELECT DISTINCT tenant_id FROM pending_vectors WHERE model = $1 LIMIT $2',
      [model, limit],
    );
    if (elsewhere.length === 0) return here;
    const there = await this.tenants(`${LOOKED_AFTER} AND t.home <> '${MAIN}' AND t.id = ANY($2)`, [
      this.placements.names,
      elsewhere.map((row) => row.tenant_id),
    ]);
    return [...here, ...there].slice(0, limit);
  }

  /** Tenants whose ledger has changed since this follower last handled it, the longest left alone first. */
  async behind(follower: string, limit: number): Promise<Tenant[]> {
    const here = await this.tenants(`${LOOKED_AFTER} AND t.home = '${MAIN}' AND t.id IN (${BEHIND})`, [
      this.placements.names,
      follower,
      limit,
    ]);
    const elsewhere = await this.inOtherHomes<{ id: TenantId }>(BEHIND, [
      this.placements.names,
      follower,
      limit,
    ]);
    if (elsewhere.length === 0) return here;
    const there = await this.tenants(`${LOOKED_AFTER} AND t.home <> '${MAIN}' AND t.id = ANY($2)`, [
      this.placements.names,
      elsewhere.map((row) => row.id),
    ]);
    return [...here, ...there];
  }

  /** Active tenants whose queries are still answered by another model. */
  async notYetOn(model: string, limit: number): Promise<Tenant[]> {
    return this.tenants(`${LOOKED_AFTER} AND t.embedding_model <> $2 ORDER BY t.id LIMIT $3`, [
      this.placements.names,
      model,
      limit,
    ]);
  }

  /** Models that answered until a switch before this time, and are still kept. */
  async retiredModels(before: Date, limit: number): Promise<{ tenant: Tenant; model: string }[]> {
    const rows = await this.database.asSystem<(TenantRow & { retired_model: string })[]>((manager) =>
      manager.query(
        `SELECT ${TENANT_COLUMNS}, t.retired_model FROM tenants t
         WHERE ${LOOKED_AFTER} AND t.retired_at < $2 ORDER BY t.retired_at LIMIT $3`,
        [this.placements.names, before, limit],
      ),
    );
    return rows.map((row) => ({ tenant: this.tenantFrom(row), model: row.retired_model }));
  }

  /** Every active tenant of the placements that are served here, read page by page. */
  async *activeTenants(pageSize: number): AsyncGenerator<Tenant> {
    for (let after = FIRST_ID; ;) {
      const page = await this.tenants(`${LOOKED_AFTER} AND t.id > $2 ORDER BY t.id LIMIT $3`, [
        this.placements.names,
        after,
        pageSize,
      ]);
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize) return;
      after = last.id;
    }
  }

  /** Every model that texts wait for. */
  async modelsInUse(): Promise<string[]> {
    const models = 'SELECT DISTINCT model FROM pending_vectors';
    const rows = [
      ...(await this.database.readAsSystem<{ model: string }>(models, [])),
      ...(await this.inOtherHomes<{ model: string }>(models, [])),
    ];
    return [...new Set(rows.map((row) => row.model))];
  }

  /** The same question to every database beside the main one; one that is away has nothing to say. */
  private async inOtherHomes<Row extends QueryResultRow>(sql: string, values: unknown[]): Promise<Row[]> {
    const answers = this.homes.others.map(async (home) => {
      try {
        return await (await this.homes.of(home)).readAsSystem<Row>(sql, values);
      } catch (error) {
        this.logger.warn(`The ledgers in ${home} cannot be asked: ${String(error)}`);
        return [];
      }
    });
    return (await Promise.all(answers)).flat();
  }

  private async tenants(condition: string, values: unknown[]): Promise<Tenant[]> {
    const rows = await this.database.asSystem<TenantRow[]>((manager) =>
      manager.query(`SELECT ${TENANT_COLUMNS} FROM tenants t WHERE ${condition}`, values),
    );
    return rows.map((row) => this.tenantFrom(row));
  }

  tenantFrom(row: TenantRow): Tenant {
    return {
      id: row.id,
      slug: row.slug,
      space: spaceName(row.slug),
      name: row.name,
      state: row.state,
      plan: row.plan,
      placement: row.placement,
      home: row.home,
      embeddingModel: row.embedding_model,
      defaultWorkspace: row.default_workspace_id,
      defaultAgent: row.default_agent_id,
      settings: row.settings,
      profile: {
        domain: row.domain,
        platform: row.platform,
        contactEmail: row.contact_email,
        contactName: row.contact_name,
      },
      features: grantedFeatures(row.plan, row.features).filter((word) => !row.features_off.includes(word)),
      key: this.master.unwrap(row.id, row.wrapped_key),
    };
  }
}
