import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { QueryFailedError, type EntityManager } from 'typeorm';
import { AuditTrail } from '../../ledger/audit-trail.js';
import { Models } from '../../models/models.js';
import { canonicalJson } from '../../platform/canonical-json.js';
import { HomeMirror } from '../../ledger/home-mirror.js';
import { Homes } from '../../ledger/homes.js';
import { Placements } from '../../spaces/placements.js';
import type { PlanTier } from '../../platform/config/plans.js';
import { Database } from '../../platform/database/database.js';
import { bringToken, mintKey, type MintedKey } from '../../tenancy/api-key.js';
import { OperatorToken } from '../../tenancy/operator-token.js';
import { SCOPES, type TenantSettings } from '../../tenancy/principal.js';
import { parseTenantSlug, type TenantId, type TenantSlug, type WorkspaceId } from '../../tenancy/tenant.js';
import { wrappingKey } from '../../tenancy/wrapping-key.js';
import { MasterKey } from '../../tenancy/tenant-key.js';
import { ApiKeyEntity } from './api-key.entity.js';
import { TenantEntity } from './tenant.entity.js';
import { KeyInUse, SlugTaken, TenantConflict, TenantIsDeleted } from './tenants.errors.js';

/** What an operator asks for. */
export interface TenantOrder {
  slug: TenantSlug;
  name: string;
  id?: string;
  plan: PlanTier;
  placement: string;
  /** Becomes the key. */
  token?: string;
  contactEmail?: string;
  contactName?: string;
  adminEmail?: string;
  domain?: string;
  platform?: string;
  credentials?: Record<string, unknown>;
  settings: TenantSettings;
  /** Null: what the plan brings. */
  features: string[] | null;
  metadata: Record<string, unknown>;
  /** Only for the installation's own default tenant. */
  fixed?: { workspaceId: string; agentId: string };
}

export interface Provisioned {
  tenant: TenantEntity;
  workspaceId: WorkspaceId;
  agentId: string;
  /** Null where the same order was carried out before. */
  key: { id: string; key: string; prefix: string } | null;
}

/** Makes a tenant with all its default parts: everything, or nothing. */
@Injectable()
export class TenantProvisioning {
  constructor(
    private readonly database: Database,
    private readonly master: MasterKey,
    private readonly models: Models,
    private readonly operator: OperatorToken,
    private readonly placements: Placements,
    private readonly audit: AuditTrail,
    private readonly homes: Homes,
    private readonly mirror: HomeMirror,
  ) {}

  /**
   * The same order again gives the same tenant. Throws `SlugTaken`, `TenantConflict`, `TenantIsDeleted`, `KeyInUse`.
   */
  async provision(order: TenantOrder, requestId: string | null): Promise<Provisioned> {
    this.placements.expect(order.placement);
    if (order.token !== undefined && this.operator.matches(order.token)) throw new KeyInUse();
    const fingerprint = this.master.hash(
      'tenant order',
      canonicalJson({ ...order, features: order.features ?? [] }),
    );
    const existing = await this.repeated(order, fingerprint);
    if (existing !== null) return existing;
    try {
      return await this.database.asSystem((manager) => this.make(manager, order, fingerprint, requestId));
    } catch (error) {
      if (!(error instanceof QueryFailedError)) throw error;
      const { code, constraint } = error.driverError as { code?: string; constraint?: string };
      if (code !== '23505') throw error;
      // Two at once with the same order: the second finds what the first made.
      const made = await this.repeated(order, fingerprint);
      if (made !== null) return made;
      if (constraint === 'api_keys_hash_key') throw new KeyInUse();
      throw new TenantConflict(
        constraint === 'tenants_domain_key'
          ? 'This domain is that of another tenant.'
          : 'This id is that of another tenant.',
      );
    }
  }

  private async repeated(order: TenantOrder, fingerprint: Buffer): Promise<Provisioned | null> {
    const tenant = await this.database.asSystem((manager) =>
      manager.findOneBy(TenantEntity, { slug: order.slug }),
    );
    if (tenant === null) return null;
    if (tenant.state === 'deleted') throw new TenantIsDeleted(order.slug);
    if (!tenant.fingerprint.equals(fingerprint)) throw new SlugTaken(order.slug);
    return { tenant, workspaceId: tenant.defaultWorkspaceId, agentId: tenant.defaultAgentId, key: null };
  }

