import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Settings } from '../../platform/config/settings.js';
import { readCursor, writeCursor } from '../../platform/http/cursor.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { ForOperator } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { parseTenantSlug } from '../../tenancy/tenant.js';
import { ShowsSecret } from '../../tenancy/idempotency.interceptor.js';
import { TenantProvisioning, slugFromName, type TenantOrder } from './tenant-provisioning.service.js';
import { TenantPurge } from './tenant-purge.service.js';
import { countsDto, deletedDto, purgedDto, statsDto, tenantDto } from './tenant-replies.js';
import { TenantStatsService } from './tenant-stats.service.js';
import type { TenantEntity } from './tenant.entity.js';
import {
  ChangeTenantDto,
  DeletedTenantDto,
  DeleteTenantDto,
  ListTenantsDto,
  ProvisionedTenantDto,
  ProvisionTenantDto,
  SuspendTenantDto,
  TenantDto,
  TenantListDto,
  TenantStatsDto,
  type TenantFieldsDto,
} from './tenants.dto.js';
import { TenantsService, type TenantChange } from './tenants.service.js';

/** Operators provision and watch tenants. `:tenant` is a slug or a UUID. */
@ApiTags('operators')
@ApiBearerAuth()
@ForOperator()
@Controller('admin/tenants')
export class TenantsController {
  constructor(
    private readonly context: TenantContext,
    private readonly settings: Settings,
    private readonly tenants: TenantsService,
    private readonly provisioning: TenantProvisioning,
    private readonly purging: TenantPurge,
    private readonly stats: TenantStatsService,
  ) {}

  @IdempotentPost()
  @ShowsSecret()
  @ApiOperation({ summary: 'Provision a tenant with its default workspace, agent and key' })
  @ApiResponse({ status: 201, type: ProvisionedTenantDto })
  @ApiResponse({
    status: 200,
    type: ProvisionedTenantDto,
    description: 'The same was provisioned before; its key is not shown again',
  })
  async provision(
    @Body() dto: ProvisionTenantDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ProvisionedTenantDto> {
    const made = await this.provisioning.provision(this.order(dto), this.context.request.requestId);
    response.status(made.key === null ? 200 : 201);
    return {
      ...this.show(made.tenant),
      ...(made.key === null
        ? {}
        : { api_key: { id: made.key.id, key: made.key.key, key_prefix: made.key.prefix } }),
    };
  }

  @Get()
  @ApiOperation({ summary: 'All tenants, newest first' })
  @ApiResponse({ status: 200, type: TenantListDto })
  async list(@Query() query: ListTenantsDto): Promise<TenantListDto> {
    const place = query.cursor === undefined ? null : readCursor(query.cursor);
    const { tenants, next } = await this.tenants.list(
      query.state === undefined ? {} : { state: query.state },
      query.limit,
      place === null ? null : { createdAt: place.time, id: place.id },
    );
    const counts = query.include_stats ? await this.stats.counts(tenants) : null;
    return {
      data: tenants.map((tenant) => {
        const counted = counts?.get(tenant.id);
        return {
          ...this.show(tenant),
          ...(counted === undefined ? {} : { stats: countsDto(tenant, counted) }),
        };
      }),
      next_cursor: next === null ? null : writeCursor({ time: next.createdAt, id: next.id }),
    };
  }

  @Get(':tenant')
  @ApiOperation({ summary: 'One tenant' })
  @ApiResponse({ status: 200, type: TenantDto })
  async get(@Param('tenant') ref: string): Promise<TenantDto> {
    return this.show(await this.tenants.get(ref));
  }

  @Patch(':tenant')
  @ApiOperation({ summary: 'Change a tenant; settings are merged, null removes one' })
  @ApiResponse({ status: 200, type: TenantDto })
  async change(@Param('tenant') ref: string, @Body() dto: ChangeTenantDto): Promise<TenantDto> {
    return this.show(await this.tenants.update(ref, changeOf(dto), this.context.request.requestId));
  }

  @Delete(':tenant')
  @ApiOperation({ summary: 'Delete a tenant: restorable for 30 days, or purged for good' })
  @ApiResponse({ status: 200, type: DeletedTenantDto })
  async remove(@Param('tenant') ref: string, @Query() query: DeleteTenantDto): Promise<DeletedTenantDto> {
    const { requestId } = this.context.request;
    if (query.purge) return purgedDto(await this.purging.purge(ref, requestId));
    return deletedDto(await this.tenants.move(ref, 'delete', requestId));
  }

  @IdempotentPost(':tenant/suspend')
  @HttpCode(200)
  @ApiOperation({ summary: 'Refuse every key of a tenant; nothing is deleted' })
  @ApiResponse({ status: 200, type: TenantDto })
  async suspend(@Param('tenant') ref: string, @Body() dto: SuspendTenantDto): Promise<TenantDto> {
    return this.show(
      await this.tenants.move(ref, 'suspend', this.context.request.requestId, dto.reason ?? null),
    );
  }

  @IdempotentPost(':tenant/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let a suspended tenant go on' })
  @ApiResponse({ status: 200, type: TenantDto })
  async resume(@Param('tenant') ref: string): Promise<TenantDto> {
    return this.show(await this.tenants.move(ref, 'resume', this.context.request.requestId));
  }

