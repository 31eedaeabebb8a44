import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { WHOLE_TENANT } from '../../ledger/ledger.js';
import { ForOperator } from '../../tenancy/access.decorator.js';
import { ShowsSecret } from '../../tenancy/idempotency.interceptor.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { TenantDesk } from './tenant-desk.js';
import { changeOf } from './tenant-orders.js';
import { TenantPurge } from './tenant-purge.service.js';
import { deletedDto, provisionedDto, purgedDto } from './tenant-replies.js';
import { TenantUsageService } from './tenant-usage.service.js';
import { spanOf, UsageDto, usageDto, UsageQueryDto } from './tenant-usage.dto.js';
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
} from './tenants.dto.js';
import { TenantsService } from './tenants.service.js';

/** Operators provision and watch tenants. `:tenant` is a slug, a UUID or a domain. */
@ApiTags('operators')
@ApiBearerAuth()
@ForOperator()
@Controller('admin/tenants')
export class TenantsController {
  constructor(
    private readonly context: TenantContext,
    private readonly desk: TenantDesk,
    private readonly tenants: TenantsService,
    private readonly purging: TenantPurge,
    private readonly usage: TenantUsageService,
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
    const made = await this.desk.provision(dto);
    response.status(made.key === null ? 200 : 201);
    return provisionedDto(this.show(made.tenant), made);
  }

  @Get()
  @ApiOperation({ summary: 'All tenants, newest first' })
  @ApiResponse({ status: 200, type: TenantListDto })
  list(@Query() query: ListTenantsDto): Promise<TenantListDto> {
    return this.desk.list(query);
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
  statsOf(@Param('tenant') ref: string): Promise<TenantStatsDto> {
    return this.desk.stats(ref);
  }

  @Get(':tenant/usage')
  @ApiOperation({ summary: 'What a tenant used, over time' })
  @ApiResponse({ status: 200, type: UsageDto })
  async usageOf(@Param('tenant') ref: string, @Query() query: UsageQueryDto): Promise<UsageDto> {
    const tenant = await this.desk.capability(ref);
    const span = spanOf(query, new Date());
    return usageDto(tenant, span, await this.usage.of(tenant, WHOLE_TENANT, span));
  }

  private show(tenant: TenantEntity): TenantDto {
    return this.desk.show(tenant);
  }
}
