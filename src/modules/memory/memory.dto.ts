import { ApiProperty } from '@nestjs/swagger';
import {
  EachOf,
  Fraction,
  Ignored,
  Instant,
  JsonObject,
  Tags,
  Text,
  Uuid,
  Vector,
} from '../../platform/http/fields.js';
import { MEMORY_TYPES } from './memory-types.js';

import { SCRUB_KINDS, type ScrubKind } from '../../platform/scrub/secret-finders.js';

/** Content is measured in bytes of UTF-8. */
const CONTENT_BYTES = 65_536;
const WORD = { max: 128 };
const TYPE = { max: 64, pattern: /^[A-Za-z][A-Za-z0-9_-]*$/ };

/** Which workspace, for a key that reaches more than one. */
export class WorkspaceField {
  @Text({
    ...WORD,
    optional: true,
    description: "UUID or slug; absent: the key's own, or the tenant's default",
  })
  workspace_id?: string;

  @Text({ ...WORD, optional: true, description: 'Another word for `workspace_id`' })
  project?: string;
}

export class MemoryFields extends WorkspaceField {
  @Text({
    ...TYPE,
    optional: true,
    example: 'Preference',
    description: `${MEMORY_TYPES.join(', ')}, or a word of your own; absent: told by how the content speaks, else Context`,
  })
  type?: string;

  @Tags({ optional: true })
  tags?: string[];

  @Fraction({ optional: true, default: 0.5 })
  importance?: number;

  @Fraction({ optional: true, default: 0.9 })
  confidence?: number;

  @JsonObject({ optional: true, description: 'At most 16 KB' })
  metadata?: Record<string, unknown>;

  @Instant({ optional: true, description: 'When it happened; absent: now' })
  timestamp?: string;

  @Instant({ optional: true, nullable: true, description: 'From when it holds' })
  t_valid?: string | null;

  @Instant({ optional: true, nullable: true, description: 'Until when it holds' })
  t_invalid?: string | null;

  @Text({
    max: 256,
    optional: true,
    nullable: true,
    description: 'Memories of one session are also found together',
  })
  session_id?: string | null;

  @Text({ max: 256, optional: true, nullable: true })
  user_id?: string | null;

  @Text({ max: 256, optional: true, nullable: true })
  agent_id?: string | null;

  @Text({
    max: 1_024,
    optional: true,
    nullable: true,
    description: 'Where it came from: a channel, a file, an address',
    example: 'slack:#support',
  })
  source?: string | null;

  @Vector({
    optional: true,
    description: "Of the installation's embedding model; any length but zero is scaled to one",
  })
  embedding?: number[];

  @Ignored()
  updated_at?: unknown;

  @Ignored()
  last_accessed?: unknown;
}

export class StoreMemoryDto extends MemoryFields {
  @Text({
    maxBytes: CONTENT_BYTES,
    description: 'At most 64 KB',
    example: 'Alice prefers tea in the morning.',
  })
  content!: string;

  @Uuid({ optional: true, description: "The caller's own id for it; absent: made here" })
  id?: string;
}

export class EditMemoryDto extends MemoryFields {
  @Text({ maxBytes: CONTENT_BYTES, optional: true, description: 'At most 64 KB' })
  content?: string;
}

export class StoreBatchDto extends WorkspaceField {
  @EachOf(() => StoreMemoryDto, { min: 1, max: 500 })
  memories!: Record<string, unknown>[];
}

/** What was masked before it was stored, because the tenant lets nobody store it; never what it was. */
export class MaskedDto {
  @ApiProperty({ type: String, enum: [...SCRUB_KINDS] }) kind!: ScrubKind;
  @ApiProperty({ type: Number }) count!: number;
  @ApiProperty({ type: String, example: 'metadata.contact' }) field!: string;
}

/** Where `settings.scrub` is on, and something was masked. */
export const Scrubbed = (): PropertyDecorator =>
  ApiProperty({ type: [MaskedDto], required: false, description: 'What was masked, by `settings.scrub`' });

export class StoredMemoryDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: String, format: 'uuid' }) memory_id!: string;
  @ApiProperty({ type: String, description: "The tenant's slug" }) tenant_id!: string;
  @ApiProperty({ type: String, format: 'uuid' }) workspace_id!: string;
  @ApiProperty({
    type: String,
    description: 'As it was given, or told by how the content speaks; of one that was there, its own',
  })
  type!: string;
  @ApiProperty({ type: Boolean, description: 'False: this very memory was there already' }) created!: boolean;
  @ApiProperty({ type: Boolean, description: 'Recall finds it now; false: soon' }) indexed!: boolean;
  @Scrubbed() scrubbed?: MaskedDto[];
}

