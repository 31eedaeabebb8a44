import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { parseInstant } from '../../platform/http/instant.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import {
  drawnEdge,
  drawnEntities,
  drawnNode,
  ENTITY_COLORS,
  MENTION_COLOR,
  RELATION_COLORS,
  TYPE_COLORS,
} from './graph-drawing.js';
import {
  GraphRelationsDto,
  GraphStatsDto,
  GraphTypesDto,
  NeighborsDto,
  NeighborsQuery,
  PathDto,
  PathQueryDto,
  SnapshotDto,
  SnapshotQuery,
} from './graph.dto.js';
import { GraphService } from './graph.service.js';
import { WorkspaceField } from './memory.dto.js';
import { InWorkspace } from './in-workspace.decorator.js';
import { MemoryEdge } from './memory-edge.js';
import { memoryId } from './memory-id.js';
import { memoryDto } from './memory-replies.js';
import { askedTypes } from './memory-types.js';
import { RELATION_MEANINGS, RELATION_TYPES } from './relation-types.js';

/** As many as a drawing has where it is asked for all. */
const ALL = 2_000;

/** The graph of a workspace's memories, for drawing. */
@ApiTags('memory')
@ApiBearerAuth()
@InWorkspace()
@Controller({ path: ['graph', 'v1/graph'] })
export class GraphController {
  constructor(
    private readonly context: TenantContext,
    private readonly edge: MemoryEdge,
    private readonly graph: GraphService,
  ) {}

  @Get('snapshot')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'The most important memories and the relations between them' })
  @ApiResponse({ status: 200, type: SnapshotDto })
  async snapshot(
    @Query() query: SnapshotQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SnapshotDto> {
    const startedAt = performance.now();
    const workspace = await this.edge.workspace(request, response, query);
    const { memories, relations, totals, entities } = await this.graph.snapshot(
      this.context.tenant,
      workspace,
      {
        limit: query.limit === 0 ? ALL : query.limit,
        // PostgreSQL refuses what is too small for its `real`.
        minImportance: Math.fround(query.min_importance),
        types: query.types === undefined || query.types.length === 0 ? null : askedTypes(query.types),
        since: query.since === undefined ? null : parseInstant(query.since),
        entities: query.entities,
      },
    );
    const named = drawnEntities(entities);
    return {
      nodes: [...memories.map(drawnNode), ...named.nodes],
      edges: [...relations.map(drawnEdge), ...named.edges],
      stats: {
        total_nodes: totals.memories,
        total_edges: totals.relations,
        returned_nodes: memories.length,
        returned_edges: relations.length,
        sampled: memories.length < totals.memories,
        sample_ratio: memories.length / Math.max(1, totals.memories),
        ...(query.entities ? { returned_entities: named.nodes.length } : {}),
      },
      meta: metaSince(startedAt, query.entities),
    };
  }

  @Get('neighbors/:id')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'The memories around one: by relations, by what they say, and by what they name' })
  @ApiResponse({ status: 200, type: NeighborsDto })
  async neighbors(
    @Param('id') id: string,
    @Query() query: NeighborsQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<NeighborsDto> {
    const startedAt = performance.now();
    const workspace = await this.edge.workspace(request, response, query);
    const found = await this.graph.neighbors(this.context.tenant, workspace, memoryId(id), {
      depth: query.depth,
      limit: query.limit,
      ...typesOf(query),
      minStrength: query.min_strength,
      semantic: query.include_semantic ? query.semantic_limit : 0,
      entities: query.entities,
    });
    const named = drawnEntities(found.entities);
    return {
      center: drawnNode(found.center),
      graph_neighbors: found.around.map(drawnNode),
      semantic_neighbors: found.alike.map(({ memory, similarity }) => ({
        ...drawnNode(memory),
        similarity: Math.round(similarity * 1e4) / 1e4,
      })),
      ...(query.entities ? { entity_neighbors: found.sharing.map(drawnNode), entities: named.nodes } : {}),
      edges: [...found.relations.map(drawnEdge), ...named.edges],
      meta: { depth: query.depth, query_time_ms: millisecondsSince(startedAt) },
      ...(found.degraded ? { degraded: ['vectors'] } : {}),
    };
  }

  @Get('path')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'The shortest way from one memory to another' })
  @ApiResponse({ status: 200, type: PathDto })
  async path(
    @Query() query: PathQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<PathDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const path = await this.graph.path(this.context.tenant, workspace, {
      from: query.from.toLowerCase(),
      to: query.to.toLowerCase(),
      ...typesOf(query),
      minStrength: query.min_strength,
      depth: query.max_depth,
    });
    const { memories, relations } = 'memories' in path ? path : { memories: [], relations: [] };
    const found = memories.length > 0;
    return {
      status: 'success',
      found,
      length: found ? relations.length : null,
      memories: memories.map(memoryDto),
      relations: relations.map(drawnEdge),
      complete: path.complete,
    };
  }

  @Get('stats')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'How many memories, relations and entities there are, by type' })
  @ApiResponse({ status: 200, type: GraphStatsDto })
  async stats(
    @Query() query: WorkspaceField,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<GraphStatsDto> {
    const startedAt = performance.now();
    const workspace = await this.edge.workspace(request, response, query);
    const { byType, byRelation, byEntity, mentions, importance, activity } = await this.graph.counts(
      this.context.tenant,
      workspace,
    );
    return {
      totals: {
        nodes: sumOf(byType),
        edges: sumOf(byRelation),
        entities: sumOf(byEntity),
        mentions,
      },
      by_type: Object.fromEntries(byType),
      by_relationship: Object.fromEntries(byRelation),
      by_entity: Object.fromEntries(byEntity),
      importance_distribution: importance,
      recent_activity: activity,
      meta: metaSince(startedAt),
    };
  }

  @Get('types')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'The types of memories, and their colours' })
  @ApiResponse({ status: 200, type: GraphTypesDto })
  async types(
    @Query() query: WorkspaceField,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<GraphTypesDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const { byType } = await this.graph.counts(this.context.tenant, workspace);
    return { types: [...new Set([...Object.keys(TYPE_COLORS), ...byType.keys()])], colors: TYPE_COLORS };
  }

  @Get('relations')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'The types of relations: who makes them, what they say, and their colours' })
  @ApiResponse({ status: 200, type: GraphRelationsDto })
  async relations(
    @Query() query: WorkspaceField,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<GraphRelationsDto> {
    await this.edge.workspace(request, response, query);
    return {
      relations: [...RELATION_TYPES],
      colors: RELATION_COLORS,
      details: RELATION_TYPES.map((type) => {
        const { author, says, attributes } = RELATION_MEANINGS[type];
        return { type, author, says, attributes: [...attributes] };
      }),
    };
  }
}

function typesOf({ relationship_types: types }: { relationship_types?: string[] }): { types?: string[] } {
  return types === undefined ? {} : { types: types.map((type) => type.toUpperCase()) };
}

function metaSince(startedAt: number, entities = false) {
  return {
    type_colors: entities ? { ...TYPE_COLORS, ...ENTITY_COLORS } : TYPE_COLORS,
    relation_colors: entities ? { ...RELATION_COLORS, MENTIONS: MENTION_COLOR } : RELATION_COLORS,
    query_time_ms: millisecondsSince(startedAt),
  };
}

function millisecondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 100) / 100;
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
