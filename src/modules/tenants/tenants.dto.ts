import { ApiProperty, PartialType, OmitType } from '@nestjs/swagger';
import { Flag, Int, JsonObject, OneOf, Text, Texts, Uuid } from '../../platform/http/fields.js';
import { planTiers, type PlanTier } from '../../platform/config/plans.js';
import type { TenantSettings, TenantState } from '../../tenancy/principal.js';

export const EMAIL = { max: 320, pattern: /^[^\s@]+@[^\s@]+$/, patternSays: 'must be an e-mail address' };
export const DOMAIN = {
  max: 253,
  pattern: /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/i,
  patternSays: 'must be a domain name',
};

export class TenantFieldsDto {
  @Text({ max: 200, optional: true, example: 'Acme Corp' })
  name?: string;

  @OneOf(planTiers, { optional: true })
  plan_tier?: PlanTier;

  @OneOf(planTiers, { optional: true, description: 'Another word for `plan_tier`' })
  plan?: PlanTier;

  @Text({ ...EMAIL, optional: true, nullable: true })
  contact_email?: string | null;

  @Text({ max: 200, optional: true, nullable: true })
  contact_name?: string | null;

  @Text({ ...DOMAIN, optional: true, nullable: true, description: 'Makes it a store; unique' })
  domain?: string | null;

  @Text({ max: 64, optional: true, nullable: true, example: 'shopify' })
  platform?: string | null;

  @JsonObject({ optional: true, description: 'Kept encrypted, never shown' })
  api_credentials?: Record<string, unknown>;

  @JsonObject({
    optional: true,
    description: '`quotas` override the plan: max_memories, max_api_calls_per_minute, …',
  })
  settings?: TenantSettings;

  @Texts({
    max: 64,
    each: { max: 64, pattern: /^[a-z][a-z0-9_]*$/ },
    optional: true,
    nullable: true,
    description: 'Exactly these; null: what the plan brings',
  })
  features?: string[] | null;

  @JsonObject({ optional: true })
  metadata?: Record<string, unknown>;
}

export class ProvisionTenantDto extends TenantFieldsDto {
  @Text({ max: 48, optional: true, description: 'Its slug; absent: made from the name', example: 'acme' })
  tenant_id?: string;

  @Uuid({ optional: true, description: "The caller's own id for it" })
  id?: string;

  @Text({
    max: 512,
    pattern: /^[\x21-\x7e]+$/,
    patternSays: 'must be printable characters without spaces',
    optional: true,
    description: 'Becomes the key',
  })
  api_token?: string;

  @Text({ ...EMAIL, optional: true })
  admin_email?: string;

  @Text({ max: 48, optional: true, default: 'shared' })
  placement?: string;
}

export class ChangeTenantDto extends TenantFieldsDto {}

export class SuspendTenantDto {
  @Text({ max: 1_000, optional: true })
  reason?: string;
}

export class ListTenantsDto {
  @Int({ min: 1, max: 1_000, optional: true, default: 50 })
  limit = 50;

  @Text({ max: 512, optional: true, description: '`next_cursor` of the page before' })
  cursor?: string;

  @Flag({ optional: true, default: false })
  include_stats = false;

  @OneOf(['active', 'suspended', 'deleted'], { optional: true })
  state?: TenantState;
}

export class DeleteTenantDto {
  @Flag({ optional: true, default: false, description: 'Erases for good' })
  purge = false;
}

export class TenantLimitsDto {
  @ApiProperty({ type: Number, nullable: true }) max_workspaces!: number | null;
  @ApiProperty({ type: Number, nullable: true }) max_documents_per_workspace!: number | null;
  @ApiProperty({ type: Number, nullable: true }) max_requests_per_month!: number | null;
  @ApiProperty({ type: Number, nullable: true }) max_memories!: number | null;
  @ApiProperty({ type: Number }) requests_per_minute!: number;
}

