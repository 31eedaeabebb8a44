import { ApiProperty } from '@nestjs/swagger';
import { Int, OneOf, Text, Uuids } from '../../platform/http/fields.js';
import { MemoryDto, WorkspaceField } from '../memory/memory.dto.js';
import { ENTITY_KINDS, type EntityKind } from './entity-kinds.js';

export class ListEntitiesDto extends WorkspaceField {
  @OneOf(ENTITY_KINDS, { optional: true, description: 'Absent: every kind' })
  kind?: EntityKind;

  @OneOf(ENTITY_KINDS, { optional: true, description: "The same in the words of AutoMem's clients" })
  category?: EntityKind;

  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;

  @Text({ max: 64, optional: true, description: '`next_cursor` of the page before' })
  cursor?: string;
}

export class GetEntityDto extends WorkspaceField {
  @Int({ min: 1, max: 200, optional: true, default: 50, description: 'Memories at the most' })
  limit = 50;
}

export class MergeEntityDto extends WorkspaceField {
  @Text({ max: 256, description: 'The slug of the entity that it is to become' })
  merge_into!: string;
}

export class EntityDto {
  @ApiProperty({ type: String, example: 'alice-johnson' }) slug!: string;
  @ApiProperty({ type: String, enum: ENTITY_KINDS }) kind!: EntityKind;
  @ApiProperty({ type: String, enum: ENTITY_KINDS, description: 'The same' }) category!: EntityKind;
  @ApiProperty({ type: String, example: 'Alice Johnson' }) name!: string;
  @ApiProperty({ type: [String], description: 'Other names that it goes by' }) aliases!: string[];
  @ApiProperty({ type: String, description: 'By which recall finds the memories that name it' }) tag!: string;
  @ApiProperty({ type: Number, description: 'How many memories name it' }) mention_count!: number;
  @ApiProperty({ type: String, format: 'date-time' }) first_mentioned_at!: string;
  @ApiProperty({ type: String, format: 'date-time' }) last_mentioned_at!: string;
}

export class EntitiesDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: [EntityDto], description: 'The most named first' }) data!: EntityDto[];
  @ApiProperty({ type: [EntityDto], description: "The same under the name that AutoMem's clients read" })
  entities!: EntityDto[];
  @ApiProperty({ type: Number }) count!: number;
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

export class OneEntityDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: EntityDto }) entity!: EntityDto;
  @ApiProperty({ type: [MemoryDto], description: 'Those that name it, newest first' }) memories!: MemoryDto[];
}

export class EntityMergeDto {
  @ApiProperty({ type: String, description: 'The slug of the one that is left' }) canonical!: string;
  @ApiProperty({ type: String, description: 'The slug of the one that is gone' }) alias!: string;
  @ApiProperty({ type: Number, description: 'How many memories bear another tag now' })
  mentions_moved!: number;
}

export class MergedEntityDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: EntityDto }) entity!: EntityDto;
  @ApiProperty({ type: EntityMergeDto }) merge!: EntityMergeDto;
}

export class FailedReadingDto {
  @ApiProperty({ type: String, format: 'uuid' }) memory_id!: string;
  @ApiProperty({ type: String }) reason!: string;
  @ApiProperty({ type: String, format: 'date-time' }) at!: string;
}

const STATES = ['off', 'idle', 'running', 'retrying'];

export class LanguageModelStateDto {
  @ApiProperty({ type: String, enum: STATES, description: 'off: none is configured, or it is not to read' })
  state!: string;
  @ApiProperty({ type: Number, description: 'Items of this workspace that it has still to look at' })
  pending!: number;
}

export class EnrichmentStatusDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: String, enum: STATES }) state!: string;
  @ApiProperty({ type: Number, description: "The tenant's revision" }) revision!: number;
  @ApiProperty({ type: Number, description: 'Up to which everything was read' }) watermark!: number;
  @ApiProperty({ type: Number, description: 'Items of this workspace that changed since' }) pending!: number;
  @ApiProperty({ type: Number, description: 'The same' }) queue_size!: number;
  @ApiProperty({ type: Number, description: 'Memories of this workspace that are read, as they stand' })
  processed!: number;
  @ApiProperty({ type: Number, description: 'Those that were tried in vain and set aside' }) failed!: number;
  @ApiProperty({ type: String, nullable: true, description: 'Of what is tried again now' })
  last_error!: string | null;
  @ApiProperty({ type: LanguageModelStateDto, description: 'Of the model that reads after our own reader' })
  language_model!: LanguageModelStateDto;
  @ApiProperty({ type: [FailedReadingDto] }) failures!: FailedReadingDto[];
}

export class ReprocessDto extends WorkspaceField {
  @Uuids({ max: 500, optional: true, description: 'Absent: every memory of the workspace' })
  ids?: string[];
}

export class ReprocessedDto {
  @ApiProperty({ type: String, enum: ['queued'] }) status!: 'queued';
  @ApiProperty({ type: Number, description: 'How many memories will be read again' }) count!: number;
}
