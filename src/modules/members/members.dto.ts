import { ApiProperty, PartialType } from '@nestjs/swagger';
import { Flag, Int, OneOf, SomeOf, Text, Uuid } from '../../platform/http/fields.js';
import { ROLES, SCOPES, type Role, type Scope } from '../../tenancy/principal.js';
import { LONGEST_TOKEN_SECONDS, SHORTEST_TOKEN_SECONDS, TOKEN_SECONDS } from '../../tenancy/member-token.js';

const EMAIL = { max: 320, pattern: /^[^\s@]+@[^\s@]+$/, patternSays: 'must be an e-mail address' };

export class CreateMemberDto {
  @Text({ ...EMAIL, example: 'ada@acme.example' })
  email!: string;

  @Text({ max: 200, optional: true, nullable: true })
  name?: string | null;

  @OneOf(ROLES)
  role!: Role;

  @Text({
    max: 255,
    optional: true,
    nullable: true,
    description: "What the tenant's identity provider calls it: `sub`",
  })
  external_id?: string | null;
}

export class ChangeMemberDto extends PartialType(CreateMemberDto) {
  @Flag({ optional: true, description: 'False: refused everywhere within a second' })
  is_active?: boolean;
}

export class ListMembersDto {
  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;

  @Text({ max: 512, optional: true, description: '`next_cursor` of the page before' })
  cursor?: string;
}

export class MemberDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String }) email!: string;
  @ApiProperty({ type: String, nullable: true }) name!: string | null;
  @ApiProperty({ type: String, enum: [...ROLES] }) role!: Role;
  @ApiProperty({ type: String, nullable: true }) external_id!: string | null;
  @ApiProperty({ type: Boolean }) is_active!: boolean;
  @ApiProperty({ type: String, format: 'date-time' }) created_at!: string;
  @ApiProperty({ type: String, format: 'date-time' }) updated_at!: string;
}

export class MemberListDto {
  @ApiProperty({ type: [MemberDto] }) data!: MemberDto[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

export class RemovedMemberDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: Boolean }) deleted!: boolean;
}

export class IssueTokenDto {
  @Uuid({ description: 'Whose token it is' })
  member_id!: string;

  @SomeOf([...SCOPES, 'memory'], {
    optional: true,
    description: 'Absent: all that the role may do. A service_account has to name them',
  })
  scopes?: (Scope | 'memory')[];

  @Int({ min: SHORTEST_TOKEN_SECONDS, max: LONGEST_TOKEN_SECONDS, optional: true, default: TOKEN_SECONDS })
  expires_in = TOKEN_SECONDS;
}

export class IssuedTokenDto {
  @ApiProperty({ type: String, required: false, description: 'A JWT, shown this once' }) token?: string;
  @ApiProperty({ type: String, enum: ['Bearer'] }) token_type!: 'Bearer';
  @ApiProperty({ type: Number, description: 'Seconds' }) expires_in!: number;
  @ApiProperty({ type: String, format: 'date-time' }) expires_at!: string;
  @ApiProperty({ type: String, format: 'uuid' }) member_id!: string;
  @ApiProperty({ type: String, enum: [...ROLES] }) role!: Role;
  @ApiProperty({ type: [String] }) scopes!: Scope[];
}