  private async make(
    manager: EntityManager,
    order: TenantOrder,
    fingerprint: Buffer,
    requestId: string | null,
  ): Promise<Provisioned> {
    const id = (order.id?.toLowerCase() ?? randomUUID()) as TenantId;
    const workspaceId = (order.fixed?.workspaceId ?? randomUUID()) as WorkspaceId;
    const agentId = order.fixed?.agentId ?? randomUUID();
    const wrappedBy = await wrappingKey(manager);
    const wrappedKey = this.master.mint(id, wrappedBy);
    const credentials =
      order.credentials === undefined
        ? null
        : this.master.unwrap(id, wrappedKey).seal(JSON.stringify(order.credentials), {
            table: 'tenants',
            row: id,
            column: 'api_credentials',
          });
    await manager.insert(TenantEntity, {
      id,
      slug: order.slug,
      name: order.name,
      plan: order.plan,
      placement: order.placement,
      home: this.homes.nameFor(order.placement),
      embeddingModel: this.models.currentId,
      defaultWorkspaceId: workspaceId,
      defaultAgentId: agentId,
      wrappedKey,
      wrappedBy,
      domain: order.domain?.toLowerCase() ?? null,
      platform: order.platform ?? null,
      contactEmail: order.contactEmail ?? null,
      contactName: order.contactName ?? null,
      adminEmail: order.adminEmail ?? null,
      apiCredentials: credentials,
      settings: order.settings as object,
      features: order.features,
      metadata: order.metadata as object,
      fingerprint,
    });
    await manager.query(
      `INSERT INTO workspaces (tenant_id, id, slug, name) VALUES ($1, $2, 'default', 'Default')`,
      [id, workspaceId],
    );
    await manager.query(
      `INSERT INTO agents (tenant_id, workspace_id, id, slug, name, enabled_tools)
       VALUES ($1, $2, $3, 'default', 'Default', ARRAY['hybrid_search', 'memory_recall'])`,
      [id, workspaceId, agentId],
    );
    const minted: MintedKey = order.token === undefined ? mintKey('live') : bringToken(order.token);
    const keyId = randomUUID();
    await manager.insert(ApiKeyEntity, {
      tenantId: id,
      id: keyId,
      workspaceId: null,
      name: 'Default',
      prefix: minted.prefix,
      hash: minted.hash,
      scopes: [...SCOPES],
      role: 'tenant_admin',
      environment: 'live',
    });
    await this.audit.record(manager, {
      action: 'tenant.create',
      tenantId: id,
      target: id,
      requestId,
      detail: { after: withoutSecrets(order) },
    });
    if (order.adminEmail !== undefined) await this.makeAdmin(manager, id, order.adminEmail, requestId);
    const home = await this.homes.of(this.homes.nameFor(order.placement));
    // The last step before the commit: where that database is away, nothing is made here either.
    if (home !== this.homes.main) await this.mirror.settle(manager, id, home);
    const tenant = await manager.findOneByOrFail(TenantEntity, { id });
    return { tenant, workspaceId, agentId, key: { id: keyId, key: minted.key, prefix: minted.prefix } };
  }

  /** The tenant's first member. */
  private async makeAdmin(
    manager: EntityManager,
    tenantId: TenantId,
    email: string,
    requestId: string | null,
  ): Promise<void> {
    const id = randomUUID();
    await manager.query(
      `INSERT INTO members (tenant_id, id, email, role) VALUES ($1, $2, $3, 'tenant_admin')`,
      [tenantId, id, email.toLowerCase()],
    );
    await this.audit.record(manager, {
      action: 'member.create',
      tenantId,
      target: id,
      requestId,
      detail: { after: { email: email.toLowerCase(), role: 'tenant_admin' } },
    });
  }
}

/** What the record of a tenant's making says. */
function withoutSecrets(order: TenantOrder): Omit<TenantOrder, 'token' | 'credentials'> {
  const told = { ...order };
  delete told.token;
  delete told.credentials;
  return told;
}

/** A slug made from a name; null where nothing of the name can be in one. */
export function slugFromName(name: string): TenantSlug | null {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 48)
    .replace(/^-+|-+$/g, '');
  return parseTenantSlug(slug);
}
