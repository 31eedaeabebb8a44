import { ApiProperty } from '@nestjs/swagger';
import { Int } from '../../platform/http/fields.js';

const Days = (of: string, options: { default?: number } = {}) =>
  Int({
    min: 1,
    max: 36_500,
    optional: true,
    nullable: true,
    description: `Days that ${of} are kept; null: for good`,
    ...options,
  });

/** All of them at once: one that is absent has its default. */
export class PutRetentionPoliciesDto {
  @Days('events and conversations') episodic_memories_days: number | null = null;
  @Days('facts and preferences') semantic_memories_days: number | null = null;
  @Days('insights and summaries') reflective_memories_days: number | null = null;
  @Days('cost logs', { default: 2_555 }) cost_logs_days: number | null = 2_555;
  @Days('audit records') audit_days: number | null = null;
  @Days('sessions') sessions_days: number | null = null;
}

export class RetentionPoliciesDto {
  @ApiProperty({ type: 'integer', nullable: true }) episodic_memories_days!: number | null;
  @ApiProperty({ type: 'integer', nullable: true }) semantic_memories_days!: number | null;
  @ApiProperty({ type: 'integer', nullable: true }) reflective_memories_days!: number | null;
  @ApiProperty({ type: 'integer', nullable: true }) cost_logs_days!: number | null;
  @ApiProperty({ type: 'integer', nullable: true }) audit_days!: number | null;
  @ApiProperty({ type: 'integer', nullable: true }) sessions_days!: number | null;
}
