import { Body, Controller, Get, HttpCode, Param, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { InWorkspace } from '../memory/in-workspace.decorator.js';
import { MemoryEdge } from '../memory/memory-edge.js';
import { memoryDto } from '../memory/memory-replies.js';
import { EntitiesService, type Entity, type EntityMerge } from './entities.service.js';
import {
  EntitiesDto,
  GetEntityDto,
  ListEntitiesDto,
  MergedEntityDto,
  MergeEntityDto,
  OneEntityDto,
  type EntityDto,
} from './enrichment.dto.js';

/** Whom and what memories name. */
@ApiTags('memory')
@ApiBearerAuth()
@InWorkspace()
@Controller({ path: ['', 'v1'] })
export class EntitiesController {
  constructor(
    private readonly context: TenantContext,
    private readonly edge: MemoryEdge,
    private readonly entities: EntitiesService,
  ) {}

  @Get('entities')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'The people, places, organizations, dates and tools that memories name' })
  @ApiResponse({ status: 200, type: EntitiesDto })
  async list(
    @Query() query: ListEntitiesDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<EntitiesDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const { limit } = query;
    const skip = query.cursor === undefined ? 0 : readPlace(query.cursor);
    // One more than asked for tells whether there is a next page.
    const page = { kind: query.kind ?? query.category ?? null, limit: limit + 1, skip };
    const found = await this.entities.list(this.context.tenant, workspace, page);
    const entities = found.slice(0, limit).map(entityDto);
    return {
      status: 'success',
      data: entities,
      entities,
      count: entities.length,
      next_cursor: found.length > limit ? writePlace(skip + limit) : null,
    };
  }

  @Get('entity/:slug')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'One of them, with the memories that name it' })
  @ApiResponse({ status: 200, type: OneEntityDto })
  async get(
    @Param('slug') slug: string,
    @Query() query: GetEntityDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OneEntityDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const found = await this.entities.get(this.context.tenant, workspace, slug, query.limit);
    return { status: 'success', entity: entityDto(found.entity), memories: found.memories.map(memoryDto) };
  }

  @IdempotentPost('entity/:slug/merge')
  @HttpCode(200)
  @ForScope('memory:write')
  @ApiOperation({ summary: 'Make one entity another one' })
  @ApiResponse({ status: 200, type: MergedEntityDto })
  async merge(
    @Param('slug') slug: string,
    @Body() dto: MergeEntityDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<MergedEntityDto> {
    const workspace = await this.edge.workspace(request, response, dto);
    const body = ({ entity, moved }: EntityMerge): MergedEntityDto => ({
      status: 'success',
      entity: entityDto(entity),
      merge: { canonical: entity.slug, alias: slug, mentions_moved: moved },
    });
    const cause = this.context.cause((merged: EntityMerge) => ({ status: 200, body: body(merged) }));
    return body(await this.entities.merge(this.context.tenant, workspace, slug, dto.merge_into, cause));
  }
}

function entityDto(entity: Entity): EntityDto {
  return {
    slug: entity.slug,
    kind: entity.kind,
    category: entity.kind,
    name: entity.name,
    aliases: entity.aliases,
    tag: `entity:${entity.kind}:${entity.slug}`,
    mention_count: entity.mentions,
    first_mentioned_at: entity.firstMentioned.toISOString(),
    last_mentioned_at: entity.lastMentioned.toISOString(),
  };
}

/** By how often they are named, entities have no place of their own: a page begins after so many. */
function writePlace(skip: number): string {
  return Buffer.from(`after ${skip}`).toString('base64url');
}

/** Throws `RequestInvalid` for anything that `writePlace` did not write. */
function readPlace(cursor: string): number {
  const [, skip] = /^after (\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  if (skip === undefined)
    throw new RequestInvalid([{ location: 'query.cursor', message: 'is no cursor of this list' }]);
  return Number(skip);
}
