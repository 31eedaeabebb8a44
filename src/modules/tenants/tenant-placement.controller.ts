import { Body, Controller, Get, Param, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Text } from '../../platform/http/fields.js';
import { ForOperator } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { TenantMove, type PlacementProgress } from './tenant-move.service.js';

class MoveTenantDto {
  @Text({ max: 48, description: 'A placement that this installation knows' })
  placement!: string;
}

class MoveProgressDto {
  @ApiProperty({ type: Number, description: "The tenant's" }) revision!: number;
  @ApiProperty({ type: Number, description: 'Up to where the new vectors are' }) vectors!: number;
  @ApiProperty({ type: Number, description: 'Up to where the new graph is' }) graph!: number;
  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Up to where the copy of the ledger is; null where that stays in its database',
  })
  ledger!: number | null;
}

class TenantPlacementDto {
  @ApiProperty({ type: String, description: 'Where the tenant is served' }) placement!: string;
  @ApiProperty({ type: String, enum: ['settled', 'moving'] }) state!: 'settled' | 'moving';
  @ApiProperty({ type: String, nullable: true }) moving_to!: string | null;
  @ApiProperty({ type: MoveProgressDto, nullable: true }) progress!: MoveProgressDto | null;
}

/** Where a tenant's projections are held. */
@ApiTags('operators')
@ApiBearerAuth()
@ForOperator()
@Controller('admin/tenants/:tenant/placement')
export class TenantPlacementController {
  constructor(
    private readonly context: TenantContext,
    private readonly moves: TenantMove,
  ) {}

  @IdempotentPost()
  @ApiOperation({ summary: 'Move a tenant to another placement while it serves' })
  @ApiResponse({ status: 202, type: TenantPlacementDto })
  @ApiResponse({ status: 200, type: TenantPlacementDto, description: 'It is there already' })
  async move(
    @Param('tenant') ref: string,
    @Body() dto: MoveTenantDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TenantPlacementDto> {
    const progress = await this.moves.begin(ref, dto.placement, this.context.request.requestId);
    response.status(progress.movingTo === null ? 200 : 202);
    return placementDto(progress);
  }

  @Get()
  @ApiOperation({ summary: 'Where a tenant is, and how far it is on its way' })
  @ApiResponse({ status: 200, type: TenantPlacementDto })
  async get(@Param('tenant') ref: string): Promise<TenantPlacementDto> {
    return placementDto(await this.moves.progress(ref));
  }
}

function placementDto({ placement, movingTo, progress }: PlacementProgress): TenantPlacementDto {
  return { placement, state: movingTo === null ? 'settled' : 'moving', moving_to: movingTo, progress };
}
