import { ApiProperty } from '@nestjs/swagger';
import { planTiers, type PlanTier } from '../../platform/config/plans.js';
import { JsonObject, Text, Texts } from '../../platform/http/fields.js';
import type { TenantSettings, TenantState } from '../../tenancy/principal.js';
import { DOMAIN, EMAIL, TenantLimitsDto } from './tenants.dto.js';

export class ChangeCurrentTenantDto {
  @Text({ max: 200, optional: true })
  name?: string;

  @Text({ ...EMAIL, optional: true, nullable: true })
  contact_email?: string | null;

  @Text({ max: 200, optional: true, nullable: true })
  contact_name?: string | null;

  @Text({ ...DOMAIN, optional: true, nullable: true, description: 'Unique' })
  domain?: string | null;

  @JsonObject({ optional: true, description: 'All but `quotas`, which an operator sets' })
  settings?: TenantSettings;

  @Texts({
    max: 64,
    each: { max: 64, pattern: /^[a-z][a-z0-9_]*$/ },
    optional: true,
    description: 'Those that are to be on, of what the plan brings or an operator gave',
  })
  features?: string[];
}

export class CurrentTenantDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String }) tenant_id!: string;
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: String, enum: [...planTiers] }) plan_tier!: PlanTier;
  @ApiProperty({ type: String, enum: ['active', 'suspended', 'deleted'] }) state!: TenantState;
  @ApiProperty({ type: Boolean }) is_active!: boolean;
  @ApiProperty({ type: String, nullable: true }) domain!: string | null;
  @ApiProperty({ type: String, nullable: true }) platform!: string | null;
  @ApiProperty({ type: String, nullable: true, required: false, description: 'For who manages the tenant' })
  contact_email?: string | null;
  @ApiProperty({ type: String, nullable: true, required: false, description: 'For who manages the tenant' })
  contact_name?: string | null;
  @ApiProperty({
    type: Object,
    additionalProperties: true,
    required: false,
    description: 'For who manages the tenant',
  })
  settings?: TenantSettings;
  @ApiProperty({ type: [String] }) features!: string[];
  @ApiProperty({ type: String, format: 'uuid', description: "The key's own workspace, or the default" })
  workspace_id!: string;
  @ApiProperty({ type: [String] }) scopes!: string[];
  @ApiProperty({ type: TenantLimitsDto }) limits!: TenantLimitsDto;
}

export class TenantFeaturesDto {
  @ApiProperty({ type: String }) tenant_id!: string;
  @ApiProperty({ type: String, enum: [...planTiers] }) plan_tier!: PlanTier;
  @ApiProperty({ type: [String], description: 'Those that are on' }) features!: string[];
}