  @IdempotentPost(':tenant/restore')
  @HttpCode(200)
  @ApiOperation({ summary: 'Bring a deleted tenant back' })
  @ApiResponse({ status: 200, type: TenantDto })
  async restore(@Param('tenant') ref: string): Promise<TenantDto> {
    return this.show(await this.tenants.move(ref, 'restore', this.context.request.requestId));
  }

  @Get(':tenant/stats')
  @ApiOperation({ summary: 'What a tenant holds; reading it wakes nothing' })
  @ApiResponse({ status: 200, type: TenantStatsDto })
  async statsOf(@Param('tenant') ref: string): Promise<TenantStatsDto> {
    const tenant = await this.tenants.get(ref);
    return statsDto(tenant, await this.stats.of(tenant.id));
  }

  private show(tenant: TenantEntity): TenantDto {
    return tenantDto(tenant, this.settings.plans[tenant.plan]);
  }

  private order(dto: ProvisionTenantDto): TenantOrder {
    const slug = dto.tenant_id === undefined ? slugFromName(dto.name ?? '') : parseTenantSlug(dto.tenant_id);
    if (slug === null) {
      const message =
        dto.tenant_id === undefined
          ? 'is needed, or a name that one can be made from'
          : 'must be 1 to 48 of a-z, 0-9, - and _, begin and end with a letter or digit, and be no UUID';
      throw new RequestInvalid([{ location: 'body.tenant_id', message }]);
    }
    const shortest = this.settings.mode === 'production' ? 32 : 8;
    if (dto.api_token !== undefined && dto.api_token.length < shortest) {
      throw new RequestInvalid([
        { location: 'body.api_token', message: `must have at least ${shortest} characters` },
      ]);
    }
    const { plan, ...fields } = changeOf(dto);
    return {
      slug,
      plan: plan ?? this.settings.defaultPlan,
      placement: dto.placement ?? 'shared',
      ...(dto.id === undefined ? {} : { id: dto.id.toLowerCase() }),
      ...(dto.api_token === undefined ? {} : { token: dto.api_token }),
      ...(dto.admin_email === undefined ? {} : { adminEmail: dto.admin_email }),
      name: fields.name ?? slug,
      settings: fields.settings ?? {},
      features: fields.features ?? null,
      metadata: fields.metadata ?? {},
      ...(fields.contactEmail ? { contactEmail: fields.contactEmail } : {}),
      ...(fields.contactName ? { contactName: fields.contactName } : {}),
      ...(fields.domain ? { domain: fields.domain } : {}),
      ...(fields.platform ? { platform: fields.platform } : {}),
      ...(fields.credentials ? { credentials: fields.credentials } : {}),
    };
  }
}

/** Throws `RequestInvalid` where the two words for a plan disagree, or a quota is no number. */
function changeOf(dto: TenantFieldsDto): TenantChange {
  if (dto.plan !== undefined && dto.plan_tier !== undefined && dto.plan !== dto.plan_tier) {
    throw new RequestInvalid([{ location: 'body.plan', message: 'must be the same as plan_tier' }]);
  }
  const plan = dto.plan_tier ?? dto.plan;
  checkQuotas(dto.settings?.quotas);
  return {
    ...(dto.name === undefined ? {} : { name: dto.name }),
    ...(plan === undefined ? {} : { plan }),
    ...(dto.contact_email === undefined ? {} : { contactEmail: dto.contact_email }),
    ...(dto.contact_name === undefined ? {} : { contactName: dto.contact_name }),
    ...(dto.domain === undefined ? {} : { domain: dto.domain.toLowerCase() }),
    ...(dto.platform === undefined ? {} : { platform: dto.platform }),
    ...(dto.api_credentials === undefined ? {} : { credentials: dto.api_credentials }),
    ...(dto.settings === undefined ? {} : { settings: dto.settings }),
    ...(dto.features === undefined ? {} : { features: dto.features }),
    ...(dto.metadata === undefined ? {} : { metadata: dto.metadata }),
  };
}

function checkQuotas(quotas: unknown): void {
  if (quotas === undefined || quotas === null) return;
  if (typeof quotas !== 'object' || Array.isArray(quotas)) {
    throw new RequestInvalid([{ location: 'body.settings.quotas', message: 'must be an object' }]);
  }
  const bad = Object.entries(quotas as Record<string, unknown>).filter(
    ([, value]) => value !== null && !(typeof value === 'number' && Number.isFinite(value) && value >= 0),
  );
  if (bad.length > 0) {
    throw new RequestInvalid(
      bad.map(([name]) => ({
        location: `body.settings.quotas.${name}`,
        message: 'must be a number, 0 or more',
      })),
    );
  }
}
