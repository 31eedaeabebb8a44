import { ApiProperty } from '@nestjs/swagger';
import {
  Flag,
  Fraction,
  Instant,
  Int,
  OneOf,
  Tags,
  Text,
  Texts,
  Vector,
} from '../../platform/http/fields.js';
import { AutoMemRecallFields } from './automem-recall-fields.js';
import { MemoryDto } from './memory.dto.js';
import type { RelationAttributes } from './relation-types.js';
import { RANKING_PARTS, type RankingWeights } from './recall-ranking.js';

const RECALL_ORDERS = [
  'score',
  'newest',
  'oldest',
  'time_desc',
  'time_asc',
  'updated_desc',
  'updated_asc',
] as const;

export class RecallDto extends AutoMemRecallFields {
  @Text({
    max: 8_192,
    optional: true,
    description: 'The question in words. Absent: the filters alone, newest first',
  })
  query?: string;

  @Texts({
    max: 10,
    each: { max: 8_192 },
    optional: true,
    description: 'Several wordings: a memory counts by the best',
  })
  queries?: string[];

  @Vector({
    optional: true,
    description:
      'Of the embedding model that answers: in place of embedding `query`, or of a question in words',
  })
  embedding?: number[];

  @Tags({ optional: true, description: 'What the caller is about: memories with these tags rank higher' })
  context_tags?: string[];

  @Int({ min: 1, max: 100, optional: true, default: 10 })
  limit = 10;

  @Int({ min: 0, max: 1_000, optional: true, default: 0, description: 'How many of the best to pass over' })
  offset = 0;

  @Tags({ optional: true })
  tags?: string[];

  @Tags({ optional: true })
  exclude_tags?: string[];

  @OneOf(['any', 'all'], { optional: true, default: 'any' })
  tag_mode: 'any' | 'all' = 'any';

  @OneOf(['exact', 'prefix'], { optional: true, default: 'exact' })
  tag_match: 'exact' | 'prefix' = 'exact';

  @Texts({ max: 32, each: { max: 64 }, commas: true, optional: true })
  types?: string[];

  @Instant({ optional: true, description: 'Not older than this' })
  start?: string;

  @Instant({ optional: true, description: 'Not newer than this' })
  end?: string;

  @Text({
    max: 200,
    optional: true,
    description: 'The same in words; with start and end, what lies in both',
    example: 'last week',
  })
  time_query?: string;

  @Text({
    max: 64,
    optional: true,
    description:
      "In which the days of time_query begin; by default the tenant's settings.recall.time_zone, or UTC",
    example: 'Europe/Berlin',
  })
  time_zone?: string;

  @Text({ max: 256, optional: true })
  session_id?: string;

  @Text({ max: 256, optional: true })
  user_id?: string;

  @Text({ max: 256, optional: true })
  agent_id?: string;

  @OneOf(['current', 'history'], {
    optional: true,
    default: 'current',
    description:
      'current: only what holds now, by t_valid and t_invalid, and was not forgotten; history: all of it',
  })
  state_mode: 'current' | 'history' = 'current';

  @Flag({ optional: true, description: 'Another word for state_mode: true is current, false is history' })
  current_only?: boolean;

  @OneOf(['auto', 'on', 'off'], {
    optional: true,
    default: 'auto',
    description: 'Whether what is new ranks higher; auto: where the words ask for it, as in "latest"',
  })
  recency_bias: 'auto' | 'on' | 'off' = 'auto';

  @OneOf(RECALL_ORDERS, { optional: true, default: 'score' })
  sort: (typeof RECALL_ORDERS)[number] = 'score';

  @Fraction({ optional: true, default: 0 })
  min_score = 0;

  @Flag({
    optional: true,
    default: false,
    description:
      'With each result the memories it is related to, and those that connect two results among them',
  })
  expand_relations = false;

  @Int({ min: 1, max: 50, optional: true, default: 5, description: 'How many relations for each result' })
  relation_limit = 5;

  @Int({
    min: 1,
    max: 500,
    optional: true,
    default: 25,
    description: 'How many memories are brought along in all',
  })
  expansion_limit = 25;

  @Fraction({ optional: true, default: 0, description: 'Follows no weaker relation' })
  expand_min_strength = 0;

  @Fraction({ optional: true, default: 0, description: 'Brings no less important memory along' })
  expand_min_importance = 0;

  @Flag({ optional: true, default: false, description: 'Brings along only what has the tags asked for' })
  expand_respect_tags = false;

  @Flag({ optional: true, default: false, description: 'Shows what the parts of each score weigh' })
  explain = false;
}

