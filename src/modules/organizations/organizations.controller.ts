import { randomUUID } from 'node:crypto';
import { Body, Controller, Delete, Get, Param, Patch, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { WHOLE_TENANT } from '../../ledger/ledger.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { ForOperator, ForScopeOrOperator } from '../../tenancy/access.decorator.js';
import { ShowsSecret } from '../../tenancy/idempotency.interceptor.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { actorOf } from '../../tenancy/principal.js';
import { RequestTenant } from '../../tenancy/request-tenant.js';
import { Forbidden } from '../../tenancy/tenancy-errors.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { TenantDesk } from '../tenants/tenant-desk.js';
import { deletedDto, provisionedDto } from '../tenants/tenant-replies.js';
import { DeletedTenantDto } from '../tenants/tenants.dto.js';
import { TenantsService, type TenantChange } from '../tenants/tenants.service.js';
import type { Workspace } from '../workspaces/workspace.js';
import { draftOf, listWorkspaces } from '../workspaces/workspace-edge.js';
import { workspaceDto } from '../workspaces/workspace-replies.js';
import {
  CreateWorkspaceDto,
  ListWorkspacesDto,
  WorkspaceDto,
  WorkspaceListDto,
} from '../workspaces/workspaces.dto.js';
import { WorkspacesService } from '../workspaces/workspaces.service.js';
import {
  ChangeOrganizationDto,
  CreatedOrganizationDto,
  CreateOrganizationDto,
  ListOrganizationsDto,
  OrganizationDto,
  OrganizationListDto,
} from './organizations.dto.js';
import { organizationDto } from './organization-replies.js';

/** Tenants under their other name. `:org` is a slug or a UUID; a tenant's own `manage` keys know their own alone. */
@ApiTags('organizations')
@ApiBearerAuth()
@Controller('v1/organizations')
export class OrganizationsController {
  constructor(
    private readonly context: TenantContext,
    private readonly named: RequestTenant,
    private readonly desk: TenantDesk,
    private readonly tenants: TenantsService,
    private readonly workspaces: WorkspacesService,
  ) {}

  @IdempotentPost()
  @ForOperator()
  @ShowsSecret()
  @ApiOperation({ summary: 'Make an organization: a tenant with its default workspace, agent and key' })
  @ApiResponse({ status: 201, type: CreatedOrganizationDto })
  @ApiResponse({ status: 200, type: CreatedOrganizationDto, description: 'The same was made before' })
  async create(
    @Body() { slug, ...dto }: CreateOrganizationDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CreatedOrganizationDto> {
    const made = await this.desk.provision({ ...dto, tenant_id: slug });
    response.status(made.key === null ? 200 : 201);
    return provisionedDto(organizationDto(this.desk.show(made.tenant)), made);
  }

  @Get()
  @ForOperator()
  @ApiOperation({ summary: 'All organizations, newest first' })
  @ApiResponse({ status: 200, type: OrganizationListDto })
  async list(@Query() query: ListOrganizationsDto): Promise<OrganizationListDto> {
    const { tenants, next } = await this.desk.page(query);
    return { data: tenants.map((tenant) => organizationDto(this.desk.show(tenant))), next_cursor: next };
  }

  @Get(':org')
  @ForScopeOrOperator('manage')
  @ApiOperation({ summary: 'One organization' })
  @ApiResponse({ status: 200, type: OrganizationDto })
  async get(@Param('org') org: string): Promise<OrganizationDto> {
    return organizationDto(this.desk.show(await this.tenants.get(this.named.ref(org))));
  }

  @Patch(':org')
  @ForScopeOrOperator('manage')
  @ApiOperation({ summary: 'Change an organization' })
  @ApiResponse({ status: 200, type: OrganizationDto })
  async change(@Param('org') org: string, @Body() dto: ChangeOrganizationDto): Promise<OrganizationDto> {
    const ref = this.named.ref(org);
    const change = changeOf(dto);
    if (Object.keys(change).length === 0) {
      throw new RequestInvalid([{ location: 'body', message: 'names nothing that is to change' }]);
    }
    const { principal, request } = this.context;
    if (dto.plan_tier !== undefined && principal.kind !== 'operator') {
      throw new Forbidden('An operator sets the plan.');
    }
    const changed = await this.tenants.update(ref, change, request.requestId, actorOf(principal));
    return organizationDto(this.desk.show(changed));
  }

  @Delete(':org')
  @ForScopeOrOperator('manage')
  @ApiOperation({ summary: 'Delete an organization; an operator can restore it for 30 days' })
  @ApiResponse({ status: 200, type: DeletedTenantDto })
  async remove(@Param('org') org: string): Promise<DeletedTenantDto> {
    const { principal, request } = this.context;
    const deleted = await this.tenants.move(
      this.named.ref(org),
      'delete',
      request.requestId,
      null,
      actorOf(principal),
    );
    return deletedDto(deleted);
  }

  @IdempotentPost(':org/workspaces')
  @ForScopeOrOperator('manage')
  @ApiOperation({ summary: 'Make a workspace in an organization' })
  @ApiResponse({ status: 201, type: WorkspaceDto })
  async createWorkspace(@Param('org') org: string, @Body() dto: CreateWorkspaceDto): Promise<WorkspaceDto> {
    const tenant = await this.named.tenant(org);
    const cause = this.context.cause((made: Workspace) => ({
      status: 201,
      body: workspaceDto(tenant, made),
    }));
    return workspaceDto(tenant, await this.workspaces.create(tenant, randomUUID(), draftOf(dto), cause));
  }

  @Get(':org/workspaces')
  @ForScopeOrOperator('manage')
  @ApiOperation({ summary: 'The workspaces of an organization, newest first' })
  @ApiResponse({ status: 200, type: WorkspaceListDto })
  async listWorkspaces(
    @Param('org') org: string,
    @Query() query: ListWorkspacesDto,
  ): Promise<WorkspaceListDto> {
    const tenant = await this.named.tenant(org);
    return listWorkspaces(this.workspaces, { tenant, scope: WHOLE_TENANT }, query);
  }
}

function changeOf(dto: ChangeOrganizationDto): TenantChange {
  return {
    ...(dto.name === undefined ? {} : { name: dto.name }),
    ...(dto.plan_tier === undefined ? {} : { plan: dto.plan_tier }),
    ...(dto.contact_email === undefined ? {} : { contactEmail: dto.contact_email }),
    ...(dto.contact_name === undefined ? {} : { contactName: dto.contact_name }),
  };
}
