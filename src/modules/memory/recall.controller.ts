import { Body, Controller, Get, HttpCode, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { askedTags } from '../../ledger/entity-names.js';
import { parseModelId } from '../../models/model-id.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import type { Filter } from '../../spaces/vector-space.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import type { Tenant } from '../../tenancy/principal.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { MemoryEdge, unitVector } from './memory-edge.js';
import { memoryDto } from './memory-replies.js';
import type { Question } from './question.js';
import { matchType } from './recall-ranking.js';
import {
  RecallDto,
  RecalledDto,
  type RecallResultDto,
  type RelationDto,
  type TimeRangeDto,
} from './recall.dto.js';
import {
  RecallExpansion,
  type Expanded,
  type ExpandedMemory,
  type Expansion,
} from './recall-expansion.service.js';
import { wantedTime, type UnderstoodTime, type WantedTime } from './recall-time.js';
import { RecallService, type RecalledMemory } from './recall.service.js';

/** Asking what is remembered. */
@ApiTags('memory')
@ApiBearerAuth()
@Controller({ path: ['', 'v1'] })
export class RecallController {
  constructor(
    private readonly context: TenantContext,
    private readonly edge: MemoryEdge,
    private readonly recalls: RecallService,
    private readonly expansion: RecallExpansion,
  ) {}

  @Get('recall')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'The memories that answer a question best' })
  @ApiResponse({ status: 200, type: RecalledDto })
  recall(
    @Query() query: RecallDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RecalledDto> {
    return this.answer(query, request, response);
  }

  @IdempotentPost('recall')
  @HttpCode(200)
  @ForScope('memory:read')
  @ApiOperation({ summary: 'The same, as a body' })
  @ApiResponse({ status: 200, type: RecalledDto })
  recallByBody(
    @Body() body: RecallDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RecalledDto> {
    return this.answer(body, request, response);
  }

  private async answer(dto: RecallDto, request: Request, response: Response): Promise<RecalledDto> {
    const startedAt = performance.now();
    const { tenant } = this.context;
    const workspace = await this.edge.workspace(request, response, dto);
    const time = wantedTime(dto, tenant.settings);
    const question = questionOf(tenant, dto, time);
    const recalled = await this.recalls.recall(tenant, workspace, question);
    const expanded = dto.expand_relations
      ? await this.expansion.expand(tenant, workspace, {
          question,
          recalled,
          expansion: expansionOf(dto),
        })
      : null;
    const degraded = [...new Set([...recalled.degraded, ...(expanded?.degraded === true ? ['graph'] : [])])];
    const results = expanded?.results ?? recalled.memories;
    return {
      status: 'success',
      results: results.map((result) => resultDto(result, dto.explain)),
      count: results.length,
      took_ms: Math.round((performance.now() - startedAt) * 100) / 100,
      ...(time.understood === null ? {} : { time_range: timeRangeDto(time.understood) }),
      ...(degraded.length === 0 ? {} : { degraded }),
    };
  }
}

function timeRangeDto({ query, start, end, zone, now }: UnderstoodTime): TimeRangeDto {
  return {
    query,
    start: start?.toISOString() ?? null,
    end: end?.toISOString() ?? null,
    time_zone: zone,
    now: now.toISOString(),
  };
}

function expansionOf(dto: RecallDto): Expansion {
  return {
    each: dto.relation_limit,
    limit: dto.expansion_limit,
    minStrength: dto.expand_min_strength,
    // PostgreSQL refuses what is too small for its `real`.
    minImportance: Math.fround(dto.expand_min_importance),
    respectTags: dto.expand_respect_tags,
  };
}

/** Throws `RequestInvalid` where the embedding is not of the model that answers for this tenant. */
function questionOf(tenant: Tenant, dto: RecallDto, { from, until }: WantedTime): Question {
  const filter: Filter = {
    ...(dto.tags === undefined
      ? {}
      : { tags: { values: askedTags(tenant.key, dto.tags), mode: dto.tag_mode, match: dto.tag_match } }),
    ...(dto.exclude_tags === undefined ? {} : { excludeTags: askedTags(tenant.key, dto.exclude_tags) }),
    ...(dto.types === undefined ? {} : { types: dto.types }),
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
    ...(dto.session_id === undefined ? {} : { session: dto.session_id }),
    ...(dto.user_id === undefined ? {} : { user: dto.user_id }),
    ...(dto.agent_id === undefined ? {} : { agent: dto.agent_id }),
    ...((dto.current_only ?? dto.state_mode === 'current') ? { validAt: Date.now() } : {}),
  };
  const sort = {
    score: 'score',
    newest: 'newest',
    time_desc: 'newest',
    oldest: 'oldest',
    time_asc: 'oldest',
    updated_desc: 'updated last',
    updated_asc: 'updated first',
  } as const;
  return {
    queries: [...new Set([...(dto.query === undefined ? [] : [dto.query]), ...(dto.queries ?? [])])],
    vector: dto.embedding === undefined ? null : questionVector(tenant, dto.embedding),
    filter,
    context: askedTags(tenant.key, dto.context_tags ?? []),
    limit: dto.limit,
    offset: dto.offset,
    minScore: dto.min_score,
    sort: sort[dto.sort],
    recency: dto.recency_bias,
  };
}

function questionVector(tenant: Tenant, embedding: number[]): Float32Array {
  const { dimensions } = parseModelId(tenant.embeddingModel);
  if (embedding.length !== dimensions) {
    throw new RequestInvalid([{ location: 'embedding', message: `must have ${dimensions} numbers` }]);
  }
  return unitVector(embedding);
}

function resultDto(result: RecalledMemory | ExpandedMemory, explain: boolean): RecallResultDto {
  const { id, score, parts, memory, replaces } = result;
  const bridge = 'bridge' in result ? result.bridge : null;
  const shown = Object.entries({ ...parts, ...(bridge === null ? {} : { relation: bridge }) });
  return {
    id,
    score: rounded(score),
    ...(explain
      ? {
          score_parts: Object.fromEntries(
            shown.flatMap(([part, value]) => (value === null ? [] : [[part, rounded(value)] as const])),
          ),
        }
      : {}),
    match_type: bridge === null ? matchType(parts) : 'relation',
    memory: memoryDto(memory),
    ...('relations' in result ? { relations: result.relations.map((one) => relationDto(id, one)) } : {}),
    ...(replaces.length === 0 ? {} : { state_replaces: replaces }),
  };
}

function relationDto(id: string, { relation, memory }: Expanded): RelationDto {
  return {
    type: relation.type,
    strength: rounded(relation.strength),
    direction: relation.from === id ? 'outgoing' : 'incoming',
    attributes: relation.attributes,
    memory: memoryDto(memory),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