export class RelationDto {
  @ApiProperty({ type: String }) type!: string;
  @ApiProperty({ type: Number }) strength!: number;
  @ApiProperty({ type: String, enum: ['outgoing', 'incoming'] }) direction!: 'outgoing' | 'incoming';
  @ApiProperty({ type: Object, additionalProperties: true, description: 'Such as reason or context' })
  attributes!: RelationAttributes;
  @ApiProperty({ type: MemoryDto }) memory!: MemoryDto;
}

export class RecallResultDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: Number, description: '0..1' }) score!: number;
  @ApiProperty({
    type: Object,
    description: `Each 0..1 before its weight, those that say something: ${RANKING_PARTS.join(', ')}; relation is the score of what connects two results`,
    additionalProperties: { type: 'number' },
  })
  score_parts!: Record<string, number>;
  @ApiProperty({
    type: String,
    enum: ['hybrid', 'vector', 'keyword', 'filter', 'relation', 'entity', 'priority'],
    description: 'priority: it is here because priority_ids names it, and the question did not find it',
  })
  match_type!: string;
  @ApiProperty({ type: MemoryDto }) memory!: MemoryDto;
  @ApiProperty({ type: [RelationDto], required: false }) relations?: RelationDto[];
  @ApiProperty({
    type: [String],
    required: false,
    description: 'Ids of what the question found, and in whose place this is, as it holds now',
  })
  state_replaces?: string[];
  @ApiProperty({
    type: Boolean,
    required: false,
    description: 'With scope_fallback: true where it has not the tags that were asked for',
  })
  outside_tag_scope?: boolean;
  @ApiProperty({
    type: String,
    required: false,
    description: 'With expand_entities: the name of what it shares with results, and is here for',
  })
  expanded_from_entity?: string;
  @ApiProperty({ type: [String], required: false, description: 'Ids of those results, the best first' })
  expanded_from?: string[];
}

export class SuppressedDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String, enum: ['superseded'] }) reason!: 'superseded';
  @ApiProperty({ type: String, format: 'uuid', description: 'What holds now in its place' })
  replacement_id!: string;
  @ApiProperty({ type: String, description: 'The relation that leads away from it' }) relation_type!: string;
  @ApiProperty({ type: [String], description: 'Ids of what held in between, in order' }) via!: string[];
}

export class ReplacementDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String, format: 'uuid' }) replaces_id!: string;
  @ApiProperty({ type: String }) relation_type!: string;
}

/** What had ceased to hold by its own times is among no results, and so not here. */
export class StateFilterDto {
  @ApiProperty({ type: Boolean }) current_only!: boolean;
  @ApiProperty({ type: Number }) suppressed_count!: number;
  @ApiProperty({ type: Number }) replacement_count!: number;
  @ApiProperty({ type: [SuppressedDto], description: 'What the question found, and no longer holds' })
  suppressed!: SuppressedDto[];
  @ApiProperty({ type: [ReplacementDto], description: 'Those results that stand in the place of such' })
  replacements!: ReplacementDto[];
}

export class EntityExpansionDto {
  @ApiProperty({ type: Boolean }) enabled!: boolean;
  @ApiProperty({ type: Number, description: 'How many memories were brought along' }) expanded_count!: number;
  @ApiProperty({
    type: [String],
    description: 'Names of whom and what the results name, the most named first',
  })
  entities_found!: string[];
}

export class TimeRangeDto {
  @ApiProperty({ type: String }) query!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) start!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Exclusive' })
  end!: string | null;
  @ApiProperty({ type: String }) time_zone!: string;
  @ApiProperty({ type: String, format: 'date-time', description: 'The clock it was reckoned from' })
  now!: string;
}

export class RecalledDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: [RecallResultDto] }) results!: RecallResultDto[];
  @ApiProperty({
    type: Object,
    additionalProperties: { type: 'number' },
    required: false,
    description:
      'With explain: what each part weighed. A score is the sum of its score_parts by their weights, divided by the sum of these weights; that of a bridge, which no part found, is its relation',
  })
  weights?: RankingWeights;
  @ApiProperty({ type: Number }) count!: number;
  @ApiProperty({ type: Number, description: 'Milliseconds' }) took_ms!: number;
  @ApiProperty({ type: TimeRangeDto, required: false, description: 'What time_query was taken to mean' })
  time_range?: TimeRangeDto;
  @ApiProperty({ type: EntityExpansionDto, required: false, description: 'With expand_entities' })
  entity_expansion?: EntityExpansionDto;
  @ApiProperty({
    type: [String],
    required: false,
    description: 'With auto_decompose: the wordings that were asked, where there were more than came',
  })
  queries?: string[];
  @ApiProperty({ type: StateFilterDto, required: false, description: 'With state_debug' })
  state_filter?: StateFilterDto;
  @ApiProperty({
    type: [String],
    enum: ['vectors', 'graph', 'models'],
    required: false,
    description: 'What could not take part: the answer is what is left',
  })
  degraded?: string[];
}
