import { ApiProperty } from '@nestjs/swagger';
import { Flag, Fraction, Instant, Int, Texts, Uuid } from '../../platform/http/fields.js';
import { MemoryDto, WorkspaceField } from './memory.dto.js';
import type { DrawnEdge, DrawnNode } from './graph-drawing.js';
import type { RelationAttributes } from './relation-types.js';

const TYPES = { max: 32, each: { max: 64 }, commas: true, optional: true };

const ENTITIES = {
  optional: true,
  default: false,
  description: 'With whom and what the memories name, as nodes of their own',
};

export class SnapshotQuery extends WorkspaceField {
  @Int({ min: 0, max: 2_000, optional: true, default: 500, description: 'How many memories; 0: 2,000' })
  limit = 500;

  @Fraction({ optional: true, default: 0 })
  min_importance = 0;

  @Texts({ ...TYPES, description: 'Of memories. Absent: every type' })
  types?: string[];

  @Instant({ optional: true, description: 'Not older than this' })
  since?: string;

  @Flag({ ...ENTITIES })
  entities = false;
}

export class NeighborsQuery extends WorkspaceField {
  @Int({ min: 1, max: 3, optional: true, default: 1 })
  depth = 1;

  @Int({ min: 1, max: 200, optional: true, default: 100 })
  limit = 100;

  @Texts({ ...TYPES, description: 'Of relations. Absent: every type' })
  relationship_types?: string[];

  @Fraction({ optional: true, default: 0, description: 'Follows no weaker relation' })
  min_strength = 0;

  @Flag({ optional: true, default: true, description: 'With the memories that say nearly the same' })
  include_semantic = true;

  @Int({ min: 1, max: 20, optional: true, default: 5 })
  semantic_limit = 5;

  @Flag({ ...ENTITIES, description: `${ENTITIES.description}, and those that name what this one does` })
  entities = false;
}

export class PathQueryDto extends WorkspaceField {
  @Uuid()
  from!: string;

  @Uuid()
  to!: string;

  @Texts({ ...TYPES, description: 'Absent: every type' })
  relationship_types?: string[];

  @Fraction({ optional: true, default: 0, description: 'Follows no weaker relation' })
  min_strength = 0;

  @Int({ min: 1, max: 6, optional: true, default: 6, description: 'Relations on the way' })
  max_depth = 6;
}

export class NodeDto implements DrawnNode {
  @ApiProperty({ type: String, enum: ['memory', 'entity'] }) kind!: 'memory' | 'entity';
  @ApiProperty({ type: String, description: 'Of an entity its tag', example: 'entity:people:alice-johnson' })
  id!: string;
  @ApiProperty({ type: String, description: 'Its first 1,000 characters; of an entity its name' })
  content!: string;
  @ApiProperty({ type: String, description: 'Of an entity what it is, such as people or places' })
  type!: string;
  @ApiProperty({ type: [String] }) tags!: string[];
  @ApiProperty({ type: Number }) importance!: number;
  @ApiProperty({ type: Number }) confidence!: number;
  @ApiProperty({ type: String, format: 'date-time' }) timestamp!: string;
  @ApiProperty({ type: String, format: 'date-time' }) updated_at!: string;
  @ApiProperty({ type: String, example: '#3d7eff' }) color!: string;
  @ApiProperty({ type: Number, description: '0.5..2, by importance' }) radius!: number;
  @ApiProperty({ type: Number, description: '0.4..1, by confidence' }) opacity!: number;
}

export class SimilarNodeDto extends NodeDto {
  @ApiProperty({ type: Number, description: 'The cosine of the two' }) similarity!: number;
}

export class EdgeDto implements DrawnEdge {
  @ApiProperty({ type: String }) id!: string;
  @ApiProperty({ type: String, format: 'uuid' }) source!: string;
  @ApiProperty({ type: String, description: 'A memory, or the entity that the source mentions' })
  target!: string;
  @ApiProperty({ type: String, description: 'MENTIONS, where it leads to an entity' }) type!: string;
  @ApiProperty({ type: Number }) strength!: number;
  @ApiProperty({ type: String }) color!: string;
  @ApiProperty({ type: Object, additionalProperties: true, description: 'Such as reason or context' })
  properties!: RelationAttributes;
}

const COLORS = { type: Object, additionalProperties: { type: 'string' } };
const COUNTS = { type: Object, additionalProperties: { type: 'integer' } };

export class SnapshotStatsDto {
  @ApiProperty({ type: 'integer' }) total_nodes!: number;
  @ApiProperty({ type: 'integer' }) total_edges!: number;
  @ApiProperty({ type: 'integer' }) returned_nodes!: number;
  @ApiProperty({ type: 'integer' }) returned_edges!: number;
  @ApiProperty({ type: Boolean, description: 'Whether there are more memories than these' })
  sampled!: boolean;
  @ApiProperty({ type: Number }) sample_ratio!: number;
  @ApiProperty({
    type: 'integer',
    required: false,
    description: 'With entities: how many of the nodes are none of the memories that are counted here',
  })
  returned_entities?: number;
}

