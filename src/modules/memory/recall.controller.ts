import { Body, Controller, Get, HttpCode, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { EntityExpansion, type SharingMemory } from './entity-expansion.service.js';
import { InWorkspace } from './in-workspace.decorator.js';
import { MemoryEdge } from './memory-edge.js';
import { memoryDto } from './memory-replies.js';
import { matchType } from './recall-ranking.js';
import {
  RecallDto,
  RecalledDto,
  type RecallResultDto,
  type RelationDto,
  type StateFilterDto,
  type TimeRangeDto,
} from './recall.dto.js';
import {
  RecallExpansion,
  type Expanded,
  type ExpandedMemory,
  type Expansion,
} from './recall-expansion.service.js';
import { questionOf } from './recall-question.js';
import type { RecalledMemory, Superseded } from './recall-reading.service.js';
import { wantedTime, type UnderstoodTime } from './recall-time.js';
import { RecallService } from './recall.service.js';

/** Asking what is remembered. */
@ApiTags('memory')
@ApiBearerAuth()
@InWorkspace()
@Controller({ path: ['', 'v1'] })
export class RecallController {
  constructor(
    private readonly context: TenantContext,
    private readonly edge: MemoryEdge,
    private readonly recalls: RecallService,
    private readonly expansion: RecallExpansion,
    private readonly entities: EntityExpansion,
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
    const { time, question } = placed(request, () => {
      const time = wantedTime(dto, tenant.settings);
      return { time, question: questionOf(tenant, dto, time) };
    });
    const recalled = await this.recalls.recall(tenant, workspace, question);
    const expanded = dto.expand_relations
      ? await this.expansion.expand(tenant, workspace, {
          question,
          recalled,
          expansion: expansionOf(dto),
        })
      : null;
    const results = expanded?.results ?? recalled.memories;
    const named = dto.expand_entities
      ? await this.entities.expand(tenant, workspace, { question, results, expansion: expansionOf(dto) })
      : null;
    const withoutGraph = expanded?.degraded === true || named?.degraded === true;
    const degraded = [...new Set([...recalled.degraded, ...(withoutGraph ? ['graph'] : [])])];
    const sharing = named?.memories ?? [];
    return {
      status: 'success',
      results: [...results.map(resultDto), ...sharing.map(sharingDto)],
      count: results.length + sharing.length,
      took_ms: Math.round((performance.now() - startedAt) * 100) / 100,
      ...(dto.explain ? { weights: recalled.weights } : {}),
      ...(time.understood === null ? {} : { time_range: timeRangeDto(time.understood) }),
      ...(decomposed(dto, question.queries) ? { queries: question.queries } : {}),
      ...(dto.state_debug ? { state_filter: stateFilterDto(question, recalled.superseded, results) } : {}),
      ...(named === null
        ? {}
        : {
            entity_expansion: {
              enabled: true,
              expanded_count: sharing.length,
              entities_found: named.entities,
            },
          }),
      ...(degraded.length === 0 ? {} : { degraded }),
    };
  }
}

/** What is found wrong later than by the field's own rule is told with where it was given, as it is by that. */
function placed<T>(request: Request, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RequestInvalid)) throw error;
    const where = request.method === 'POST' ? 'body' : 'query';
    const errors = error.details.errors ?? [];
    throw new RequestInvalid(
      errors.map(({ location, message }) => ({ location: `${where}.${location}`, message })),
    );
  }
}

function sharingDto({ id, score, memory, entity, from }: SharingMemory): RecallResultDto {
  return {
    id,
    score: rounded(score),
    score_parts: {},
    match_type: 'entity',
    memory: memoryDto(memory),
    expanded_from_entity: entity,
    expanded_from: from,
  };
}

/** Whether more is asked than came. */
function decomposed({ auto_decompose: asked, query, queries = [] }: RecallDto, wordings: string[]): boolean {
  return asked && wordings.some((wording) => wording !== query && !queries.includes(wording));
}

function stateFilterDto(
  { filter }: { filter: { validAt?: number } },
  superseded: Superseded[],
  results: RecalledMemory[],
): StateFilterDto {
  const types = new Map(superseded.map(({ id, type }) => [id, type]));
  const replacements = results.flatMap(({ id, replaces }) =>
    replaces.map((replaced) => ({
      id,
      replaces_id: replaced,
      relation_type: types.get(replaced) ?? '',
    })),
  );
  return {
    current_only: filter.validAt !== undefined,
    suppressed_count: superseded.length,
    replacement_count: replacements.length,
    suppressed: superseded.map(({ id, head, via, type }) => ({
      id,
      reason: 'superseded',
      replacement_id: head,
      relation_type: type,
      via,
    })),
    replacements,
  };
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

function resultDto(result: RecalledMemory | ExpandedMemory): RecallResultDto {
  const { id, score, parts, memory, replaces } = result;
  const bridge = 'bridge' in result ? result.bridge : null;
  const shown = Object.entries({ ...parts, ...(bridge === null ? {} : { relation: bridge }) });
  return {
    id,
    score: rounded(score),
    score_parts: Object.fromEntries(
      shown.flatMap(([part, value]) => (value === null ? [] : [[part, rounded(value)] as const])),
    ),
    match_type: bridge !== null ? 'relation' : byName(result) ? 'priority' : matchType(parts),
    memory: memoryDto(memory),
    ...(result.outside === true ? { outside_tag_scope: true } : {}),
    ...('relations' in result ? { relations: result.relations.map((one) => relationDto(id, one)) } : {}),
    ...(replaces.length === 0 ? {} : { state_replaces: replaces }),
  };
}

/** It is here for no other reason than that it was named. */
function byName({ pinned, parts }: RecalledMemory): boolean {
  return pinned === true && Object.values(parts).every((part) => part === null);
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
