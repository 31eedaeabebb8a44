import { Body, Controller } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { AlsoAsks, ForScope } from '../../tenancy/access.decorator.js';
import { ShowsSecret } from '../../tenancy/idempotency.interceptor.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { ROLE_SCOPES, scopesOf, type Scope } from '../../tenancy/principal.js';
import { Forbidden } from '../../tenancy/tenancy-errors.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { MemberTokens } from './member-tokens.service.js';
import { IssuedTokenDto, IssueTokenDto } from './members.dto.js';
import { MemberInactive } from './members.errors.js';
import { Members, type Member } from './members.service.js';

/** A tenant's own backend, which knows who its people are, gets them tokens to call with. */
@ApiTags('members')
@ApiBearerAuth()
@Controller('v1/tenants/current/tokens')
export class MemberTokensController {
  constructor(
    private readonly context: TenantContext,
    private readonly members: Members,
    private readonly tokens: MemberTokens,
  ) {}

  @IdempotentPost()
  @ForScope('manage')
  @AlsoAsks('the scopes that the token is to have')
  @ShowsSecret()
  @ApiOperation({ summary: 'A short-lived token for a member' })
  @ApiResponse({ status: 201, type: IssuedTokenDto })
  async issue(@Body() dto: IssueTokenDto): Promise<IssuedTokenDto> {
    const { tenant } = this.context;
    const member = await this.members.get(tenant, dto.member_id.toLowerCase());
    if (!member.is_active) throw new MemberInactive();
    const scopes = scopesFor(member, dto.scopes);
    const lacking = scopes.find((scope) => !this.context.caller.scopes.has(scope));
    if (lacking !== undefined) {
      throw new Forbidden(`This token lacks the scope \`${lacking}\`, so it cannot hand it on.`);
    }
    const { id: member_id, role } = member;
    const shown = { token_type: 'Bearer', expires_in: dto.expires_in, member_id, role, scopes } as const;
    const { token, expiresAt } = await this.tokens.issue(
      tenant,
      { member: member.id, scopes, seconds: dto.expires_in },
      // The answer's last word is said by the interceptor, without the token; a replay in between is told to wait.
      this.context.cause(() => ({ status: 201, body: shown })),
    );
    return { token, ...shown, expires_at: expiresAt.toISOString() };
  }
}

/** Throws `RequestInvalid`. */
function scopesFor({ role }: Member, named: string[] | undefined): Scope[] {
  const refuse = (message: string) => new RequestInvalid([{ location: 'body.scopes', message }]);
  const most: readonly Scope[] = ROLE_SCOPES[role];
  if (named === undefined) {
    if (role === 'service_account')
      throw refuse('must be named: a service_account does what its token names');
    return [...most];
  }
  const scopes = [...scopesOf(named)];
  const beyond = scopes.find((scope) => !most.includes(scope));
  if (beyond !== undefined) throw refuse(`hold ${beyond}, which a ${role} may not`);
  if (scopes.length === 0) throw refuse('must name at least one');
  return scopes;
}