export class DrawingMetaDto {
  @ApiProperty(COLORS) type_colors!: Readonly<Record<string, string>>;
  @ApiProperty(COLORS) relation_colors!: Readonly<Record<string, string>>;
  @ApiProperty({ type: Number }) query_time_ms!: number;
}

export class SnapshotDto {
  @ApiProperty({ type: [NodeDto] }) nodes!: NodeDto[];
  @ApiProperty({ type: [EdgeDto], description: 'Between these memories' }) edges!: EdgeDto[];
  @ApiProperty({ type: SnapshotStatsDto }) stats!: SnapshotStatsDto;
  @ApiProperty({ type: DrawingMetaDto }) meta!: DrawingMetaDto;
}

export class NeighborsMetaDto {
  @ApiProperty({ type: 'integer' }) depth!: number;
  @ApiProperty({ type: Number }) query_time_ms!: number;
}

export class NeighborsDto {
  @ApiProperty({ type: NodeDto }) center!: NodeDto;
  @ApiProperty({ type: [NodeDto], description: 'Nearest first' }) graph_neighbors!: NodeDto[];
  @ApiProperty({ type: [SimilarNodeDto], description: 'Most alike first' })
  semantic_neighbors!: SimilarNodeDto[];
  @ApiProperty({
    type: [NodeDto],
    required: false,
    description: 'With entities: the memories that name what this one names, first what the fewest name',
  })
  entity_neighbors?: NodeDto[];
  @ApiProperty({ type: [NodeDto], required: false, description: 'With entities: what all of these name' })
  entities?: NodeDto[];
  @ApiProperty({ type: [EdgeDto], description: 'Between all of these' }) edges!: EdgeDto[];
  @ApiProperty({ type: NeighborsMetaDto }) meta!: NeighborsMetaDto;
  @ApiProperty({ type: [String], enum: ['vectors', 'graph'], required: false }) degraded?: string[];
}

export class TotalsDto {
  @ApiProperty({ type: 'integer' }) nodes!: number;
  @ApiProperty({ type: 'integer' }) edges!: number;
  @ApiProperty({ type: 'integer', description: 'Not among the nodes' }) entities!: number;
  @ApiProperty({ type: 'integer', description: 'Not among the edges' }) mentions!: number;
}

export class ImportanceDto {
  @ApiProperty({ type: 'integer', description: 'From 0.8' }) high!: number;
  @ApiProperty({ type: 'integer', description: 'From 0.5' }) medium!: number;
  @ApiProperty({ type: 'integer' }) low!: number;
}

export class ActivityDto {
  @ApiProperty({ type: String, format: 'date' }) date!: string;
  @ApiProperty({ type: 'integer' }) count!: number;
}

export class GraphStatsDto {
  @ApiProperty({ type: TotalsDto }) totals!: TotalsDto;
  @ApiProperty(COUNTS) by_type!: Record<string, number>;
  @ApiProperty(COUNTS) by_relationship!: Record<string, number>;
  @ApiProperty({ ...COUNTS, description: 'By what they are, such as people or places' })
  by_entity!: Record<string, number>;
  @ApiProperty({ type: ImportanceDto }) importance_distribution!: ImportanceDto;
  @ApiProperty({ type: [ActivityDto], description: 'Memories of the last seven days, the latest first' })
  recent_activity!: ActivityDto[];
  @ApiProperty({ type: DrawingMetaDto }) meta!: DrawingMetaDto;
}

export class GraphTypesDto {
  @ApiProperty({ type: [String], description: "Loci's own, and those that memories of the workspace have" })
  types!: string[];
  @ApiProperty(COLORS) colors!: Readonly<Record<string, string>>;
}

export class RelationTypeDto {
  @ApiProperty({ type: String }) type!: string;
  @ApiProperty({ type: String, enum: ['caller', 'system'], description: 'Who makes such relations' })
  author!: 'caller' | 'system';
  @ApiProperty({ type: String, description: 'Read from the first memory to the second' }) says!: string;
  @ApiProperty({ type: [String] }) attributes!: string[];
}

export class GraphRelationsDto {
  @ApiProperty({ type: [String] }) relations!: string[];
  @ApiProperty(COLORS) colors!: Readonly<Record<string, string>>;
  @ApiProperty({ type: [RelationTypeDto] }) details!: RelationTypeDto[];
}

export class PathDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: Boolean }) found!: boolean;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Relations on the way' }) length!:
    number | null;
  @ApiProperty({ type: [MemoryDto], description: 'From the first to the last' }) memories!: MemoryDto[];
  @ApiProperty({ type: [EdgeDto], description: 'One fewer, each as it was made' }) relations!: EdgeDto[];
  @ApiProperty({
    type: Boolean,
    description: 'False: so many relations lead away from here that not all of them were followed',
  })
  complete!: boolean;
}
