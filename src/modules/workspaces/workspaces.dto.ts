import { ApiProperty } from '@nestjs/swagger';
import { Int, JsonObject, Text } from '../../platform/http/fields.js';
import { SLUG_LIMITS } from '../../platform/http/slug-field.js';

export class CreateWorkspaceDto {
  @Text({ max: 200, example: 'Customer Support' })
  name!: string;

  @Text({ ...SLUG_LIMITS, description: 'Unique in the tenant', example: 'support' })
  slug!: string;

  @Text({ max: 2_000, min: 0, optional: true, nullable: true })
  description?: string | null;

  @JsonObject({ optional: true })
  settings?: Record<string, unknown>;
}

export class ChangeWorkspaceDto {
  @Text({ max: 200, optional: true })
  name?: string;

  @Text({ ...SLUG_LIMITS, optional: true })
  slug?: string;

  @Text({ max: 2_000, min: 0, optional: true, nullable: true })
  description?: string | null;

  @JsonObject({ optional: true, description: 'Merged with what is kept; null removes a member' })
  settings?: Record<string, unknown>;
}

export class ListWorkspacesDto {
  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;

  @Text({ max: 512, optional: true, description: '`next_cursor` of the page before' })
  cursor?: string;
}

export class WorkspaceDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String, format: 'uuid', description: "The tenant's UUID" }) organization_id!: string;
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: String }) slug!: string;
  @ApiProperty({ type: String, nullable: true }) description!: string | null;
  @ApiProperty({ type: Object, additionalProperties: true }) settings!: Record<string, unknown>;
  @ApiProperty({ type: Boolean, description: 'Where requests go that name no workspace' })
  is_default!: boolean;
  @ApiProperty({ type: Number }) document_count!: number;
  @ApiProperty({ type: Number }) agent_count!: number;
  @ApiProperty({ type: Number, description: 'Since the first of the month, UTC' }) monthly_requests!: number;
  @ApiProperty({ type: String, format: 'date-time' }) created_at!: string;
  @ApiProperty({ type: String, format: 'date-time' }) updated_at!: string;
}

export class WorkspaceListDto {
  @ApiProperty({ type: [WorkspaceDto] }) data!: WorkspaceDto[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

class RemovedWithWorkspaceDto {
  @ApiProperty({ type: Number }) memories!: number;
  @ApiProperty({ type: Number }) agents!: number;
  @ApiProperty({ type: Number }) keys!: number;
}

export class DeletedWorkspaceDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String }) slug!: string;
  @ApiProperty({ type: String, enum: ['deleted'] }) status!: 'deleted';
  @ApiProperty({ type: RemovedWithWorkspaceDto }) removed!: RemovedWithWorkspaceDto;
}
