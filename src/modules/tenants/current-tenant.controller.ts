import { Body, Controller, Get, Patch, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { WHOLE_TENANT } from '../../ledger/ledger.js';
import { Settings } from '../../platform/config/settings.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { AlsoAsks, ForAnyKey, ForScope } from '../../tenancy/access.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { actorOf, type Tenant } from '../../tenancy/principal.js';
import { Forbidden } from '../../tenancy/tenancy-errors.js';
import { ChangeCurrentTenantDto, CurrentTenantDto, TenantFeaturesDto } from './current-tenant.dto.js';
import { ownTenantChange } from './own-tenant-change.js';
import { TenantDesk } from './tenant-desk.js';
import { checkSettings } from './tenant-orders.js';
import { featuresOf, limitsDto } from './tenant-replies.js';
import { spanOf, UsageDto, usageDto, UsageQueryDto } from './tenant-usage.dto.js';
import { TenantUsageService } from './tenant-usage.service.js';
import type { TenantEntity } from './tenant.entity.js';
import { TenantStatsDto } from './tenants.dto.js';
import { TenantsService } from './tenants.service.js';

/** A tenant app's own tenant, as its key sees it. */
@ApiTags('tenant')
@ApiBearerAuth()
@Controller('v1/tenants/current')
export class CurrentTenantController {
  constructor(
    private readonly context: TenantContext,
    private readonly settings: Settings,
    private readonly tenants: TenantsService,
    private readonly desk: TenantDesk,
    private readonly usage: TenantUsageService,
  ) {}

  @Get()
  @ForAnyKey()
  @ApiOperation({ summary: 'Whose key this is, and what it may do' })
  @ApiResponse({ status: 200, type: CurrentTenantDto })
  get(): CurrentTenantDto {
    return this.show(this.context.tenant);
  }

  @Patch()
  @ForScope('manage')
  @ApiOperation({ summary: 'Change what is named; settings are merged, null removes one' })
  @ApiResponse({ status: 200, type: CurrentTenantDto })
  patch(@Body() dto: ChangeCurrentTenantDto): Promise<CurrentTenantDto> {
    return this.change(dto, false);
  }

  @Put()
  @ForScope('manage')
  @ApiOperation({ summary: 'Change what is named; settings are replaced' })
  @ApiResponse({ status: 200, type: CurrentTenantDto })
  put(@Body() dto: ChangeCurrentTenantDto): Promise<CurrentTenantDto> {
    return this.change(dto, true);
  }

  @Get('features')
  @ForAnyKey()
  @ApiOperation({ summary: 'The features that are on' })
  @ApiResponse({ status: 200, type: TenantFeaturesDto })
  features(): TenantFeaturesDto {
    const { slug, plan, features } = this.context.tenant;
    return { tenant_id: slug, plan_tier: plan, features: [...features] };
  }

  @Get('stats')
  @ForScope('memory:read')
  @AlsoAsks('a member, or a key of the whole tenant')
  @ApiOperation({ summary: 'What the tenant holds; for tokens that reach all of it' })
  @ApiResponse({ status: 200, type: TenantStatsDto })
  stats(): Promise<TenantStatsDto> {
    const { tenant, workspace } = this.context.caller;
    if (workspace !== null) throw new Forbidden('These are counts of the whole tenant.');
    return this.desk.stats(tenant.id);
  }

  @Get('usage')
  @ForAnyKey()
  @ApiOperation({ summary: 'What was used over time: of the tenant, or of the one workspace of a key' })
  @ApiResponse({ status: 200, type: UsageDto })
  async used(@Query() query: UsageQueryDto): Promise<UsageDto> {
    const { tenant, workspace } = this.context.caller;
    const span = spanOf(query, new Date());
    return usageDto(tenant, span, await this.usage.of(tenant, workspace ?? WHOLE_TENANT, span));
  }

  private async change(dto: ChangeCurrentTenantDto, replaces: boolean): Promise<CurrentTenantDto> {
    if (Object.values(dto).every((value) => value === undefined)) {
      throw new RequestInvalid([{ location: 'body', message: 'names nothing that is to change' }]);
    }
    checkSettings(dto.settings);
    const { tenant, request, principal } = this.context;
    const order = {
      fields: {
        ...(dto.name === undefined ? {} : { name: dto.name }),
        ...(dto.contact_email === undefined ? {} : { contactEmail: dto.contact_email }),
        ...(dto.contact_name === undefined ? {} : { contactName: dto.contact_name }),
        ...(dto.domain === undefined ? {} : { domain: dto.domain?.toLowerCase() ?? null }),
      },
      settings: dto.settings ?? null,
      replaces,
      features: dto.features ?? null,
    };
    const changed = await this.tenants.update(
      tenant.id,
      (before) => ownTenantChange(before, order),
      request.requestId,
      actorOf(principal),
    );
    return this.show(asChanged(tenant, changed));
  }

  private show(tenant: Tenant): CurrentTenantDto {
    const { workspace, scopes } = this.context.caller;
    const { domain, platform, contactEmail, contactName } = tenant.profile;
    const manages = scopes.has('manage');
    return {
      id: tenant.id,
      tenant_id: tenant.slug,
      name: tenant.name,
      plan_tier: tenant.plan,
      state: tenant.state,
      is_active: tenant.state === 'active',
      domain,
      platform,
      ...(manages
        ? { contact_email: contactEmail, contact_name: contactName, settings: tenant.settings }
        : {}),
      features: [...tenant.features],
      workspace_id: workspace ?? tenant.defaultWorkspace,
      scopes: [...scopes],
      limits: limitsDto(tenant, this.settings.plans[tenant.plan]),
    };
  }
}

function asChanged(tenant: Tenant, changed: TenantEntity): Tenant {
  const { name, domain, platform, contactEmail, contactName, settings } = changed;
  const profile = { domain, platform, contactEmail, contactName };
  return { ...tenant, name, settings, profile, features: featuresOf(changed) };
}
