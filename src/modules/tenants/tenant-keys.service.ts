import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { IsNull, QueryFailedError } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import { bringToken, mintKey, type KeyEnvironment } from '../../tenancy/api-key.js';
import { OperatorToken } from '../../tenancy/operator-token.js';
import { PrincipalCache } from '../../tenancy/principal-cache.js';
import { WorkspaceNotFound } from '../../tenancy/tenancy-errors.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { ApiKeyEntity } from './api-key.entity.js';
import { announce, recordForOperator } from './operator-audit.js';
import type { TenantEntity } from './tenant.entity.js';
import { KeyInUse, KeyNotFound, TenantIsDeleted } from './tenants.errors.js';

export interface KeyOrder {
  name: string;
  scopes: ApiKeyEntity['scopes'];
  role: string;
  environment: KeyEnvironment;
  /** Null: the whole tenant. */
  workspaceId: WorkspaceId | null;
  rateLimitPerMinute: number | null;
  expiresAt: Date | null;
  /** A token that the tenant already has. */
  token: string | null;
}

/** A tenant's keys, as its operator manages them. */
@Injectable()
export class TenantKeys {
  constructor(
    private readonly database: Database,
    private readonly principals: PrincipalCache,
    private readonly operator: OperatorToken,
  ) {}

  /** The key itself is returned here, and never again. Throws `KeyInUse`, `WorkspaceNotFound`. */
  async create(
    tenant: TenantEntity,
    order: KeyOrder,
    requestId: string,
  ): Promise<{ entity: ApiKeyEntity; key: string }> {
    if (tenant.state === 'deleted') throw new TenantIsDeleted(tenant.slug);
    const { token, ...columns } = order;
    if (token !== null && this.operator.matches(token)) throw new KeyInUse();
    const minted = token === null ? mintKey(order.environment) : bringToken(token);
    const id = randomUUID();
    try {
      const entity = await this.database.asSystem(async (manager) => {
        const row = { ...columns, tenantId: tenant.id, id, prefix: minted.prefix, hash: minted.hash };
        await manager.insert(ApiKeyEntity, row);
        await recordForOperator(manager, {
          action: 'key.create',
          tenantId: tenant.id,
          target: id,
          requestId,
        });
        return manager.findOneByOrFail(ApiKeyEntity, { tenantId: tenant.id, id });
      });
      return { entity, key: minted.key };
    } catch (error) {
      const code =
        error instanceof QueryFailedError ? (error.driverError as { code?: string }).code : undefined;
      if (code === '23505') throw new KeyInUse();
      if (code === '23503')
        throw new WorkspaceNotFound(`${String(order.workspaceId)} is none of ${tenant.slug}`);
      throw error;
    }
  }

  /** Newest first, revoked ones too. */
  async list(tenant: TenantEntity): Promise<ApiKeyEntity[]> {
    return this.database.asSystem((manager) =>
      manager.find(ApiKeyEntity, {
        where: { tenantId: tenant.id },
        order: { createdAt: 'DESC', id: 'DESC' },
      }),
    );
  }

  /** Refused everywhere within a second. Throws `KeyNotFound`. */
  async revoke(tenant: TenantEntity, id: string, requestId: string): Promise<void> {
    await this.database.asSystem(async (manager) => {
      const known = await manager.findOneBy(ApiKeyEntity, { tenantId: tenant.id, id });
      if (known === null) throw new KeyNotFound();
      const { affected } = await manager.update(
        ApiKeyEntity,
        { tenantId: tenant.id, id, revokedAt: IsNull() },
        { revokedAt: new Date() },
      );
      if (affected === 0) return;
      await recordForOperator(manager, { action: 'key.revoke', tenantId: tenant.id, target: id, requestId });
      await announce(manager, tenant.id);
    });
    this.principals.forget(tenant.id);
  }
}