export class TenantDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String }) tenant_id!: string;
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: String, enum: [...planTiers] }) plan_tier!: PlanTier;
  @ApiProperty({ type: String, enum: ['active', 'suspended', 'deleted'] }) state!: TenantState;
  @ApiProperty({ type: Boolean }) is_active!: boolean;
  @ApiProperty({ type: String }) placement!: string;
  @ApiProperty({ type: String, example: 'memories_acme' }) namespace!: string;
  @ApiProperty({ type: String, format: 'uuid', description: 'The default workspace' }) workspace_id!: string;
  @ApiProperty({ type: String, format: 'uuid', description: 'The default agent' }) agent_id!: string;
  @ApiProperty({ type: [String] }) features!: string[];
  @ApiProperty({ type: Object, additionalProperties: true }) settings!: TenantSettings;
  @ApiProperty({ type: TenantLimitsDto }) limits!: TenantLimitsDto;
  @ApiProperty({ type: String, nullable: true }) domain!: string | null;
  @ApiProperty({ type: String, nullable: true }) platform!: string | null;
  @ApiProperty({ type: String, nullable: true }) contact_email!: string | null;
  @ApiProperty({ type: String, nullable: true }) contact_name!: string | null;
  @ApiProperty({ type: Object, additionalProperties: true }) metadata!: Record<string, unknown>;
  @ApiProperty({ type: String, nullable: true }) suspended_reason!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) deleted_at!: string | null;
  @ApiProperty({ type: String, format: 'date-time' }) created_at!: string;
  @ApiProperty({ type: String, format: 'date-time' }) updated_at!: string;
}

export class NewKeyDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String, required: false, description: 'Shown this once' }) key?: string;
  @ApiProperty({ type: String }) key_prefix!: string;
}

export class ProvisionedTenantDto extends TenantDto {
  @ApiProperty({ type: NewKeyDto, required: false, description: 'Only where the tenant was made now' })
  api_key?: NewKeyDto;
}

class Watermarks {
  @ApiProperty({ type: Number }) vectors!: number;
  @ApiProperty({ type: Number }) graph!: number;
}

export class TenantStatsDto {
  @ApiProperty({ type: String }) tenant_id!: string;
  @ApiProperty({ type: Number }) memory_count!: number;
  @ApiProperty({ type: Number, description: 'Memories: entities are counted apart' }) graph_nodes!: number;
  @ApiProperty({ type: Number }) graph_relationships!: number;
  @ApiProperty({ type: Number, description: 'Whom and what the memories name' }) graph_entities!: number;
  @ApiProperty({ type: Number }) vector_points!: number;
  @ApiProperty({ type: Number }) storage_mb!: number;
  @ApiProperty({ type: Number }) document_count!: number;
  @ApiProperty({ type: Number }) chunk_count!: number;
  @ApiProperty({ type: Number }) workspace_count!: number;
  @ApiProperty({ type: Number }) agent_count!: number;
  @ApiProperty({ type: String }) state!: TenantState;
  @ApiProperty({ type: String }) placement!: string;
  @ApiProperty({ type: Number }) revision!: number;
  @ApiProperty({ type: Watermarks }) watermarks!: Watermarks;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) last_active_at!: string | null;
  @ApiProperty({ type: String, format: 'date-time' }) as_of!: string;
}

/** The part of the stats that costs no look at the projections. */
export class TenantCountsDto extends OmitType(PartialType(TenantStatsDto), [
  'watermarks',
  'graph_entities',
]) {}

export class ListedTenantDto extends TenantDto {
  @ApiProperty({ type: TenantCountsDto, required: false }) stats?: TenantCountsDto;
}

export class TenantListDto {
  @ApiProperty({ type: [ListedTenantDto] }) data!: ListedTenantDto[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

class RemovedDto {
  @ApiProperty({ type: Number }) removed!: number;
  @ApiProperty({ type: Number }) remaining!: number;
}

class PurgedStoresDto {
  @ApiProperty({ type: Object, description: 'By table', additionalProperties: true }) ledger!: Record<
    string,
    RemovedDto
  >;
  @ApiProperty({ type: RemovedDto }) vectors!: RemovedDto;
  @ApiProperty({ type: RemovedDto }) graph!: RemovedDto;
}

/** A deleted tenant; after a purge what was removed from each store. */
export class DeletedTenantDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String }) tenant_id!: string;
  @ApiProperty({ type: String, enum: ['deleted', 'purged'] }) state!: 'deleted' | 'purged';
  @ApiProperty({ type: String, format: 'date-time', required: false }) deleted_at?: string;
  @ApiProperty({ type: String, format: 'date-time', required: false }) restorable_until?: string;
  @ApiProperty({ type: String, format: 'date-time', required: false }) purged_at?: string;
  @ApiProperty({ type: PurgedStoresDto, required: false }) stores?: PurgedStoresDto;
  @ApiProperty({ type: Boolean, required: false, description: 'Counted again afterwards: nothing remains' })
  verified?: boolean;
}
