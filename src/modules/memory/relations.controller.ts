import { Body, Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiExtraModels,
  ApiOperation,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { readItem } from '../../platform/http/validation.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { MemoryEdge } from './memory-edge.js';
import { memoryId } from './memory-id.js';
import { memoryDto } from './memory-replies.js';
import { MemoryNotFound, RelationInvalid } from './memory.errors.js';
import {
  AssociateDto,
  AssociatedManyDto,
  AssociatedOneDto,
  AssociationDto,
  RelatedDtoQuery,
  RelatedMemoriesDto,
  type RefusedAssociationDto,
} from './relations.dto.js';
import { RelationsService, type Associated, type RelationDraft } from './relations.service.js';

/** Relations between memories. */
@ApiTags('memory')
@ApiBearerAuth()
@ApiExtraModels(AssociatedOneDto, AssociatedManyDto)
@Controller({ path: ['', 'v1'] })
export class RelationsController {
  constructor(
    private readonly context: TenantContext,
    private readonly edge: MemoryEdge,
    private readonly relations: RelationsService,
  ) {}

  @IdempotentPost('associate')
  @ForScope('memory:write')
  @ApiOperation({ summary: 'Relate two memories, or up to 500 pairs at once' })
  @ApiResponse({
    status: 201,
    schema: {
      oneOf: [{ $ref: getSchemaPath(AssociatedOneDto) }, { $ref: getSchemaPath(AssociatedManyDto) }],
    },
  })
  @ApiResponse({
    status: 207,
    type: AssociatedManyDto,
    description: 'Some were refused, each named with its reason',
  })
  async associate(
    @Body() dto: AssociateDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<AssociatedOneDto | AssociatedManyDto> {
    const workspace = await this.edge.workspace(request, response, dto);
    const { tenant } = this.context;
    const { drafts, places, refused } = readAssociations(dto);
    const answer = (associated: Associated) =>
      dto.associations === undefined
        ? oneAnswer(associated)
        : manyAnswer(associated, drafts, places, refused);
    const cause = this.context.cause(answer);
    const { status, body } = answer(await this.relations.associate(tenant, workspace, drafts, cause));
    response.status(status);
    return body;
  }

  @Get('memories/:id/related')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'The memories around one, nearest first' })
  @ApiResponse({ status: 200, type: RelatedMemoriesDto })
  async related(
    @Param('id') id: string,
    @Query() query: RelatedDtoQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RelatedMemoriesDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const related = await this.relations.related(this.context.tenant, workspace, memoryId(id), {
      ...(query.relationship_types === undefined ? {} : { types: query.relationship_types }),
      depth: query.max_depth,
      limit: query.limit,
    });
    return {
      status: 'success',
      memory_id: memoryId(id),
      count: related.length,
      related_memories: related.map(({ memory, relation, depth }) => ({
        ...memoryDto(memory),
        relation_type: relation.type,
        relation_strength: Number(relation.strength.toPrecision(7)),
        depth,
      })),
    };
  }
}

interface ReadAssociations {
  drafts: RelationDraft[];
  /** Where each draft stood in the request. */
  places: number[];
  refused: RefusedAssociationDto[];
}

/** Throws `RequestInvalid` where none can be made, `RelationInvalid` for a single one that relates a memory to itself. */
function readAssociations(dto: AssociateDto): ReadAssociations {
  const { associations, memory1_id, memory2_id, type, strength } = dto;
  if (associations !== undefined) {
    if (memory1_id !== undefined || memory2_id !== undefined) {
      throw new RequestInvalid([
        { location: 'body', message: 'takes one association or `associations`, not both' },
      ]);
    }
    return readMany(associations);
  }
  const single = { memory1_id, memory2_id, type, ...(strength === undefined ? {} : { strength }) };
  const read = readItem(AssociationDto, single, 'body');
  if (read.errors !== null) throw new RequestInvalid(read.errors);
  const draft = draftOf(read.dto);
  if (draft.from === draft.to) throw new RelationInvalid();
  return { drafts: [draft], places: [0], refused: [] };
}

function readMany(associations: Record<string, unknown>[]): ReadAssociations {
  const read: ReadAssociations = { drafts: [], places: [], refused: [] };
  const errors = associations.flatMap((item, index) => {
    const { dto, errors: faults } = readItem(AssociationDto, item, `body.associations[${index}]`);
    const draft = dto === null ? null : draftOf(dto);
    if (draft !== null && draft.from !== draft.to) {
      read.drafts.push(draft);
      read.places.push(index);
      return [];
    }
    const refusal = faults === null ? new RelationInvalid() : new RequestInvalid(faults);
    read.refused.push({ index, code: refusal.code, error: refusal.message });
    return faults ?? [{ location: `body.associations[${index}]`, message: refusal.message }];
  });
  if (read.drafts.length === 0) throw new RequestInvalid(errors);
  return read;
}

function draftOf({ memory1_id: from, memory2_id: to, type, strength }: AssociationDto): RelationDraft {
  return { from: from.toLowerCase(), to: to.toLowerCase(), type, strength: Math.fround(strength) };
}

/** Throws `MemoryNotFound`. */
function oneAnswer({ outcomes: [outcome], indexed }: Associated): { status: number; body: AssociatedOneDto } {
  if (outcome?.outcome !== 'related') throw new MemoryNotFound();
  return {
    status: 201,
    body: { status: 'success', message: 'Associated', relation_id: outcome.id, indexed },
  };
}

function manyAnswer(
  { outcomes, indexed }: Associated,
  drafts: RelationDraft[],
  places: number[],
  refused: RefusedAssociationDto[],
): { status: number; body: AssociatedManyDto } {
  const succeeded: AssociatedManyDto['succeeded'] = [];
  const failed = [...refused];
  outcomes.forEach((outcome, i) => {
    const index = places[i] ?? 0;
    const draft = drafts[i];
    if (draft === undefined) return;
    const ends = { memory1_id: draft.from, memory2_id: draft.to, type: draft.type };
    if (outcome.outcome === 'related') succeeded.push({ index, ...ends, relation_id: outcome.id });
    else failed.push({ index, ...ends, code: 'memory.not_found', error: new MemoryNotFound().message });
  });
  const body: AssociatedManyDto = {
    status: failed.length === 0 ? 'success' : 'partial',
    created_count: succeeded.length,
    unchanged_count: outcomes.filter((each) => each.outcome === 'related' && !each.changed).length,
    failed_count: failed.length,
    succeeded,
    failed: failed.toSorted((a, b) => a.index - b.index),
    indexed,
  };
  return { status: failed.length === 0 ? 201 : 207, body };
}