/** One of a batch that was refused: where it stood, why, and where its fields are wrong. */
export class RefusedMemoryDto {
  @ApiProperty({ type: Number, description: 'Its place in the batch, from 0' }) index!: number;
  @ApiProperty({ type: String, example: 'memory.conflict' }) code!: string;
  @ApiProperty({ type: String }) detail!: string;
  @ApiProperty({ type: [Object], required: false }) errors?: { location: string; message: string }[];
}

export class StoredBatchDto {
  @ApiProperty({ type: String, enum: ['success', 'partial'] }) status!: 'success' | 'partial';
  @ApiProperty({ type: String }) tenant_id!: string;
  @ApiProperty({ type: String, format: 'uuid' }) workspace_id!: string;
  @ApiProperty({ type: Number, description: 'How many were stored or were there already' }) stored!: number;
  @ApiProperty({ type: Number, description: 'How many of them are new' }) created_count!: number;
  @ApiProperty({ type: [String], description: 'In the order of the batch, the refused ones left out' })
  memory_ids!: string[];
  @ApiProperty({ type: [RefusedMemoryDto] }) failed!: RefusedMemoryDto[];
  @ApiProperty({ type: Boolean }) indexed!: boolean;
  @Scrubbed() scrubbed?: MaskedDto[];
}

export class MemoryDto {
  @ApiProperty({ type: String, format: 'uuid' }) memory_id!: string;
  /** The same under the name that AutoMem's clients read. */
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String, format: 'uuid' }) workspace_id!: string;
  @ApiProperty({ type: String }) content!: string;
  @ApiProperty({ type: String }) type!: string;
  @ApiProperty({ type: [String] }) tags!: string[];
  @ApiProperty({ type: Number }) importance!: number;
  @ApiProperty({ type: Number }) confidence!: number;
  @ApiProperty({ type: Object, additionalProperties: true }) metadata!: Record<string, unknown>;
  @ApiProperty({ type: String, format: 'date-time' }) timestamp!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) t_valid!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) t_invalid!: string | null;
  @ApiProperty({ type: String, nullable: true }) session_id!: string | null;
  @ApiProperty({ type: String, nullable: true }) user_id!: string | null;
  @ApiProperty({ type: String, nullable: true }) agent_id!: string | null;
  @ApiProperty({ type: String, nullable: true }) source!: string | null;
  @ApiProperty({ type: String, format: 'date-time' }) created_at!: string;
  @ApiProperty({ type: String, format: 'date-time' }) updated_at!: string;
  @ApiProperty({
    type: String,
    format: 'date-time',
    required: false,
    description: 'Where it was forgotten: recall finds it with state_mode=history alone',
  })
  archived_at?: string;
}

export class NamedEntityDto {
  @ApiProperty({ type: String, example: 'people' }) kind!: string;
  @ApiProperty({ type: String, example: 'Alice Johnson' }) name!: string;
}

/** With what was drawn from it in the background. */
export class EnrichedMemoryDto extends MemoryDto {
  @ApiProperty({ type: String, nullable: true, description: 'Of a long content' }) summary!: string | null;
  @ApiProperty({ type: [NamedEntityDto], description: 'Whom and what it names' }) entities!: NamedEntityDto[];
}

export class OneMemoryDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: EnrichedMemoryDto }) memory!: EnrichedMemoryDto;
}

export class EditedMemoryDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: MemoryDto }) memory!: MemoryDto;
  @ApiProperty({ type: String, format: 'uuid' }) memory_id!: string;
  @ApiProperty({ type: Boolean }) indexed!: boolean;
  @Scrubbed() scrubbed?: MaskedDto[];
}

export class DeletedMemoryDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: String, format: 'uuid' }) memory_id!: string;
}

export class PastMemoryDto {
  @ApiProperty({ type: Number }) revision!: number;
  @ApiProperty({ type: String, format: 'date-time' }) replaced_at!: string;
  @ApiProperty({ type: MemoryDto, description: 'The memory as it was until then' }) memory!: MemoryDto;
}

export class MemoryHistoryDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: String, format: 'uuid' }) memory_id!: string;
  @ApiProperty({ type: [PastMemoryDto], description: 'Newest first' }) history!: PastMemoryDto[];
}

export class MemoryListDto {
  @ApiProperty({ type: [MemoryDto] }) data!: MemoryDto[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

export class MemoriesByTagDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: [String] }) tags!: string[];
  @ApiProperty({ type: Number }) count!: number;
  @ApiProperty({ type: Boolean }) has_more!: boolean;
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
  @ApiProperty({ type: [MemoryDto] }) memories!: MemoryDto[];
}

export class DeletedByTagDto {
  @ApiProperty({ type: String, enum: ['success'] }) status!: 'success';
  @ApiProperty({ type: [String] }) tags!: string[];
  @ApiProperty({ type: Number }) deleted_count!: number;
  @ApiProperty({ type: [String] }) memory_ids!: string[];
}
