import { ApiProperty, IntersectionType } from '@nestjs/swagger';
import { EachOf, Fraction, Instant, Int, OneOf, Text, Texts, Uuid } from '../../platform/http/fields.js';
import { MemoryDto, Scrubbed, WorkspaceField, type MaskedDto } from './memory.dto.js';
import type { RelationAttributes } from './relation-types.js';
import { RELATION_MEANINGS, RELATION_TYPES, type RelationType } from './relation-types.js';

const TYPE_SAYS = 'SIMILAR_TO, PRECEDED_BY and DISCOVERED are made by Loci alone';
const IGNORED_SAYS = 'Attributes that a relation of this type has no place for';
const PROSE = { max: 2_048, optional: true };
const WORD = { max: 256, optional: true };

/** What callers may say of a relation, beside one another as AutoMem's clients send it. Each type takes some of them. */
class AttributeFields {
  @Text({ ...PROSE, description: takenBy('reason') })
  reason?: string;

  @Text({ ...PROSE, description: takenBy('context') })
  context?: string;

  @Text({ ...PROSE, description: takenBy('resolution') })
  resolution?: string;

  @Text({ ...WORD, description: takenBy('pattern_type') })
  pattern_type?: string;

  @Text({ ...WORD, description: takenBy('transformation') })
  transformation?: string;

  @Text({ ...WORD, description: takenBy('role') })
  role?: string;

  @Text({ ...WORD, description: takenBy('duration'), example: 'P3D' })
  duration?: string;

  @Instant({ optional: true, description: takenBy('timestamp') })
  timestamp?: string;

  @Fraction({ optional: true, description: takenBy('confidence') })
  confidence?: number;

  @Int({ min: 1, max: 1_000_000_000, optional: true, description: takenBy('observations') })
  observations?: number;
}

function takenBy(attribute: string): string {
  const types = Object.entries(RELATION_MEANINGS).filter(([, { author, attributes }]) => {
    return author === 'caller' && (attributes as readonly string[]).includes(attribute);
  });
  return `Of ${types.map(([type]) => type).join(', ')}`;
}

export class AssociationDto extends AttributeFields {
  @Uuid()
  memory1_id!: string;

  @Uuid()
  memory2_id!: string;

  @OneOf(RELATION_TYPES, { description: TYPE_SAYS })
  type!: RelationType;

  @Fraction({ optional: true, default: 0.5 })
  strength = 0.5;
}

/** One association in the body itself, or several in `associations`. */
export class AssociateDto extends IntersectionType(WorkspaceField, AttributeFields) {
  @Uuid({ optional: true })
  memory1_id?: string;

  @Uuid({ optional: true })
  memory2_id?: string;

  @OneOf(RELATION_TYPES, { optional: true, description: TYPE_SAYS })
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
  @ApiProperty({ type: [String], description: IGNORED_SAYS }) ignored!: string[];
  @ApiProperty({ type: Boolean }) indexed!: boolean;
  @Scrubbed() scrubbed?: MaskedDto[];
}

export class SucceededAssociationDto {
  @ApiProperty({ type: Number, description: 'Its place in the request, from 0' }) index!: number;
  @ApiProperty({ type: String, format: 'uuid' }) memory1_id!: string;
  @ApiProperty({ type: String, format: 'uuid' }) memory2_id!: string;
  @ApiProperty({ type: String }) type!: string;
  @ApiProperty({ type: String, format: 'uuid' }) relation_id!: string;
  @ApiProperty({ type: [String], description: IGNORED_SAYS }) ignored!: string[];
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
  @Scrubbed() scrubbed?: MaskedDto[];
}

export class RelatedDtoQuery extends WorkspaceField {
  @Texts({ max: 14, each: { max: 64 }, commas: true, optional: true, description: 'Absent: every type' })
  relationship_types?: string[];

  @Int({ min: 1, max: 3, optional: true, default: 1 })
  max_depth = 1;

  @Fraction({ optional: true, default: 0, description: 'Follows no weaker relation' })
  min_strength = 0;

  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;
}

export class RelatedMemoryDto extends MemoryDto {
  @ApiProperty({ type: String, description: 'Of the last relation on the way' }) relation_type!: string;
  @ApiProperty({ type: Number }) relation_strength!: number;
  @ApiProperty({ type: Object, additionalProperties: true, description: 'Such as reason or context' })
  relation_attributes!: RelationAttributes;
  @ApiProperty({ type: String, format: 'uuid' }) relation_id!: string;
  @ApiProperty({ type: Number, description: 'How many relations away' }) depth!: number;
}

export class RelatedMemoriesDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: String, format: 'uuid' }) memory_id!: string;
  @ApiProperty({ type: Number }) count!: number;
  @ApiProperty({ type: [RelatedMemoryDto] }) related_memories!: RelatedMemoryDto[];
  @ApiProperty({ type: [String], description: 'Those that were followed' }) relationship_types!: string[];
  @ApiProperty({ type: Number }) max_depth!: number;
  @ApiProperty({ type: Number }) limit!: number;
}
