import { Controller, Get, Headers, Ip, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { hashToken } from '../../tenancy/api-key.js';
import { FailedLogins } from '../../tenancy/failed-logins.js';
import { GuardsItself } from '../../tenancy/public.decorator.js';
import { MetricsAccess } from './metrics-access.js';
import { MetricsTokenInvalid, MetricsTokenRequired } from './metrics.errors.js';
import { Metrics } from './metrics.js';

/** Public to the key guard, because its own token is no principal: it opens this and nothing else. */
@GuardsItself('the admin token, or `METRICS_TOKEN`')
@ApiTags('Operators')
@ApiBearerAuth()
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly access: MetricsAccess,
    private readonly failures: FailedLogins,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Metrics for Prometheus' })
  @ApiResponse({ status: 200, content: { 'text/plain': { schema: { type: 'string' } } } })
  async read(
    @Headers('authorization') authorization: string | undefined,
    @Headers('x-api-key') apiKey: string | undefined,
    @Ip() address: string,
    @Res() response: Response,
  ): Promise<void> {
    const token = /^bearer\s+(\S+)\s*$/i.exec(authorization ?? '')?.[1] ?? apiKey;
    if (token === undefined) throw new MetricsTokenRequired();
    if (!this.access.allows(token)) {
      // Here too the admin token could be guessed.
      await this.failures.count(address, hashToken(token));
      throw new MetricsTokenInvalid();
    }
    const text = await this.metrics.registry.metrics();
    // Written without Express's `send`, which would append a second charset.
    response.writeHead(200, { 'Content-Type': this.metrics.registry.contentType }).end(text);
  }
}
