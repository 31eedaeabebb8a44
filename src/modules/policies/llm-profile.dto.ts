import { ApiProperty } from '@nestjs/swagger';
import { Flag, ListOf, Num, Text, Texts } from '../../platform/http/fields.js';

const MODEL = { max: 200 };
const KEY = { max: 1_024, optional: true, nullable: true } as const;
const KEPT = 'Kept encrypted, never shown. Absent: stays while the URL does; null: removed';

export class PutLlmProviderDto {
  @Text({ max: 64, pattern: /^[a-z0-9][a-z0-9_-]*$/, example: 'openrouter' })
  name!: string;

  @Text({ max: 2_048, description: 'Of an OpenAI-compatible endpoint; another one clears the key' })
  base_url!: string;

  @Text({ ...KEY, description: KEPT })
  api_key?: string | null;

  @Texts({ max: 100, each: MODEL, optional: true })
  models: string[] = [];
}

/** All of it at once: what is left out has its default, save for keys. */
export class PutLlmProfileDto {
  @Text({ ...MODEL, optional: true, nullable: true, description: "null: the server's own" })
  default_model: string | null = null;

  @Texts({
    max: 16,
    each: MODEL,
    optional: true,
    description: 'Asked in turn where the one before does not answer',
  })
  fallback_chain: string[] = [];

  @Text({ max: 2_048, optional: true, nullable: true, description: 'Another one clears the key' })
  base_url: string | null = null;

  @Text({ ...KEY, description: KEPT })
  api_key?: string | null;

  @ListOf(() => PutLlmProviderDto, { max: 16, optional: true })
  providers: PutLlmProviderDto[] = [];

  @Num({
    min: 0,
    max: 1e9,
    optional: true,
    nullable: true,
    description:
      '0: no model is asked. More is kept, and held against nothing: what models take is counted in tokens',
  })
  budget_usd_monthly: number | null = null;

  @Flag({ optional: true, default: true })
  enable_caching = true;
}

class LlmProviderDto {
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: String }) base_url!: string;
  @ApiProperty({ type: Boolean }) has_api_key!: boolean;
  @ApiProperty({ type: [String] }) models!: string[];
}

export class LlmProfileDto {
  @ApiProperty({ type: String, nullable: true }) default_model!: string | null;
  @ApiProperty({ type: [String] }) fallback_chain!: string[];
  @ApiProperty({ type: String, nullable: true }) base_url!: string | null;
  @ApiProperty({ type: Boolean }) has_api_key!: boolean;
  @ApiProperty({ type: [LlmProviderDto] }) providers!: LlmProviderDto[];
  @ApiProperty({ type: Number, nullable: true }) budget_usd_monthly!: number | null;
  @ApiProperty({ type: Boolean }) enable_caching!: boolean;
}
