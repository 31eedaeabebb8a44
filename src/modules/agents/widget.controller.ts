import { Controller, Get, Req } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { Settings } from '../../platform/config/settings.js';
import { HostsNotResolved } from '../../platform/http/request.errors.js';
import { KeylessLimit } from '../../tenancy/keyless-limit.js';
import { Public } from '../../tenancy/public.decorator.js';
import { TenantNotFound } from '../../tenancy/tenancy-errors.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';
import type { AgentViewer } from './agent-access.js';
import { AgentsService } from './agents.service.js';

class WidgetTenantDto {
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: String }) domain!: string;
  @ApiProperty({ type: String }) platform!: string;
}

class WidgetAgentDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String }) slug!: string;
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: String, nullable: true }) description!: string | null;
}

class WidgetDto {
  @ApiProperty({ type: WidgetTenantDto }) tenant!: WidgetTenantDto;
  @ApiProperty({ type: [WidgetAgentDto], description: 'Of the default workspace' }) agents!: WidgetAgentDto[];
}

/** Somebody of whom nothing is known: sees what every token of the tenant sees, and changes nothing. */
const STRANGER: AgentViewer = { member: null, isAdmin: false, makesOwn: false };
const MOST_AGENTS = 50;

/**
 * What a widget on a store's own site may know without a key: whose site it is, by the `Host` header, and which public
 * agents it has. Only where `LOCI_RESOLVE_HOSTS` is on, for tenants with a domain and a platform.
 */
@ApiTags('widget')
@Public()
@Controller('v1/widget')
export class WidgetController {
  constructor(
    private readonly settings: Settings,
    private readonly directory: TenantDirectory,
    private readonly agents: AgentsService,
    private readonly limit: KeylessLimit,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The store behind this host name, and its public agents; needs no key' })
  @ApiResponse({ status: 200, type: WidgetDto })
  async get(@Req() request: Request): Promise<WidgetDto> {
    if (!this.settings.resolveHosts) throw new HostsNotResolved();
    await this.limit.count(request.ip ?? '');
    // Express takes it from the proxy where one is trusted (`TRUST_PROXY`), and leaves the port out.
    const host = request.hostname.toLowerCase().replace(/\.$/, '');
    const tenant = await this.directory.storeAt(host);
    if (tenant === null || tenant.profile.domain === null || tenant.profile.platform === null) {
      throw new TenantNotFound();
    }
    const { agents } = await this.agents.list(tenant, tenant.defaultWorkspace, STRANGER, {
      scope: 'public',
      workspace: tenant.defaultWorkspace,
      type: null,
      limit: MOST_AGENTS,
      after: null,
    });
    const { domain, platform } = tenant.profile;
    return {
      tenant: { name: tenant.name, domain, platform },
      agents: agents.map(({ id, slug, name, description }) => ({ id, slug, name, description })),
    };
  }
}
