import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../../tenancy/public.decorator.js';
import { version } from '../version.js';
import { HealthService } from './health.service.js';
import type { PartHealth, Stores } from './health.service.js';

/** Needs no token and tells no secret: words, and the version. */
@Public()
@ApiTags('Health')
@Controller()
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get(['health', 'v1/health'])
  @ApiOperation({ summary: 'How the parts are: 200 also where some are down' })
  async report(): Promise<{ status: string; multi_tenant: true; version: string; stores: Stores }> {
    const stores = await this.health.stores();
    const healthy = this.health.phase === 'ready' && Object.values(stores).every((store) => store !== 'down');
    return { status: healthy ? 'healthy' : 'degraded', multi_tenant: true, version, stores };
  }

  @Get('health/live')
  @ApiOperation({ summary: 'Whether this process runs' })
  live(): { status: 'alive' } {
    return { status: 'alive' };
  }

  @Get('health/ready')
  @ApiOperation({
    summary: 'Whether to send requests here: 503 while starting, stopping or without the ledger',
  })
  async ready(@Res({ passthrough: true }) response: Response): Promise<{ status: string; phase: string }> {
    const ready = await this.health.ready();
    if (!ready) response.status(503).setHeader('Retry-After', 1);
    return { status: ready ? 'ready' : 'not_ready', phase: this.health.phase };
  }

  @Get('health/agent')
  @ApiOperation({ summary: 'Whether the models answer, and with them the default agent' })
  async agent(): Promise<{ status: string; models: PartHealth; default_agent: { can_answer: boolean } }> {
    const { models, ledger } = await this.health.stores();
    const canAnswer = models === 'ok' && ledger === 'ok';
    return { status: canAnswer ? 'healthy' : 'degraded', models, default_agent: { can_answer: canAnswer } };
  }
}
