import { Body, Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ForScope } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { InWorkspace } from '../memory/in-workspace.decorator.js';
import { MemoryEdge } from '../memory/memory-edge.js';
import { WorkspaceField } from '../memory/memory.dto.js';
import { ConsolidationRuns, type ConsolidationRun } from './consolidation-runs.js';
import { ConsolidationSchedule } from './consolidation-schedule.service.js';
import { Consolidation } from './consolidation.service.js';
import {
  ConsolidatedDto,
  ConsolidateDto,
  ConsolidationStatusDto,
  type ConsolidationRunDto,
} from './consolidation.dto.js';

/** What takes longer goes on by itself. */
const WAIT_MS = 8_000;
const SHOWN_RUNS = 20;

/** Decay, creative association, clustering and forgetting, by call. */
@ApiTags('memory')
@ApiBearerAuth()
@InWorkspace()
@Controller({ path: ['', 'v1'] })
export class ConsolidationController {
  constructor(
    private readonly context: TenantContext,
    private readonly edge: MemoryEdge,
    private readonly consolidation: Consolidation,
    private readonly runs: ConsolidationRuns,
    private readonly schedule: ConsolidationSchedule,
  ) {}

  @IdempotentPost('consolidate')
  @ForScope('memory:write')
  @ApiOperation({ summary: 'Consolidate what a workspace remembers, or tell what that would do' })
  @ApiResponse({ status: 200, type: ConsolidatedDto })
  @ApiResponse({
    status: 202,
    type: ConsolidatedDto,
    description: 'It goes on; /consolidate/status tells how far',
  })
  async consolidate(
    @Body() dto: ConsolidateDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ConsolidatedDto> {
    const workspace = await this.edge.workspace(request, response, dto);
    const { mode, dry_run: dryRun } = dto;
    const cause = { ...this.context.cause(() => ({ status: 200, body: null })), claim: null };
    const begun = await this.consolidation.begin(this.context.tenant, workspace, { mode, dryRun, cause });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), WAIT_MS)));
    const done = await Promise.race([begun.done, late]).finally(() => clearTimeout(timer));
    response.status(done === null ? 202 : 200);
    const { id, startedAt } = begun;
    if (done !== null) return { status: 'success', run_id: id, consolidation: done };
    const so_far = { mode, dry_run: dryRun, started_at: startedAt.toISOString(), steps: {} };
    return { status: 'running', run_id: id, consolidation: so_far };
  }

  @Get('consolidate/status')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'How far consolidation is, what it did, and when it is due' })
  @ApiResponse({ status: 200, type: ConsolidationStatusDto })
  async status(
    @Query() query: WorkspaceField,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ConsolidationStatusDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const { tenant } = this.context;
    const [runs, next] = await Promise.all([
      this.runs.list(tenant, workspace, SHOWN_RUNS),
      this.schedule.nextRuns(tenant),
    ]);
    const instant = (at: Date | null) => at?.toISOString() ?? null;
    return {
      status: 'success',
      running: runs.some(({ state }) => state === 'running'),
      next_runs: {
        decay: instant(next.decay),
        creative: instant(next.creative),
        cluster: instant(next.cluster),
        forget: instant(next.forget),
      },
      history: runs.map(runDto),
    };
  }
}

function runDto(run: ConsolidationRun): ConsolidationRunDto {
  const { id, mode, dryRun, state, actor, progress, result, error, startedAt, finishedAt } = run;
  return {
    run_id: id,
    mode,
    dry_run: dryRun,
    state,
    actor,
    progress,
    result,
    error,
    started_at: startedAt.toISOString(),
    finished_at: finishedAt?.toISOString() ?? null,
  };
}
