import { ApiProperty } from '@nestjs/swagger';
import { EachOf, Fraction, Int, OneOf, Texts, Uuid } from '../../platform/http/fields.js';
import { MemoryDto, WorkspaceField } from './memory.dto.js';
import { RELATION_TYPES, type RelationType } from './relations.service.js';

export class AssociationDto {
  @Uuid()
  memory1_id!: string;

  @Uuid()
  memory2_id!: string;

  @OneOf(RELATION_TYPES)
  type!: RelationType;

  @Fraction({ optional: true, default: 0.5 })
  strength = 0.5;
}

/** One association in the body itself, or several in `associations`. */
export class AssociateDto extends WorkspaceField {
  @Uuid({ optional: true })
  memory1_id?: string;

  @Uuid({ optional: true })
  memory2_id?: string;

  @OneOf(RELATION_TYPES, { optional: true })
  type?: RelationType;

  @Fraction({ optional: true })
  strength?: number;

  @EachOf(() => AssociationDto, { min: 1, max: 500, optional: true })
  associations?: Record<string, unknown>[];
}

export class AssociatedOneDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: String }) message!: string;
  @ApiProperty({ type: String, format: 'uuid' }) relation_id!: string;
  @ApiProperty({ type: Boolean }) indexed!: boolean;
}

export class SucceededAssociationDto {
  @ApiProperty({ type: Number, description: 'Its place in the request, from 0' }) index!: number;
  @ApiProperty({ type: String, format: 'uuid' }) memory1_id!: string;
  @ApiProperty({ type: String, format: 'uuid' }) memory2_id!: string;
  @ApiProperty({ type: String }) type!: string;
  @ApiProperty({ type: String, format: 'uuid' }) relation_id!: string;
}

export class RefusedAssociationDto {
  @ApiProperty({ type: Number, description: 'Its place in the request, from 0' }) index!: number;
  @ApiProperty({ type: String, required: false }) memory1_id?: string;
  @ApiProperty({ type: String, required: false }) memory2_id?: string;
  @ApiProperty({ type: String, required: false }) type?: string;
  @ApiProperty({ type: String, example: 'memory.not_found' }) code!: string;
  @ApiProperty({ type: String }) error!: string;
}

export class AssociatedManyDto {
  @ApiProperty({ type: String, enum: ['success', 'partial'] }) status!: 'success' | 'partial';
  @ApiProperty({ type: Number, description: 'How many hold now' }) created_count!: number;
  @ApiProperty({ type: Number, description: 'How many of them were there already, just so' })
  unchanged_count!: number;
  @ApiProperty({ type: Number }) failed_count!: number;
  @ApiProperty({ type: [SucceededAssociationDto] }) succeeded!: SucceededAssociationDto[];
  @ApiProperty({ type: [RefusedAssociationDto] }) failed!: RefusedAssociationDto[];
  @ApiProperty({ type: Boolean }) indexed!: boolean;
}

export class RelatedDtoQuery extends WorkspaceField {
  @Texts({ max: 14, each: { max: 64 }, commas: true, optional: true, description: 'Absent: every type' })
  relationship_types?: string[];

  @Int({ min: 1, max: 3, optional: true, default: 1 })
  max_depth = 1;

  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;
}

export class RelatedMemoryDto extends MemoryDto {
  @ApiProperty({ type: String, description: 'Of the last relation on the way' }) relation_type!: string;
  @ApiProperty({ type: Number }) relation_strength!: number;
  @ApiProperty({ type: Number, description: 'How many relations away' }) depth!: number;
}

export class RelatedMemoriesDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: String, format: 'uuid' }) memory_id!: string;
  @ApiProperty({ type: Number }) count!: number;
  @ApiProperty({ type: [RelatedMemoryDto] }) related_memories!: RelatedMemoryDto[];
}
