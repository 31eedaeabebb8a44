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
import { DomainError, type FieldError } from '../../platform/errors/domain-error.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { readItem } from '../../platform/http/validation.js';
import type { Masked } from '../../platform/scrub/scrub.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { InWorkspace } from './in-workspace.decorator.js';
import { MemoryEdge } from './memory-edge.js';
import { memoryId } from './memory-id.js';
import { memoryDto, scrubbedDto } from './memory-replies.js';
import { MemoryNotFound, RelationInvalid, RelationReserved } from './memory.errors.js';
import { fittingAttributes, isAuthorable, RELATION_TYPES } from './relation-types.js';
import type { RelationDraft } from './relation-rows.js';
import {
  AssociateDto,
  AssociatedManyDto,
  AssociatedOneDto,
  AssociationDto,
  RelatedDtoQuery,
  RelatedMemoriesDto,
  type RefusedAssociationDto,
} from './relations.dto.js';
import { RelationsService, type Associated } from './relations.service.js';

/** Relations between memories. */
@ApiTags('memory')
@ApiBearerAuth()
@ApiExtraModels(AssociatedOneDto, AssociatedManyDto)
@InWorkspace()
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
    const read = readAssociations(this.edge, dto);
    const drafts = read.good.map(({ draft }) => draft);
    const answer = (associated: Associated) =>
      dto.associations === undefined ? oneAnswer(associated, read) : manyAnswer(associated, read);
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
    const { max_depth: depth, limit, min_strength: minStrength } = query;
    const types = query.relationship_types?.map((type) => type.toUpperCase());
    const related = await this.relations.related(this.context.tenant, workspace, memoryId(id), {
      ...(types === undefined ? {} : { types }),
      minStrength,
      depth,
      limit,
    });
    return {
      status: 'success',
      memory_id: memoryId(id),
      count: related.length,
      related_memories: related.map(({ memory, relation, depth }) => ({
        ...memoryDto(memory),
        relation_type: relation.type,
        relation_strength: Number(relation.strength.toPrecision(7)),
        relation_attributes: relation.attributes,
        relation_id: relation.id,
        depth,
      })),
      relationship_types: types ?? [...RELATION_TYPES],
      max_depth: depth,
      limit,
    };
  }
}

interface ReadAssociation {
  draft: RelationDraft;
  /** The attributes that its type has no place for. */
  ignored: string[];
  /** Where it stood in the request. */
  index: number;
}

interface ReadAssociations {
  good: ReadAssociation[];
  refused: RefusedAssociationDto[];
  masked: Masked[];
}

/** Throws `RequestInvalid` where none can be made, and for a single one whatever `readOne` throws. */
function readAssociations(edge: MemoryEdge, dto: AssociateDto): ReadAssociations {
  const { associations, workspace_id: _, project: __, ...single } = dto;
  const masked: Masked[] = [];
  const keep = ({ draft, ...read }: ReadAssociation, at: string): ReadAssociation => ({
    ...read,
    draft: { ...draft, attributes: edge.attributes(draft.attributes, at, masked) },
  });
  if (associations === undefined)
    return { good: [keep(readOne(single, 'body', 0), '')], refused: [], masked };
  if (Object.values(single).some((value) => value !== undefined)) {
    throw new RequestInvalid([
      { location: 'body', message: 'takes one association or `associations`, not both' },
    ]);
  }
  const read: ReadAssociations = { good: [], refused: [], masked };
  const errors: FieldError[] = [];
  for (const [index, item] of associations.entries()) {
    const at = `body.associations[${index}]`;
    try {
      read.good.push(keep(readOne(item, at, index), `associations[${index}].`));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { code, message, details } = error;
      read.refused.push({ index, code, error: message });
      errors.push(...(details.errors ?? [{ location: at, message }]));
    }
  }
  if (read.good.length === 0) throw new RequestInvalid(errors);
  return read;
}

/** Throws `RequestInvalid`, `RelationReserved`, or `RelationInvalid` where it relates a memory to itself. */
function readOne(item: object, at: string, index: number): ReadAssociation {
  const { dto, errors } = readItem(AssociationDto, definedOf(item), at);
  if (errors !== null) throw new RequestInvalid(errors);
  const { memory1_id, memory2_id, type, strength, ...given } = dto;
  if (!isAuthorable(type)) throw new RelationReserved(type);
  const [from, to] = [memory1_id.toLowerCase(), memory2_id.toLowerCase()];
  if (from === to) throw new RelationInvalid();
  const { kept: attributes, ignored } = fittingAttributes(type, definedOf(given));
  return { draft: { from, to, type, strength: Math.fround(strength), attributes }, ignored, index };
}

function isRefusal(error: unknown): error is DomainError {
  return error instanceof DomainError;
}

/** An absent field and one that is null are the same. */
function definedOf<Fields extends object>(fields: Fields): Fields {
  const defined = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(defined) as Fields;
}

/** Throws `MemoryNotFound`. */
function oneAnswer(
  { outcomes: [outcome], indexed }: Associated,
  { good: [read], masked }: ReadAssociations,
): { status: number; body: AssociatedOneDto } {
  if (outcome?.outcome !== 'related') throw new MemoryNotFound();
  const ignored = read?.ignored ?? [];
  return {
    status: 201,
    body: {
      status: 'success',
      message: 'Associated',
      relation_id: outcome.id,
      ignored,
      indexed,
      ...scrubbedDto(masked),
    },
  };
}

function manyAnswer(
  { outcomes, indexed }: Associated,
  { good, refused, masked }: ReadAssociations,
): { status: number; body: AssociatedManyDto } {
  const succeeded: AssociatedManyDto['succeeded'] = [];
  const failed = [...refused];
  for (const [i, { draft, ignored, index }] of good.entries()) {
    const outcome = outcomes[i];
    const ends = { memory1_id: draft.from, memory2_id: draft.to, type: draft.type };
    if (outcome?.outcome === 'related') succeeded.push({ index, ...ends, relation_id: outcome.id, ignored });
    else failed.push({ index, ...ends, code: 'memory.not_found', error: new MemoryNotFound().message });
  }
  const body: AssociatedManyDto = {
    status: failed.length === 0 ? 'success' : 'partial',
    created_count: succeeded.length,
    unchanged_count: outcomes.filter((each) => each.outcome === 'related' && !each.changed).length,
    failed_count: failed.length,
    succeeded,
    failed: failed.toSorted((a, b) => a.index - b.index),
    indexed,
    ...scrubbedDto(masked),
  };
  return { status: failed.length === 0 ? 201 : 207, body };
}
