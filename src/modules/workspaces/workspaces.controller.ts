import { randomUUID } from 'node:crypto';
import { Body, Controller, Delete, Get, Param, Patch, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { requestFacts } from '../../platform/http/request-facts.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { ForAnyKeyOrOperator, ForScopeOrOperator } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { RequestTenant } from '../../tenancy/request-tenant.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import type { TenantWorkspace } from '../../tenancy/tenant-directory.js';
import type { Workspace } from './workspace.js';
import { WorkspaceErasure } from './workspace-erasure.service.js';
import { changeOf, draftOf, listWorkspaces } from './workspace-edge.js';
import { deletedWorkspaceDto, workspaceDto } from './workspace-replies.js';
import {
  ChangeWorkspaceDto,
  CreateWorkspaceDto,
  DeletedWorkspaceDto,
  ListWorkspacesDto,
  WorkspaceDto,
  WorkspaceListDto,
} from './workspaces.dto.js';
import { WorkspacesService } from './workspaces.service.js';

/** A tenant's workspaces. `:workspace` is a slug or a UUID; the operator names a tenant with `X-Tenant-ID`, or uses the UUID. */
@ApiTags('workspaces')
@ApiBearerAuth()
@Controller('v1/workspaces')
export class WorkspacesController {
  constructor(
    private readonly context: TenantContext,
    private readonly tenants: RequestTenant,
    private readonly workspaces: WorkspacesService,
    private readonly erasure: WorkspaceErasure,
  ) {}

  @IdempotentPost()
  @ForScopeOrOperator('manage')
  @ApiOperation({ summary: 'Make a workspace' })
  @ApiResponse({ status: 201, type: WorkspaceDto })
  async create(@Body() dto: CreateWorkspaceDto, @Req() request: Request): Promise<WorkspaceDto> {
    const { tenant } = await this.tenants.reach(request);
    const cause = this.context.cause((made: Workspace) => ({
      status: 201,
      body: workspaceDto(tenant, made),
    }));
    return workspaceDto(tenant, await this.workspaces.create(tenant, randomUUID(), draftOf(dto), cause));
  }

  @Get()
  @ForAnyKeyOrOperator()
  @ApiOperation({ summary: 'The workspaces that the caller sees, newest first' })
  @ApiResponse({ status: 200, type: WorkspaceListDto })
  async list(@Query() query: ListWorkspacesDto, @Req() request: Request): Promise<WorkspaceListDto> {
    return listWorkspaces(this.workspaces, await this.tenants.reach(request), query);
  }

  @Get(':workspace')
  @ForAnyKeyOrOperator()
  @ApiOperation({ summary: 'One workspace' })
  @ApiResponse({ status: 200, type: WorkspaceDto })
  async get(
    @Param('workspace') name: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WorkspaceDto> {
    const { tenant, workspace } = await this.named(name, request, response);
    return workspaceDto(tenant, await this.workspaces.get(tenant, workspace));
  }

  @Patch(':workspace')
  @ForScopeOrOperator('manage')
  @ApiOperation({ summary: 'Change a workspace; settings are merged, null removes one' })
  @ApiResponse({ status: 200, type: WorkspaceDto })
  async change(
    @Param('workspace') name: string,
    @Body() dto: ChangeWorkspaceDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WorkspaceDto> {
    const { tenant, workspace } = await this.named(name, request, response);
    const change = changeOf(dto);
    if (Object.keys(change).length === 0) {
      throw new RequestInvalid([{ location: 'body', message: 'names nothing that is to change' }]);
    }
    const cause = this.context.cause(() => ({ status: 200, body: null }));
    return workspaceDto(tenant, await this.workspaces.change(tenant, workspace, change, cause));
  }

  @Delete(':workspace')
  @ForScopeOrOperator('manage')
  @ApiOperation({ summary: 'Erase a workspace with its memories, agents and keys, for good' })
  @ApiResponse({ status: 200, type: DeletedWorkspaceDto })
  async remove(
    @Param('workspace') name: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DeletedWorkspaceDto> {
    const { tenant, workspace } = await this.named(name, request, response);
    const cause = this.context.cause(() => ({ status: 200, body: null }));
    return deletedWorkspaceDto(await this.erasure.erase(tenant, workspace, cause));
  }

  private async named(name: string, request: Request, response: Response): Promise<TenantWorkspace> {
    const found = await this.tenants.workspace(request, name);
    requestFacts(response).workspace = found.workspace;
    return found;
  }
}
