import { ApiProperty } from '@nestjs/swagger';
import { Flag, OneOf } from '../../platform/http/fields.js';
import { WorkspaceField } from '../memory/memory.dto.js';
import { MODES, type Mode } from './consolidation.service.js';

export class ConsolidateDto extends WorkspaceField {
  @OneOf(MODES, { optional: true, default: 'full' })
  mode: Mode = 'full';

  @Flag({ optional: true, default: true, description: 'Only tell what would be done; nothing changes' })
  dry_run = true;
}

export class ConsolidationProgressDto {
  @ApiProperty({ type: String, required: false }) step?: string;
  @ApiProperty({ type: Number, required: false }) done?: number;
  @ApiProperty({ type: Number, required: false }) total?: number;
}

export class ConsolidationResultDto {
  @ApiProperty({ type: String, enum: MODES }) mode!: string;
  @ApiProperty({ type: Boolean }) dry_run!: boolean;
  @ApiProperty({ type: String, format: 'date-time' }) started_at!: string;
  @ApiProperty({ type: String, format: 'date-time', required: false }) completed_at?: string;
  @ApiProperty({ type: Boolean, required: false, description: 'False: it was stopped half-way' })
  success?: boolean;
  @ApiProperty({
    type: Object,
    additionalProperties: true,
    description:
      'By step (decay, creative, cluster, forget): what was done, or would be; counts, and the first ids',
  })
  steps!: Record<string, unknown>;
}

export class ConsolidatedDto {
  @ApiProperty({
    type: String,
    enum: ['success', 'running'],
    description: 'running: look at /consolidate/status',
  })
  status!: 'success' | 'running';
  @ApiProperty({ type: String, format: 'uuid' }) run_id!: string;
  @ApiProperty({ type: ConsolidationResultDto }) consolidation!: ConsolidationResultDto;
}

export class ConsolidationRunDto {
  @ApiProperty({ type: String, format: 'uuid' }) run_id!: string;
  @ApiProperty({ type: String, enum: MODES }) mode!: string;
  @ApiProperty({ type: Boolean }) dry_run!: boolean;
  @ApiProperty({ type: String, enum: ['running', 'succeeded', 'failed'] }) state!: string;
  @ApiProperty({ type: String, description: 'Who called, or system:consolidation by schedule' })
  actor!: string;
  @ApiProperty({ type: ConsolidationProgressDto, nullable: true }) progress!: Record<string, unknown> | null;
  @ApiProperty({ type: Object, additionalProperties: true, nullable: true })
  result!: Record<string, unknown> | null;
  @ApiProperty({ type: String, nullable: true }) error!: string | null;
  @ApiProperty({ type: String, format: 'date-time' }) started_at!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) finished_at!: string | null;
}

export class NextRunsDto {
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) decay!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) creative!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) cluster!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) forget!: string | null;
}

export class ConsolidationStatusDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: Boolean, description: 'Whether a run of this workspace is under way' })
  running!: boolean;
  @ApiProperty({ type: NextRunsDto, description: 'Null: turned off, or not known yet' })
  next_runs!: NextRunsDto;
  @ApiProperty({ type: [ConsolidationRunDto], description: 'Runs of this workspace, the latest first' })
  history!: ConsolidationRunDto[];
}
