import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { planTiers, type PlanTier } from '../../platform/config/plans.js';
import { Settings } from '../../platform/config/settings.js';
import { ForAnyKey } from '../../tenancy/access.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import type { TenantState } from '../../tenancy/principal.js';
import { limitsDto } from './tenant-replies.js';
import { TenantLimitsDto } from './tenants.dto.js';

class CurrentTenantDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String }) tenant_id!: string;
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: String, enum: [...planTiers] }) plan_tier!: PlanTier;
  @ApiProperty({ type: String, enum: ['active', 'suspended', 'deleted'] }) state!: TenantState;
  @ApiProperty({ type: Boolean }) is_active!: boolean;
  @ApiProperty({ type: String, format: 'uuid', description: "The key's own workspace, or the default" })
  workspace_id!: string;
  @ApiProperty({ type: [String] }) scopes!: string[];
  @ApiProperty({ type: TenantLimitsDto }) limits!: TenantLimitsDto;
}

/** A tenant app's own tenant, as its key sees it. */
@ApiTags('tenant')
@ApiBearerAuth()
@Controller('v1/tenants/current')
export class CurrentTenantController {
  constructor(
    private readonly context: TenantContext,
    private readonly settings: Settings,
  ) {}

  @Get()
  @ForAnyKey()
  @ApiOperation({ summary: 'Whose key this is, and what it may do' })
  @ApiResponse({ status: 200, type: CurrentTenantDto })
  get(): CurrentTenantDto {
    const { tenant, workspace, scopes } = this.context.caller;
    return {
      id: tenant.id,
      tenant_id: tenant.slug,
      name: tenant.name,
      plan_tier: tenant.plan,
      state: tenant.state,
      is_active: tenant.state === 'active',
      workspace_id: workspace ?? tenant.defaultWorkspace,
      scopes: [...scopes],
      limits: limitsDto(tenant, this.settings.plans[tenant.plan]),
    };
  }
}
