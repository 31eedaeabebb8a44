import { ApiProperty } from '@nestjs/swagger';
import { Flag } from '../../platform/http/fields.js';
import { MEMORY_CLASSES, type MemoryClass } from '../memory/memory-classes.js';

export class RunRetentionDto {
  @Flag({ optional: true, default: true, description: 'Only tell what would go' })
  dry_run = true;
}

export class RetainedClassDto {
  @ApiProperty({ type: String, enum: MEMORY_CLASSES }) class!: MemoryClass;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Null: kept for good' }) days!: number | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'What is older goes' })
  before!: string | null;
  @ApiProperty({ type: 'integer' }) count!: number;
  @ApiProperty({ type: [String], description: 'The first 100; the audit has all of them' })
  memory_ids!: string[];
}

export class RetentionRunDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: Boolean }) dry_run!: boolean;
  @ApiProperty({ type: [RetainedClassDto] }) classes!: RetainedClassDto[];
  @ApiProperty({
    type: 'integer',
    description: 'Deleted memories that can be restored no longer, and are gone for good',
  })
  erased_count!: number;
  @ApiProperty({ type: Boolean, description: 'False: it took too long, and the daily run does the rest' })
  complete!: boolean;
}
