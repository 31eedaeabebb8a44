import { Body, Controller, Delete, Get, Param, Patch, Put, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { KeptAnswer } from '../../ledger/idempotency.js';
import { readCursor, writeCursor } from '../../platform/http/cursor.js';
import { parseInstant } from '../../platform/http/instant.js';
import type { Masked } from '../../platform/scrub/scrub.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { readBatch } from './memory-batch.js';
import { memoryId } from './memory-id.js';
import { InWorkspace } from './in-workspace.decorator.js';
import { MemoryEdge } from './memory-edge.js';
import { MemoryEditorService } from './memory-editor.service.js';
import { ByTagDto, DeleteByTagDto, ListMemoriesDto } from './memory-query.dto.js';
import { MemoryReaderService, type ListFilter } from './memory-reader.service.js';
import { batchDto, memoryDto, scrubbedDto, storedDto } from './memory-replies.js';
import { askedTypes } from './memory-types.js';
import { MemoryStoreService } from './memory-store.service.js';
import {
  DeletedByTagDto,
  DeletedMemoryDto,
  EditedMemoryDto,
  EditMemoryDto,
  MemoriesByTagDto,
  MemoryHistoryDto,
  MemoryListDto,
  OneMemoryDto,
  RefusedMemoryDto,
  StoreBatchDto,
  StoredBatchDto,
  StoredMemoryDto,
  StoreMemoryDto,
  WorkspaceField,
} from './memory.dto.js';
import { MemoryConflict } from './memory.errors.js';
import type { Stored } from './memory.js';

/** Storing, reading, changing and deleting memories. At the root for AutoMem's clients, and under `/v1`. */
@ApiTags('memory')
@ApiBearerAuth()
@InWorkspace()
@Controller({ path: ['', 'v1'] })
export class MemoryController {
  constructor(
    private readonly context: TenantContext,
    private readonly edge: MemoryEdge,
    private readonly memories: MemoryStoreService,
    private readonly reader: MemoryReaderService,
    private readonly editor: MemoryEditorService,
  ) {}

  @IdempotentPost('memory')
  @ForScope('memory:write')
  @ApiOperation({ summary: 'Store a memory' })
  @ApiResponse({ status: 201, type: StoredMemoryDto })
  @ApiResponse({ status: 200, type: StoredMemoryDto, description: 'It was there already' })
  async store(
    @Body() dto: StoreMemoryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<StoredMemoryDto> {
    const { tenant } = this.context;
    const workspace = await this.edge.workspace(request, response, dto);
    const masked: Masked[] = [];
    const draft = this.edge.draft(dto, 'body', masked);
    const answer = ({ outcomes: [outcome], indexed }: Stored): { status: number; body: StoredMemoryDto } => {
      if (outcome === undefined) throw new Error('A memory was stored without an outcome');
      if (outcome.outcome === 'conflict') throw new MemoryConflict(outcome.id);
      const body = { ...storedDto(tenant, workspace, outcome, indexed), ...scrubbedDto(masked) };
      return { status: outcome.outcome === 'stored' ? 201 : 200, body };
    };
    const stored = await this.memories.store(tenant, workspace, [draft], this.context.cause(answer));
    const { status, body } = answer(stored);
    response.status(status);
    return body;
  }

  @IdempotentPost('memory/batch')
  @ForScope('memory:write')
  @ApiOperation({ summary: 'Store up to 500 memories in one transaction' })
  @ApiResponse({ status: 201, type: StoredBatchDto })
  @ApiResponse({
    status: 207,
    type: StoredBatchDto,
    description: 'Some were refused, each named with its reasons',
  })
  async storeBatch(
    @Body() dto: StoreBatchDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<StoredBatchDto> {
    const { tenant } = this.context;
    const workspace = await this.edge.workspaceOfBatch(request, response, dto, dto.memories);
    const masked: Masked[] = [];
    const { drafts, places, refused } = readBatch(this.edge, dto, masked);
    const answer = (stored: Stored): { status: number; body: StoredBatchDto } => {
      const conflicts = stored.outcomes.flatMap(({ outcome, id }, i): RefusedMemoryDto[] =>
        outcome === 'conflict'
          ? [{ index: places[i] ?? 0, code: 'memory.conflict', detail: new MemoryConflict(id).message }]
          : [],
      );
      const body = {
        ...batchDto(tenant, workspace, stored, [...refused, ...conflicts]),
        ...scrubbedDto(masked),
      };
      return { status: body.failed.length === 0 ? 201 : 207, body };
    };
    const stored = await this.memories.store(tenant, workspace, drafts, this.context.cause(answer));
    const { status, body } = answer(stored);
    response.status(status);
    return body;
  }

  @Get('memory/by-tag')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'Memories that have any of these tags, newest first' })
  @ApiResponse({ status: 200, type: MemoriesByTagDto })
  async byTag(
    @Query() query: ByTagDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<MemoriesByTagDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const filter: ListFilter = { tags: { values: query.tags, mode: 'any' } };
    const page = await this.list(workspace, filter, query);
    return {
      status: 'success',
      tags: query.tags,
      count: page.data.length,
      has_more: page.next_cursor !== null,
      next_cursor: page.next_cursor,
      memories: page.data,
    };
  }

  @Delete('memory/by-tag')
  @ForScope('memory:write')
  @ApiOperation({ summary: 'Delete every memory that has any of these tags' })
  @ApiResponse({ status: 200, type: DeletedByTagDto })
  async deleteByTag(
    @Query() query: DeleteByTagDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DeletedByTagDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const { tenant } = this.context;
    const { ids } = await this.editor.removeByTag(tenant, workspace, query.tags, this.context.cause(done));
    return { status: 'success', tags: query.tags, deleted_count: ids.length, memory_ids: ids };
  }

  @Get('memory/:id')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'One memory' })
  @ApiResponse({ status: 200, type: OneMemoryDto })
  async get(
    @Param('id') id: string,
    @Query() query: WorkspaceField,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<OneMemoryDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const [memory, derived] = await Promise.all([
      this.reader.get(this.context.tenant, workspace, memoryId(id)),
      this.reader.derived(this.context.tenant, workspace, memoryId(id)),
    ]);
    return { status: 'success', memory: { ...memoryDto(memory), ...derived } };
  }

  @Get('memory/:id/history')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'What a memory was before each edit' })
  @ApiResponse({ status: 200, type: MemoryHistoryDto })
  async history(
    @Param('id') id: string,
    @Query() query: WorkspaceField,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<MemoryHistoryDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const past = await this.reader.history(this.context.tenant, workspace, memoryId(id));
    return {
      status: 'success',
      memory_id: memoryId(id),
      history: past.map(({ revision, replacedAt, memory }) => ({
        revision,
        replaced_at: replacedAt.toISOString(),
        memory: memoryDto(memory),
      })),
    };
  }

  @Patch('memory/:id')
  @ForScope('memory:write')
  @ApiOperation({ summary: 'Change a memory; what it was is kept in its history' })
  @ApiResponse({ status: 200, type: EditedMemoryDto })
  async edit(
    @Param('id') id: string,
    @Body() dto: EditMemoryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<EditedMemoryDto> {
    const workspace = await this.edge.workspace(request, response, dto);
    const masked: Masked[] = [];
    const edit = this.edge.edit(dto, masked);
    const { tenant } = this.context;
    const edited = await this.editor.update(tenant, workspace, memoryId(id), edit, this.context.cause(done));
    return {
      status: 'success',
      memory_id: edited.memory.id,
      indexed: edited.indexed,
      memory: memoryDto(edited.memory),
      ...scrubbedDto(masked),
    };
  }

  @Put('memory/:id')
  @ForScope('memory:write')
  @ApiOperation({ summary: 'The same as PATCH: what is not named stays' })
  @ApiResponse({ status: 200, type: EditedMemoryDto })
  replace(
    @Param('id') id: string,
    @Body() dto: EditMemoryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<EditedMemoryDto> {
    return this.edit(id, dto, request, response);
  }

  @Delete('memory/:id')
  @ForScope('memory:write')
  @ApiOperation({ summary: 'Delete a memory with its history and vectors' })
  @ApiResponse({ status: 200, type: DeletedMemoryDto })
  async remove(
    @Param('id') id: string,
    @Query() query: WorkspaceField,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DeletedMemoryDto> {
    const workspace = await this.edge.workspace(request, response, query);
    await this.editor.remove(this.context.tenant, workspace, memoryId(id), this.context.cause(done));
    return { status: 'success', memory_id: memoryId(id) };
  }

  @Get('memories')
  @ForScope('memory:read')
  @ApiOperation({ summary: 'Memories, newest first' })
  @ApiResponse({ status: 200, type: MemoryListDto })
  async listAll(
    @Query() query: ListMemoriesDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<MemoryListDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const from = query.start === undefined ? null : parseInstant(query.start);
    const until = query.end === undefined ? null : parseInstant(query.end);
    const filter: ListFilter = {
      ...(query.tags === undefined ? {} : { tags: { values: query.tags, mode: query.tag_mode } }),
      ...(query.types === undefined ? {} : { types: askedTypes(query.types) }),
      ...(query.session_id === undefined ? {} : { session: query.session_id }),
      ...(query.user_id === undefined ? {} : { user: query.user_id }),
      ...(query.agent_id === undefined ? {} : { agent: query.agent_id }),
      ...(from === null ? {} : { from }),
      ...(until === null ? {} : { until }),
    };
    return this.list(workspace, filter, query);
  }

  private async list(
    workspace: WorkspaceId,
    filter: ListFilter,
    { limit, cursor, offset = 0 }: { limit: number; cursor?: string; offset?: number },
  ): Promise<MemoryListDto> {
    const place = cursor === undefined ? null : readCursor(cursor);
    const after = place === null ? null : { timestamp: place.time, id: place.id };
    const { tenant } = this.context;
    const { memories, next } = await this.reader.list(tenant, workspace, filter, limit, after, offset);
    return {
      data: memories.map(memoryDto),
      next_cursor: next === null ? null : writeCursor({ time: next.timestamp, id: next.id }),
    };
  }
}

/** For methods other than POST, which take no `Idempotency-Key`. */
function done(): KeptAnswer {
  return { status: 200, body: null };
}
