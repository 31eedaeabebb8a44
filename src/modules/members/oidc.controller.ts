import { Body, Controller, Delete, Get, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { GuardedFetch } from '../../platform/outgoing/guarded-fetch.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { OIDC_ALGORITHMS } from '../../tenancy/jwt-bearers.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { OidcDto, PutOidcDto, RemovedOidcDto } from './oidc.dto.js';
import { OidcSettings, type Oidc } from './oidc.service.js';

/** Whose tokens this tenant takes beside Loci's own. */
@ApiTags('members')
@ApiBearerAuth()
@ForScope('manage')
@Controller('v1/tenants/current/oidc')
export class OidcController {
  constructor(
    private readonly context: TenantContext,
    private readonly oidc: OidcSettings,
    private readonly fetch: GuardedFetch,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The identity provider; its secret is never shown' })
  @ApiResponse({ status: 200, type: OidcDto })
  async get(): Promise<OidcDto> {
    return oidcDto(await this.oidc.get(this.context.tenant));
  }

  @Put()
  @ApiOperation({ summary: 'Take the tokens of this issuer for this audience, and of no other' })
  @ApiResponse({ status: 200, type: OidcDto })
  async put(@Body() dto: PutOidcDto): Promise<OidcDto> {
    const { issuer, client_secret: clientSecret, algorithms = OIDC_ALGORITHMS } = dto;
    const audience = dto.audience ?? dto.client_id;
    if (audience === undefined) throw refuse('audience', 'is required');
    if (dto.client_id !== undefined && dto.client_id !== audience) {
      throw refuse('client_id', 'must be the same as audience');
    }
    if (algorithms.length === 0) throw refuse('algorithms', 'must name at least one');
    this.checkIssuer(issuer);
    const order = { issuer, audience, algorithms, clientSecret };
    return oidcDto(
      await this.oidc.put(
        this.context.tenant,
        order,
        this.context.cause(() => ({ status: 200, body: null })),
      ),
    );
  }

  @Delete()
  @ApiOperation({ summary: "Take no other issuer's tokens any more" })
  @ApiResponse({ status: 200, type: RemovedOidcDto })
  async remove(): Promise<RemovedOidcDto> {
    await this.oidc.remove(
      this.context.tenant,
      this.context.cause(() => ({ status: 200, body: null })),
    );
    return { deleted: true };
  }

  /** Throws `RequestInvalid` for what no token can come from. Whether it answers shows with the first token. */
  private checkIssuer(issuer: string): void {
    const url = URL.canParse(issuer) ? new URL(issuer) : null;
    if (url === null) throw refuse('issuer', 'must be a URL');
    if (/[?#]/.test(issuer)) throw refuse('issuer', 'must hold no query and no fragment');
    const complaint = this.fetch.complaint(url);
    if (complaint !== null) throw refuse('issuer', complaint);
  }
}

function refuse(field: string, message: string): RequestInvalid {
  return new RequestInvalid([{ location: `body.${field}`, message }]);
}

function oidcDto({ issuer, audience, algorithms, has_client_secret, created_at, updated_at }: Oidc): OidcDto {
  return {
    issuer,
    audience,
    algorithms,
    has_client_secret,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
  };
}
