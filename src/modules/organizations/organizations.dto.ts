import { ApiProperty } from '@nestjs/swagger';
import { Int, OneOf, Text } from '../../platform/http/fields.js';
import { SLUG_LIMITS } from '../../platform/http/slug-field.js';
import { planTiers, type PlanTier } from '../../platform/config/plans.js';
import type { TenantState } from '../../tenancy/principal.js';
import { EMAIL, NewKeyDto } from '../tenants/tenants.dto.js';

export class CreateOrganizationDto {
  @Text({ max: 200, example: 'Acme Corp' })
  name!: string;

  @Text({ ...SLUG_LIMITS, example: 'acme' })
  slug!: string;

  @OneOf(planTiers, { optional: true, default: 'free' })
  plan_tier: PlanTier = 'free';

  @Text({ ...EMAIL, optional: true })
  contact_email?: string;

  @Text({ max: 200, optional: true })
  contact_name?: string;
}

export class ChangeOrganizationDto {
  @Text({ max: 200, optional: true })
  name?: string;

  @OneOf(planTiers, { optional: true, description: 'An operator’s alone' })
  plan_tier?: PlanTier;

  @Text({ ...EMAIL, optional: true, nullable: true })
  contact_email?: string | null;

  @Text({ max: 200, optional: true, nullable: true })
  contact_name?: string | null;
}

export class ListOrganizationsDto {
  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;

  @Text({ max: 512, optional: true, description: '`next_cursor` of the page before' })
  cursor?: string;
}

/** A tenant under its other name. */
export class OrganizationDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: String }) slug!: string;
  @ApiProperty({ type: String, enum: [...planTiers] }) plan_tier!: PlanTier;
  @ApiProperty({ type: Number, nullable: true, description: 'Beside the default one. Null: no limit' })
  max_workspaces!: number | null;
  @ApiProperty({ type: Number, nullable: true }) max_documents_per_workspace!: number | null;
  @ApiProperty({ type: Number, nullable: true }) max_requests_per_month!: number | null;
  @ApiProperty({ type: String, nullable: true }) contact_email!: string | null;
  @ApiProperty({ type: String, nullable: true }) contact_name!: string | null;
  @ApiProperty({ type: String, enum: ['active', 'suspended', 'deleted'] }) state!: TenantState;
  @ApiProperty({ type: Boolean }) is_active!: boolean;
  @ApiProperty({ type: [String] }) features!: string[];
  @ApiProperty({ type: String, format: 'uuid', description: 'The default workspace' }) workspace_id!: string;
  @ApiProperty({ type: String, format: 'uuid', description: 'The default agent' }) agent_id!: string;
  @ApiProperty({ type: String, format: 'date-time' }) created_at!: string;
  @ApiProperty({ type: String, format: 'date-time' }) updated_at!: string;
}

export class CreatedOrganizationDto extends OrganizationDto {
  @ApiProperty({ type: NewKeyDto, required: false, description: 'Only where it was made now' })
  api_key?: NewKeyDto;
}

export class OrganizationListDto {
  @ApiProperty({ type: [OrganizationDto] }) data!: OrganizationDto[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}
