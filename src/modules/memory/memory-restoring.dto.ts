import { ApiProperty } from '@nestjs/swagger';
import { Int, Text } from '../../platform/http/fields.js';
import { WorkspaceField } from './memory.dto.js';

export class ListDeletedDto extends WorkspaceField {
  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;

  @Text({ max: 512, optional: true, description: '`next_cursor` of the page before' })
  cursor?: string;
}

export class DeletedEntryDto {
  @ApiProperty({ type: String, format: 'uuid' }) memory_id!: string;
  @ApiProperty({ type: String }) type!: string;
  @ApiProperty({ type: String, enum: ['retention', 'forgetting'] }) reason!: string;
  @ApiProperty({ type: String, format: 'date-time' }) deleted_at!: string;
  @ApiProperty({ type: String, format: 'date-time', description: 'Until then it can be restored' })
  restorable_until!: string;
}

export class DeletedListDto {
  @ApiProperty({ type: [DeletedEntryDto] }) data!: DeletedEntryDto[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}
