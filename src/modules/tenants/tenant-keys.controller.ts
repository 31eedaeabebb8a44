import { Body, Controller, Delete, Get, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Settings } from '../../platform/config/settings.js';
import { parseInstant } from '../../platform/http/instant.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { ForOperator } from '../../tenancy/access.decorator.js';
import { ShowsSecret } from '../../tenancy/idempotency.interceptor.js';
import { ROLE_SCOPES, SCOPES, type Scope } from '../../tenancy/principal.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { isUuid, parseWorkspaceId } from '../../tenancy/tenant.js';
import { TenantKeys, type KeyOrder } from './tenant-keys.service.js';
import { keyDto } from './tenant-replies.js';
import type { TenantEntity } from './tenant.entity.js';
import { CreatedKeyDto, CreateKeyDto, KeyListDto, RevokedKeyDto } from './tenants.dto.js';
import { KeyNotFound } from './tenants.errors.js';
import { TenantsService } from './tenants.service.js';

/** What each word in `scopes` grants. */
const MEANS = {
  ...(Object.fromEntries(SCOPES.map((scope) => [scope, [scope]])) as Record<Scope, Scope[]>),
  memory: ['memory:read', 'memory:write'],
} satisfies Record<Scope | 'memory', Scope[]>;

/** An operator's way to a tenant's keys. */
@ApiTags('operators')
@ApiBearerAuth()
@ForOperator()
@Controller('admin/tenants/:tenant/keys')
export class TenantKeysController {
  constructor(
    private readonly context: TenantContext,
    private readonly settings: Settings,
    private readonly tenants: TenantsService,
    private readonly keys: TenantKeys,
  ) {}

  @IdempotentPost()
  @ShowsSecret()
  @ApiOperation({ summary: 'Make a key, or bring along a token that the tenant already has' })
  @ApiResponse({ status: 201, type: CreatedKeyDto })
  async create(@Param('tenant') ref: string, @Body() dto: CreateKeyDto): Promise<CreatedKeyDto> {
    const tenant = await this.tenants.get(ref);
    const order = this.order(dto, tenant);
    const { entity, key } = await this.keys.create(tenant, order, this.context.request.requestId);
    return { ...keyDto(entity), key };
  }

  @Get()
  @ApiOperation({ summary: "A tenant's keys, newest first; never the keys themselves" })
  @ApiResponse({ status: 200, type: KeyListDto })
  async list(@Param('tenant') ref: string): Promise<KeyListDto> {
    const tenant = await this.tenants.get(ref);
    return { data: (await this.keys.list(tenant)).map(keyDto), next_cursor: null };
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Revoke a key: refused everywhere within a second' })
  @ApiResponse({ status: 200, type: RevokedKeyDto })
  async revoke(@Param('tenant') ref: string, @Param('id') id: string): Promise<RevokedKeyDto> {
    const tenant = await this.tenants.get(ref);
    if (!isUuid(id)) throw new KeyNotFound();
    await this.keys.revoke(tenant, id.toLowerCase(), this.context.request.requestId);
    return { id: id.toLowerCase(), is_active: false };
  }

  /** Throws `RequestInvalid`: a key belongs to one workspace, or to the tenant where it has `manage`. */
  private order(dto: CreateKeyDto, tenant: TenantEntity): KeyOrder {
    const named = dto.workspace_id === undefined ? null : parseWorkspaceId(dto.workspace_id);
    const most: readonly Scope[] = ROLE_SCOPES[dto.role];
    const scopes = dto.scopes ?? most.filter((scope) => named === null || scope !== 'manage');
    const beyond = scopes.flatMap((scope) => MEANS[scope]).find((scope) => !most.includes(scope));
    const workspaceId = named ?? (scopes.includes('manage') ? null : tenant.defaultWorkspaceId);
    const expiresAt = dto.expires_at === undefined ? null : parseInstant(dto.expires_at);
    const shortest = this.settings.mode === 'production' ? 32 : 8;
    const refuse = (field: string, message: string) =>
      new RequestInvalid([{ location: `body.${field}`, message }]);
    if (scopes.length === 0) throw refuse('scopes', 'must name at least one');
    if (beyond !== undefined) throw refuse('scopes', `hold ${beyond}, which a ${dto.role} may not`);
    if (workspaceId !== null && scopes.includes('manage')) {
      throw refuse('scopes', 'can hold manage only where the key reaches the whole tenant');
    }
    if (expiresAt !== null && expiresAt.getTime() <= Date.now())
      throw refuse('expires_at', 'must be in the future');
    if (dto.api_token !== undefined && dto.api_token.length < shortest) {
      throw refuse('api_token', `must have at least ${shortest} characters`);
    }
    return {
      name: dto.name,
      scopes,
      role: dto.role,
      environment: dto.environment,
      workspaceId,
      rateLimitPerMinute: dto.rate_limit_per_minute ?? null,
      expiresAt,
      token: dto.api_token ?? null,
    };
  }
}
