import { Body, Controller, Delete, Get, Param, Patch, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { KeptAnswer } from '../../ledger/idempotency.js';
import { readCursor, writeCursor } from '../../platform/http/cursor.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { isUuid } from '../../tenancy/tenant.js';
import {
  ChangeMemberDto,
  CreateMemberDto,
  ListMembersDto,
  MemberDto,
  MemberListDto,
  RemovedMemberDto,
} from './members.dto.js';
import { MemberNotFound } from './members.errors.js';
import { Members, type Member } from './members.service.js';

/** Who of a tenant may come with a JWT. Addresses are personal, so reading them takes `manage` too. */
@ApiTags('members')
@ApiBearerAuth()
@ForScope('manage')
@Controller('v1/tenants/current/members')
export class MembersController {
  constructor(
    private readonly context: TenantContext,
    private readonly members: Members,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The members, newest first' })
  @ApiResponse({ status: 200, type: MemberListDto })
  async list(@Query() { limit, cursor }: ListMembersDto): Promise<MemberListDto> {
    const after = cursor === undefined ? null : readCursor(cursor);
    const found = await this.members.list(this.context.tenant, limit, after);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      data: page.map(memberDto),
      next_cursor:
        found.length > limit && last !== undefined
          ? writeCursor({ time: last.created_at, id: last.id })
          : null,
    };
  }

  @IdempotentPost()
  @ApiOperation({ summary: 'Add a member' })
  @ApiResponse({ status: 201, type: MemberDto })
  async add(@Body() dto: CreateMemberDto): Promise<MemberDto> {
    const { email, name = null, role, external_id = null } = dto;
    const answer = (member: Member) => ({ status: 201, body: memberDto(member) });
    const member = await this.members.add(
      this.context.tenant,
      { email, name, role, external_id },
      this.context.cause(answer),
    );
    return memberDto(member);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change a member: what is not named stays, null removes' })
  @ApiResponse({ status: 200, type: MemberDto })
  async change(@Param('id') id: string, @Body() dto: ChangeMemberDto): Promise<MemberDto> {
    return memberDto(
      await this.members.change(this.context.tenant, memberId(id), { ...dto }, this.context.cause(done)),
    );
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Remove a member: refused everywhere within a second' })
  @ApiResponse({ status: 200, type: RemovedMemberDto })
  async remove(@Param('id') id: string): Promise<RemovedMemberDto> {
    await this.members.remove(this.context.tenant, memberId(id), this.context.cause(done));
    return { id: memberId(id), deleted: true };
  }
}

function done(): KeptAnswer {
  return { status: 200, body: null };
}

/** Throws `MemberNotFound` for what can be no id of one. */
export function memberId(text: string): string {
  if (!isUuid(text)) throw new MemberNotFound();
  return text.toLowerCase();
}

function memberDto({ created_at, updated_at, ...member }: Member): MemberDto {
  const { id, email, name, role, external_id, is_active } = member;
  return {
    id,
    email,
    name,
    role,
    external_id,
    is_active,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
  };
}
