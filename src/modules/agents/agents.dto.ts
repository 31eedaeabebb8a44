import { ApiProperty, PartialType } from '@nestjs/swagger';
import { Flag, Int, JsonObject, Num, OneOf, SomeOf, Text } from '../../platform/http/fields.js';
import { SLUG_LIMITS } from '../../platform/http/slug-field.js';
import { AGENT_TOOLS, type AgentTool } from './agent.js';
import type { AgentScope } from './agent-access.js';
import { TEMPLATE_IDS } from './agent-templates.js';

const TYPE = {
  max: 64,
  pattern: /^[a-z][a-z0-9_]*$/,
  patternSays: 'must be a word of a-z, 0-9 and _',
};

/** What POST and PATCH have in common. */
class AgentFieldsDto {
  @Text({ max: 2_000, min: 0, optional: true, nullable: true })
  description?: string | null;

  @Text({ maxBytes: 32_768, min: 0, optional: true, nullable: true })
  system_prompt?: string | null;

  @Text({ max: 64, optional: true, nullable: true, example: 'openai' })
  model_provider?: string | null;

  @Text({ max: 200, optional: true, nullable: true, description: "Absent: the tenant's own model" })
  model_name?: string | null;

  @Num({ min: 0, max: 2, optional: true, nullable: true })
  temperature?: number | null;

  @SomeOf(AGENT_TOOLS, { optional: true })
  enabled_tools?: AgentTool[];

  @JsonObject({ optional: true })
  tool_config?: Record<string, unknown>;

  @Text({ ...TYPE, optional: true, default: 'custom', example: 'customer_service' })
  agent_type?: string;

  @Text({ max: 256, optional: true, nullable: true, description: "A member's id; only admins name others" })
  owner_id?: string | null;

  @Flag({ optional: true, default: true, description: 'For everybody of the tenant' })
  is_public?: boolean;

  @Flag({ optional: true, default: true })
  is_active?: boolean;
}

export class CreateAgentDto extends AgentFieldsDto {
  @Text({ max: 200, example: 'Support Bot' })
  name!: string;

  @Text({ ...SLUG_LIMITS, description: 'Unique in the workspace', example: 'support-bot' })
  slug!: string;
}

export class ChangeAgentDto extends PartialType(CreateAgentDto) {}

export class FromTemplateDto extends PartialType(CreateAgentDto) {
  @OneOf(TEMPLATE_IDS, { description: 'All other fields come before what the template says' })
  template!: string;
}

export class ListAgentsDto {
  @OneOf(['own', 'public', 'all'], { optional: true, default: 'all' })
  scope: AgentScope = 'all';

  @Text({ ...TYPE, optional: true })
  agent_type?: string;

  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;

  @Text({ max: 512, optional: true, description: '`next_cursor` of the page before' })
  cursor?: string;
}

export class AgentDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String, format: 'uuid' }) workspace_id!: string;
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: String }) slug!: string;
  @ApiProperty({ type: String, nullable: true }) description!: string | null;
  @ApiProperty({ type: String, nullable: true }) system_prompt!: string | null;
  @ApiProperty({ type: String, nullable: true }) model_provider!: string | null;
  @ApiProperty({ type: String, nullable: true }) model_name!: string | null;
  @ApiProperty({ type: Number, nullable: true }) temperature!: number | null;
  @ApiProperty({ type: String, isArray: true, enum: [...AGENT_TOOLS] }) enabled_tools!: AgentTool[];
  @ApiProperty({ type: Object, additionalProperties: true }) tool_config!: Record<string, unknown>;
  @ApiProperty({ type: String }) agent_type!: string;
  @ApiProperty({ type: String, nullable: true, description: "Null: the tenant's own" }) owner_id!:
    string | null;
  @ApiProperty({ type: Boolean }) is_public!: boolean;
  @ApiProperty({ type: Boolean }) is_active!: boolean;
  @ApiProperty({ type: String, enum: ['active', 'inactive'] }) status!: 'active' | 'inactive';
  @ApiProperty({ type: Boolean, description: 'Answers where no agent is named' }) is_default!: boolean;
  @ApiProperty({ type: String, nullable: true }) template!: string | null;
  @ApiProperty({ type: String, format: 'date-time' }) created_at!: string;
  @ApiProperty({ type: String, format: 'date-time' }) updated_at!: string;
}

export class AgentListDto {
  @ApiProperty({ type: [AgentDto] }) data!: AgentDto[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

export class DeletedAgentDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String }) slug!: string;
  @ApiProperty({ type: String, enum: ['deleted'] }) status!: 'deleted';
}

export class AgentTemplateDto {
  @ApiProperty({ type: String, enum: [...TEMPLATE_IDS] }) id!: string;
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: String }) description!: string;
  @ApiProperty({ type: String }) agent_type!: string;
  @ApiProperty({ type: String }) system_prompt!: string;
  @ApiProperty({ type: Number }) temperature!: number;
  @ApiProperty({ type: String, isArray: true, enum: [...AGENT_TOOLS] }) enabled_tools!: AgentTool[];
}

export class AgentTemplateListDto {
  @ApiProperty({ type: [AgentTemplateDto] }) data!: AgentTemplateDto[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}
