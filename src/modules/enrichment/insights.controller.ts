import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiExtraModels, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ForScope } from '../../tenancy/access.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { InWorkspace } from '../memory/in-workspace.decorator.js';
import { MemoryEdge } from '../memory/memory-edge.js';
import { memoryDto } from '../memory/memory-replies.js';
import { AnalysisService, type Analysis } from './analysis.service.js';
import { ENTITY_KINDS } from './entity-kinds.js';
import {
  AnalyzeDto,
  AnalyzedDto,
  HourDto,
  NameCountDto,
  StartupDto,
  StartupQueryDto,
  TypeCountDto,
  type AnalyticsDto,
} from './insights.dto.js';
import { StartupService } from './startup.service.js';

const CRITICAL = 0.9;

/** What an assistant loads first, and what a workspace remembers in numbers. */
@ApiTags('memory')
@ApiBearerAuth()
@ApiExtraModels(TypeCountDto, HourDto, NameCountDto)
@InWorkspace()
@Controller({ path: ['', 'v1'] })
export class InsightsController {
  constructor(
    private readonly context: TenantContext,
    private readonly edge: MemoryEdge,
    private readonly startups: StartupService,
    private readonly analyses: AnalysisService,
  ) {}

  @Get('startup-recall')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'What an assistant should know before the first word' })
  @ApiResponse({ status: 200, type: StartupDto })
  async startup(
    @Query() query: StartupQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<StartupDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const found = await this.startups.of(this.context.tenant, workspace, query.limit);
    const { lessons, rules, preferences, recent } = found;
    return {
      status: 'success',
      critical_lessons: lessons.map(memoryDto),
      system_rules: rules.map(memoryDto),
      preferences: preferences.map(memoryDto),
      recent: recent.map(memoryDto),
      lesson_count: lessons.length,
      has_critical: lessons.some(({ importance }) => importance >= Math.fround(CRITICAL)),
      summary: `${lessons.length} lessons, ${rules.length} rules, ${preferences.length} preferences, ${recent.length} recent memories`,
    };
  }

  @Get('analyze')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'What a workspace remembers, in numbers' })
  @ApiResponse({ status: 200, type: AnalyzedDto })
  async analyze(
    @Query() query: AnalyzeDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<AnalyzedDto> {
    const startedAt = performance.now();
    const workspace = await this.edge.workspace(request, response, query);
    const analysis = await this.analyses.of(this.context.tenant, workspace);
    return {
      status: 'success',
      analytics: analyticsDto(analysis),
      generated_at: new Date().toISOString(),
      query_time_ms: Math.round((performance.now() - startedAt) * 100) / 100,
    };
  }
}

function analyticsDto(analysis: Analysis): AnalyticsDto {
  const entries = <Value>(pairs: [string, Value][]) => Object.fromEntries(pairs);
  return {
    total_memories: analysis.total,
    memory_types: entries(
      analysis.types.map(({ type, count, confidence, importance }) => [
        type,
        { count, average_confidence: confidence, average_importance: importance },
      ]),
    ),
    tags: entries(analysis.tags.map(({ tag, count }) => [tag, count])),
    entity_frequency: entries(
      ENTITY_KINDS.map((kind) => [
        kind,
        analysis.entities
          .filter((entity) => entity.kind === kind)
          .map(({ name, count }) => ({ name, count })),
      ]),
    ),
    importance_distribution: { ...analysis.importance },
    confidence_distribution: { ...analysis.confidence },
    temporal_insights: entries(
      analysis.hours.map(({ hour, count, importance }) => [
        `hour_${String(hour).padStart(2, '0')}`,
        { count, avg_importance: importance },
      ]),
    ),
    activity: entries(analysis.months.map(({ month, count }) => [month, count])),
    patterns: analysis.patterns.map(({ names, observations, confidence }) => ({
      type: 'together',
      description: `${names[0]} and ${names[1]} come up together`,
      entities: [...names],
      observations,
      confidence: Math.round(confidence * 1000) / 1000,
    })),
    preferences: analysis.preferences,
  };
}
