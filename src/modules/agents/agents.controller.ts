import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { ForAnyKeyOrOperator } from '../../tenancy/access.decorator.js';
import { RequestTenant } from '../../tenancy/request-tenant.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { viewerOf } from './agent-access.js';
import { listAgents } from './agent-edge.js';
import { templateDto } from './agent-replies.js';
import { AGENT_TEMPLATES } from './agent-templates.js';
import { AgentListDto, AgentTemplateListDto, ListAgentsDto } from './agents.dto.js';
import { AgentsService } from './agents.service.js';

/** Agents over all workspaces that the caller sees, and what they can be made from. */
@ApiTags('agents')
@ApiBearerAuth()
@ForAnyKeyOrOperator()
@Controller('v1')
export class AgentsController {
  constructor(
    private readonly context: TenantContext,
    private readonly tenants: RequestTenant,
    private readonly agents: AgentsService,
  ) {}

  @Get('agents')
  @ApiOperation({ summary: 'The agents that the caller sees, newest first' })
  @ApiResponse({ status: 200, type: AgentListDto })
  async list(@Query() query: ListAgentsDto, @Req() request: Request): Promise<AgentListDto> {
    const reach = await this.tenants.reach(request);
    const viewer = viewerOf(this.context.principal);
    return listAgents(this.agents, { ...reach, viewer, workspace: null }, query);
  }

  @Get('agent-templates')
  @ApiOperation({ summary: 'What agents can be made from' })
  @ApiResponse({ status: 200, type: AgentTemplateListDto })
  templates(): AgentTemplateListDto {
    return { data: AGENT_TEMPLATES.map(templateDto), next_cursor: null };
  }
}
