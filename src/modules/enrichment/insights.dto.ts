import { ApiProperty } from '@nestjs/swagger';
import { Int } from '../../platform/http/fields.js';
import { MemoryDto, WorkspaceField } from '../memory/memory.dto.js';

export class StartupQueryDto extends WorkspaceField {
  @Int({ min: 1, max: 50, optional: true, default: 10, description: 'Memories in each part' })
  limit = 10;
}

export class StartupDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({
    type: [MemoryDto],
    description: 'Tagged critical, lesson or ai-assistant, or of an importance of at least 0.9',
  })
  critical_lessons!: MemoryDto[];
  @ApiProperty({ type: [MemoryDto], description: 'Tagged system or memory-recall' })
  system_rules!: MemoryDto[];
  @ApiProperty({ type: [MemoryDto], description: 'Of the types Preference, Style and Habit' })
  preferences!: MemoryDto[];
  @ApiProperty({ type: [MemoryDto], description: 'The newest of the rest' }) recent!: MemoryDto[];
  @ApiProperty({ type: Number }) lesson_count!: number;
  @ApiProperty({ type: Boolean, description: 'Whether a lesson has an importance of at least 0.9' })
  has_critical!: boolean;
  @ApiProperty({ type: String }) summary!: string;
}

export class AnalyzeDto extends WorkspaceField {}

const NUMBERS = { type: 'object', additionalProperties: { type: 'number' } } as const;

export class PatternDto {
  @ApiProperty({ type: String, enum: ['together'] }) type!: 'together';
  @ApiProperty({ type: String, example: 'Alice Johnson and Berlin come up together' }) description!: string;
  @ApiProperty({ type: [String] }) entities!: string[];
  @ApiProperty({ type: Number, description: 'In how many memories' }) observations!: number;
  @ApiProperty({ type: Number, description: 'Share of the memories that name the rarer of the two' })
  confidence!: number;
}

export class PreferenceDto {
  @ApiProperty({ type: String }) prefers!: string;
  @ApiProperty({ type: String }) over!: string;
  @ApiProperty({ type: String, nullable: true }) context!: string | null;
  @ApiProperty({ type: Number }) strength!: number;
}

export class TypeCountDto {
  @ApiProperty({ type: Number }) count!: number;
  @ApiProperty({ type: Number }) average_confidence!: number;
  @ApiProperty({ type: Number }) average_importance!: number;
}

export class HourDto {
  @ApiProperty({ type: Number }) count!: number;
  @ApiProperty({ type: Number }) avg_importance!: number;
}

export class NameCountDto {
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: Number }) count!: number;
}

const mapOf = (dto: string) => ({
  type: 'object' as const,
  additionalProperties: { $ref: `#/components/schemas/${dto}` },
});

export class AnalyticsDto {
  @ApiProperty({ type: Number }) total_memories!: number;
  @ApiProperty(mapOf('TypeCountDto')) memory_types!: Record<string, TypeCountDto>;
  @ApiProperty({ ...NUMBERS, description: 'The 20 most used' }) tags!: Record<string, number>;
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', items: { $ref: '#/components/schemas/NameCountDto' } },
    description: 'The 20 most named of each kind',
  })
  entity_frequency!: Record<string, NameCountDto[]>;
  @ApiProperty({ ...NUMBERS, description: 'low: below 0.3, medium: below 0.7, high' })
  importance_distribution!: Record<string, number>;
  @ApiProperty({ ...NUMBERS, description: 'low: below 0.3, medium: below 0.7, high' })
  confidence_distribution!: Record<string, number>;
  @ApiProperty({ ...mapOf('HourDto'), description: 'By the hour of the day (UTC): `hour_09`' })
  temporal_insights!: Record<string, HourDto>;
  @ApiProperty({ ...NUMBERS, description: 'By month, the last 24 that have any: `2024-03`' })
  activity!: Record<string, number>;
  @ApiProperty({ type: [PatternDto], description: 'What comes up together in at least three memories' })
  patterns!: PatternDto[];
  @ApiProperty({ type: [PreferenceDto] }) preferences!: PreferenceDto[];
}

export class AnalyzedDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: AnalyticsDto }) analytics!: AnalyticsDto;
  @ApiProperty({ type: String, format: 'date-time' }) generated_at!: string;
  @ApiProperty({ type: Number }) query_time_ms!: number;
}
