import { Body, Controller, Get, HttpCode, Param, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { readCursor, writeCursor } from '../../platform/http/cursor.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { memoryId } from './memory-id.js';
import { InWorkspace } from './in-workspace.decorator.js';
import { MemoryEdge } from './memory-edge.js';
import { RESTORABLE_DAYS } from './memory-removal.js';
import { memoryDto } from './memory-replies.js';
import { DeletedListDto, ListDeletedDto } from './memory-restoring.dto.js';
import { MemoryRestoring } from './memory-restoring.service.js';
import { EditedMemoryDto, WorkspaceField } from './memory.dto.js';
import type { Memory } from './memory.js';

const DAY_MS = 86_400_000;

/** What retention and forgetting took away, and the way back. */
@ApiTags('memory')
@ApiBearerAuth()
@InWorkspace()
@Controller({ path: ['', 'v1'] })
export class MemoryRestoringController {
  constructor(
    private readonly context: TenantContext,
    private readonly edge: MemoryEdge,
    private readonly restoring: MemoryRestoring,
  ) {}

  @Get('memories/deleted')
  @ForScope('memory:read')
  @ApiOperation({
    summary: 'What retention and forgetting have deleted and can be restored, the latest first',
  })
  @ApiResponse({ status: 200, type: DeletedListDto })
  async deleted(
    @Query() query: ListDeletedDto,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DeletedListDto> {
    const workspace = await this.edge.workspace(request, response, query);
    const after = query.cursor === undefined ? null : readCursor(query.cursor);
    const { limit } = query;
    const found = await this.restoring.deleted(this.context.tenant, workspace, limit + 1, after);
    const shown = found.slice(0, limit);
    const last = found.length > limit ? shown.at(-1) : undefined;
    return {
      data: shown.map(({ id, type, reason, deletedAt }) => ({
        memory_id: id,
        type,
        reason,
        deleted_at: deletedAt.toISOString(),
        restorable_until: new Date(deletedAt.getTime() + RESTORABLE_DAYS * DAY_MS).toISOString(),
      })),
      next_cursor: last === undefined ? null : writeCursor({ time: last.deletedAt, id: last.id }),
    };
  }

  @IdempotentPost('memory/:id/restore')
  @HttpCode(200)
  @ForScope('memory:write')
  @ApiOperation({ summary: 'Bring back a memory that was archived, or deleted by retention or forgetting' })
  @ApiResponse({ status: 200, type: EditedMemoryDto })
  async restore(
    @Param('id') id: string,
    @Body() dto: WorkspaceField,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<EditedMemoryDto> {
    const workspace = await this.edge.workspace(request, response, dto);
    const reply = ({ memory, indexed }: { memory: Memory; indexed: boolean }): EditedMemoryDto => ({
      status: 'success',
      memory_id: memory.id,
      indexed,
      memory: memoryDto(memory),
    });
    const cause = this.context.cause((done: { memory: Memory }) => ({
      status: 200,
      body: reply({ ...done, indexed: false }),
    }));
    return reply(await this.restoring.restore(this.context.tenant, workspace, memoryId(id), cause));
  }
}
