import { ApiProperty } from '@nestjs/swagger';
import { Instant, Int, OneOf, SomeOf, Text, Uuid } from '../../platform/http/fields.js';
import { ROLE_SCOPES, SCOPES, type Role, type Scope } from '../../tenancy/principal.js';

const MONTH_SECONDS = 30 * 86_400;

/** A key of one workspace, or of the tenant where it manages. */
export class CreateWorkspaceKeyDto {
  @Text({ max: 200, optional: true, default: 'Key' })
  name = 'Key';

  @SomeOf([...SCOPES, 'memory'], {
    optional: true,
    description: 'Absent: all that the role may do and the caller may hand on, without manage',
  })
  scopes?: (Scope | 'memory')[];

  @Int({ min: 1, max: 1_000_000, optional: true, description: "Beside the tenant's own limit" })
  rate_limit_per_minute?: number;

  @Instant({ optional: true })
  expires_at?: string;

  @OneOf(['live', 'test'], { optional: true, default: 'live' })
  environment: 'live' | 'test' = 'live';

  @OneOf(Object.keys(ROLE_SCOPES), { optional: true, default: 'service_account' })
  role: Role = 'service_account';
}

export class CreateKeyDto extends CreateWorkspaceKeyDto {
  @SomeOf([...SCOPES, 'memory'], {
    optional: true,
    description: 'Absent: all that the role may do, in a workspace all but manage',
  })
  declare scopes?: (Scope | 'memory')[];

  @Uuid({
    optional: true,
    description: 'Absent: the whole tenant where the scopes hold manage, else the default workspace',
  })
  workspace_id?: string;

  @Text({
    max: 512,
    pattern: /^[\x21-\x7e]+$/,
    patternSays: 'must be printable characters without spaces',
    optional: true,
    description: 'A token that the tenant already has',
  })
  api_token?: string;
}

export class RotateKeyDto {
  @Int({
    min: 0,
    max: MONTH_SECONDS,
    optional: true,
    default: 0,
    description: 'How long the old key still opens what it opened',
  })
  overlap_seconds = 0;
}

export class ListKeysDto {
  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;

  @Text({ max: 512, optional: true, description: '`next_cursor` of the page before' })
  cursor?: string;
}

export class KeyDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: String }) key_prefix!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'Null: the whole tenant' })
  workspace_id!: string | null;
  @ApiProperty({ type: [String] }) scopes!: string[];
  @ApiProperty({ type: String }) role!: string;
  @ApiProperty({ type: String }) environment!: string;
  @ApiProperty({ type: Number, nullable: true }) rate_limit_per_minute!: number | null;
  @ApiProperty({ type: Boolean }) is_active!: boolean;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Within a minute; written in batches, a few seconds later',
  })
  last_used_at!: string | null;
  @ApiProperty({ type: String, format: 'date-time' }) created_at!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) expires_at!: string | null;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Ahead where the key was rotated and still opens what it opened',
  })
  revoked_at!: string | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'The key that took over' })
  rotated_to!: string | null;
}

export class CreatedKeyDto extends KeyDto {
  @ApiProperty({ type: String, required: false, description: 'Shown this once' }) key?: string;
}

class ReplacedKeyDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String, format: 'date-time' }) valid_until!: string;
}

export class RotatedKeyDto extends CreatedKeyDto {
  @ApiProperty({ type: ReplacedKeyDto }) replaces!: ReplacedKeyDto;
}

export class KeyListDto {
  @ApiProperty({ type: [KeyDto] }) data!: KeyDto[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

export class RevokedKeyDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: Boolean }) is_active!: boolean;
}
