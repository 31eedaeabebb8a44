import { randomUUID } from 'node:crypto';
import { Body, Controller, Delete, Get, Param, Patch, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { requestFacts } from '../../platform/http/request-facts.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { AlsoAsks, ForAnyKeyOrOperator } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import type { Tenant } from '../../tenancy/principal.js';
import { RequestTenant } from '../../tenancy/request-tenant.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { Agent, NewAgent } from './agent.js';
import { viewerOf, type AgentViewer } from './agent-access.js';
import { changeOf, draftFromTemplate, draftOf, listAgents } from './agent-edge.js';
import { agentDto, deletedAgentDto } from './agent-replies.js';
import {
  AgentDto,
  AgentListDto,
  ChangeAgentDto,
  CreateAgentDto,
  DeletedAgentDto,
  FromTemplateDto,
  ListAgentsDto,
} from './agents.dto.js';
import { AgentsService } from './agents.service.js';

interface Named {
  tenant: Tenant;
  workspace: WorkspaceId;
  viewer: AgentViewer;
}

/**
 * The agents of a workspace. `:workspace` and `:agent` are slugs or UUIDs. Everybody of the tenant may call: who sees
 * and changes which is the matrix of `agent-access.ts`.
 */
@ApiTags('agents')
@ApiBearerAuth()
@ForAnyKeyOrOperator()
@Controller('v1/workspaces/:workspace/agents')
export class WorkspaceAgentsController {
  constructor(
    private readonly context: TenantContext,
    private readonly tenants: RequestTenant,
    private readonly agents: AgentsService,
  ) {}

  @IdempotentPost()
  @AlsoAsks('`manage`, or a member who is a `tenant_user`')
  @ApiOperation({ summary: 'Make an agent; a member owns what it makes' })
  @ApiResponse({ status: 201, type: AgentDto })
  async create(
    @Param('workspace') name: string,
    @Body() dto: CreateAgentDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<AgentDto> {
    const named = await this.named(name, request, response);
    return this.make(named, draftOf(dto, named.viewer));
  }

  @IdempotentPost('from-template')
  @AlsoAsks('`manage`, or a member who is a `tenant_user`')
  @ApiOperation({
    summary: 'Make an agent from a template; what is given comes before what the template says',
  })
  @ApiResponse({ status: 201, type: AgentDto })
  async createFromTemplate(
    @Param('workspace') name: string,
    @Body() dto: FromTemplateDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<AgentDto> {
    const named = await this.named(name, request, response);
    return this.make(named, draftFromTemplate(dto, named.viewer));
  }

  @Get()
  @ApiOperation({ summary: 'The agents of a workspace that the caller sees, newest first' })
  @ApiResponse({ status: 200, type: AgentListDto })
  async list(
    @Param('workspace') name: string,
    @Query() query: ListAgentsDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<AgentListDto> {
    const named = await this.named(name, request, response);
    return listAgents(this.agents, { ...named, scope: named.workspace }, query);
  }

  @Get(':agent')
  @ApiOperation({ summary: 'One agent' })
  @ApiResponse({ status: 200, type: AgentDto })
  async get(
    @Param('workspace') name: string,
    @Param('agent') agent: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<AgentDto> {
    const { tenant, workspace, viewer } = await this.named(name, request, response);
    return agentDto(tenant, await this.agents.get(tenant, workspace, viewer, agent));
  }

  @Patch(':agent')
  @AlsoAsks('the agent’s owner, or `manage`')
  @ApiOperation({ summary: 'Change an agent: its owner, or a tenant admin' })
  @ApiResponse({ status: 200, type: AgentDto })
  async change(
    @Param('workspace') name: string,
    @Param('agent') agent: string,
    @Body() dto: ChangeAgentDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<AgentDto> {
    const { tenant, workspace, viewer } = await this.named(name, request, response);
    const change = changeOf(dto);
    if (Object.keys(change).length === 0) {
      throw new RequestInvalid([{ location: 'body', message: 'names nothing that is to change' }]);
    }
    const cause = this.context.cause(() => ({ status: 200, body: null }));
    return agentDto(tenant, await this.agents.change(tenant, workspace, viewer, agent, change, cause));
  }

  @Delete(':agent')
  @AlsoAsks('the agent’s owner, or `manage`')
  @ApiOperation({ summary: 'Delete an agent: its owner, or a tenant admin' })
  @ApiResponse({ status: 200, type: DeletedAgentDto })
  async remove(
    @Param('workspace') name: string,
    @Param('agent') agent: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DeletedAgentDto> {
    const { tenant, workspace, viewer } = await this.named(name, request, response);
    const cause = this.context.cause(() => ({ status: 200, body: null }));
    return deletedAgentDto(await this.agents.remove(tenant, workspace, viewer, agent, cause));
  }

  private async make({ tenant, workspace, viewer }: Named, draft: NewAgent): Promise<AgentDto> {
    const cause = this.context.cause((made: Agent) => ({ status: 201, body: agentDto(tenant, made) }));
    const made = await this.agents.create(tenant, workspace, viewer, randomUUID(), draft, cause);
    return agentDto(tenant, made);
  }

  private async named(name: string, request: Request, response: Response): Promise<Named> {
    const { tenant, workspace } = await this.tenants.workspace(request, name);
    requestFacts(response).workspace = workspace;
    return { tenant, workspace, viewer: viewerOf(this.context.principal) };
  }
}
