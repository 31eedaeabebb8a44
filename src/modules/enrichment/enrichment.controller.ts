import { Body, Controller, Get, HttpCode, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ForScope } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { InWorkspace } from '../memory/in-workspace.decorator.js';
import { MemoryEdge } from '../memory/memory-edge.js';
import { WorkspaceField } from '../memory/memory.dto.js';
import { EnrichmentStatus } from './enrichment-status.service.js';
import { EnrichmentStatusDto, ReprocessDto, ReprocessedDto } from './enrichment.dto.js';

/** How far the reading of what was stored has come. */
@ApiTags('memory')
@ApiBearerAuth()
@InWorkspace()
@Controller({ path: ['', 'v1'] })
export class EnrichmentController {
  constructor(
    private readonly context: TenantContext,
    private readonly edge: MemoryEdge,
    private readonly enrichment: EnrichmentStatus,
  ) {}

  @Get('enrichment/status')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'How far enrichment has come' })
  @ApiResponse({ status: 200, type: EnrichmentStatusDto })
  async status(
    @Query() query: WorkspaceField,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<EnrichmentStatusDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const found = await this.enrichment.of(this.context.tenant, workspace);
    const { state, revision, watermark, pending, processed, failed, lastError, failures, languageModel } =
      found;
    return {
      status: 'success',
      state,
      revision,
      watermark,
      pending,
      queue_size: pending,
      processed,
      failed,
      last_error: lastError,
      language_model: languageModel,
      failures: failures.map(({ id, reason, at }) => ({ memory_id: id, reason, at: at.toISOString() })),
    };
  }

  @IdempotentPost('enrichment/reprocess')
  @HttpCode(202)
  @ForScope('memory:write')
  @ApiOperation({ summary: 'Read memories again as if they were new: those named, or all' })
  @ApiResponse({ status: 202, type: ReprocessedDto })
  async reprocess(
    @Body() dto: ReprocessDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ReprocessedDto> {
    const workspace = await this.edge.workspace(request, response, dto);
    const body = ({ count }: { count: number }): ReprocessedDto => ({ status: 'queued', count });
    const cause = this.context.cause((queued: { count: number }) => ({ status: 202, body: body(queued) }));
    const ids = dto.ids?.map((id) => id.toLowerCase()) ?? null;
    return body(await this.enrichment.again(this.context.tenant, workspace, ids, cause));
  }
}
