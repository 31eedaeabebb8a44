import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../../tenancy/public.decorator.js';
import { version } from '../version.js';
import { AgentHealthDto, HealthDto, LiveDto, ReadyDto } from './health.dto.js';
import { HealthService } from './health.service.js';

/** Needs no token and tells no secret: words, and the version. */
@Public()
@ApiTags('Health')
@Controller()
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get(['health', 'v1/health'])
  @ApiOperation({ summary: 'How the parts are: 200 also where some are down' })
  @ApiResponse({ status: 200, type: HealthDto })
  async report(): Promise<HealthDto> {
    const stores = await this.health.stores();
    const healthy = this.health.phase === 'ready' && Object.values(stores).every((store) => store !== 'down');
    return { status: healthy ? 'healthy' : 'degraded', multi_tenant: true, version, stores };
  }

  @Get('health/live')
  @ApiOperation({ summary: 'Whether this process runs' })
  @ApiResponse({ status: 200, type: LiveDto })
  live(): LiveDto {
    return { status: 'alive' };
  }

  @Get('health/ready')
  @ApiOperation({
    summary: 'Whether to send requests here: 503 while starting, stopping or without the ledger',
  })
  @ApiResponse({ status: 200, type: ReadyDto })
  @ApiResponse({ status: 503, type: ReadyDto })
  async ready(@Res({ passthrough: true }) response: Response): Promise<ReadyDto> {
    const ready = await this.health.ready();
    if (!ready) response.status(503).setHeader('Retry-After', 1);
    return { status: ready ? 'ready' : 'not_ready', phase: this.health.phase };
  }

  @Get('health/agent')
  @ApiOperation({ summary: 'Whether the models answer, and with them the default agent' })
  @ApiResponse({ status: 200, type: AgentHealthDto })
  async agent(): Promise<AgentHealthDto> {
    const { models, ledger } = await this.health.stores();
    const canAnswer = models === 'ok' && ledger === 'ok';
    return { status: canAnswer ? 'healthy' : 'degraded', models, default_agent: { can_answer: canAnswer } };
  }
}
