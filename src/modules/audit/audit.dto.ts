import { ApiProperty } from '@nestjs/swagger';
import { Instant, Int, OneOf, Text } from '../../platform/http/fields.js';

export class ListAuditDto {
  @Text({ max: 128, optional: true, description: '`noun.verb`, or `noun.*`', example: 'key.revoke' })
  action?: string;

  @Text({ max: 200, optional: true, description: '`operator`, `key:<id>`, `member:<id>`, `system:<job>`' })
  actor?: string;

  @OneOf(['done', 'refused'], { optional: true })
  outcome?: 'done' | 'refused';

  @Text({ max: 200, optional: true, description: 'What it was done to' })
  target?: string;

  @Instant({ optional: true })
  from?: string;

  @Instant({ optional: true, description: 'Exclusive' })
  to?: string;

  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;

  @Text({ max: 2_048, optional: true, description: '`next_cursor` of the page before' })
  cursor?: string;

  @OneOf(['json', 'ndjson'], {
    optional: true,
    description:
      'ndjson, or `Accept: application/x-ndjson`: every record that matches, oldest first, one a line',
  })
  format?: 'json' | 'ndjson';
}

export class ListAllAuditDto extends ListAuditDto {
  @Text({ max: 64, optional: true, description: 'Slug or UUID; a purged tenant has its UUID left' })
  tenant?: string;
}

export class VerifyAuditDto {
  @Text({ max: 64, optional: true, description: 'Slug or UUID; absent: every chain' })
  tenant?: string;
}

export class AuditRecordDto {
  @ApiProperty({ type: String }) id!: string;
  @ApiProperty({ type: String, format: 'date-time' }) at!: string;
  @ApiProperty({ type: String, description: '`noun.verb`' }) action!: string;
  @ApiProperty({ type: String }) actor!: string;
  @ApiProperty({ type: String, enum: ['done', 'refused'] }) outcome!: 'done' | 'refused';
  @ApiProperty({ type: String, nullable: true }) target!: string | null;
  @ApiProperty({
    type: [String],
    nullable: true,
    description: 'Where there are several, instead of `target`',
  })
  targets!: string[] | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true }) workspace_id!: string | null;
  @ApiProperty({ type: String, nullable: true }) request_id!: string | null;
  @ApiProperty({ type: Object, additionalProperties: true, nullable: true, description: 'Of what changed' })
  before!: Record<string, unknown> | null;
  @ApiProperty({ type: Object, additionalProperties: true, nullable: true })
  after!: Record<string, unknown> | null;
  @ApiProperty({
    type: Object,
    additionalProperties: true,
    nullable: true,
    description: 'What else explains it',
  })
  detail!: Record<string, unknown> | null;
  @ApiProperty({
    type: Boolean,
    description: 'There is more, which the caller may not read or nobody can any more',
  })
  withheld!: boolean;
  @ApiProperty({ type: 'integer', nullable: true, description: 'In its chain' }) position!: number | null;
  @ApiProperty({ type: String, nullable: true, description: 'Of this record and the one before it, SHA-256' })
  hash!: string | null;
}

export class AuditListDto {
  @ApiProperty({ type: [AuditRecordDto] }) data!: AuditRecordDto[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

export class InstallationRecordDto extends AuditRecordDto {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Slug; null: the installation, or a purged tenant',
  })
  tenant_id!: string | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true }) tenant_uuid!: string | null;
}

export class InstallationAuditDto {
  @ApiProperty({ type: [InstallationRecordDto] }) data!: InstallationRecordDto[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

class ChainProblemDto {
  @ApiProperty({
    type: String,
    enum: ['altered', 'missing', 'out_of_order', 'foreign', 'forged'],
    description: '`foreign`: not written by the ledger. `forged`: a signature does not hold',
  })
  problem!: string;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Of several, the first' })
  position!: number | null;
  @ApiProperty({ type: 'integer' }) records!: number;
}

class ChainDto {
  @ApiProperty({ type: String, description: '`main`, or the placement whose own database it is' })
  database!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'Null: the installation' })
  tenant_uuid!: string | null;
  @ApiProperty({ type: Boolean }) ok!: boolean;
  @ApiProperty({ type: 'integer', description: 'Whose hash holds' }) records!: number;
  @ApiProperty({ type: 'integer', description: 'From before there was a chain' }) unchained!: number;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Retention has removed the records up to here',
  })
  checkpoint!: number | null;
  @ApiProperty({ type: [ChainProblemDto], description: 'The first 100' }) problems!: ChainProblemDto[];
}

export class AuditVerificationDto {
  @ApiProperty({ type: Boolean }) ok!: boolean;
  @ApiProperty({ type: 'integer' }) chains_checked!: number;
  @ApiProperty({ type: 'integer' }) records!: number;
  @ApiProperty({ type: 'integer' }) unchained!: number;
  @ApiProperty({
    type: [ChainDto],
    description: 'The one that was asked for, or those with problems: the first 100',
  })
  chains!: ChainDto[];
}
