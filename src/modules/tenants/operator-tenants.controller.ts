import { Body, Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { ForOperator } from '../../tenancy/access.decorator.js';
import { ShowsSecret } from '../../tenancy/idempotency.interceptor.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantDesk } from './tenant-desk.js';
import { provisionedDto } from './tenant-replies.js';
import {
  ListTenantsDto,
  ProvisionedTenantDto,
  ProvisionTenantDto,
  TenantListDto,
  TenantStatsDto,
} from './tenants.dto.js';

/** The operator's routes for tenants under the name that other systems have for them. */
@ApiTags('operators')
@ApiBearerAuth()
@ForOperator()
@Controller('v1/tenants')
export class OperatorTenantsController {
  constructor(private readonly desk: TenantDesk) {}

  @IdempotentPost()
  @ShowsSecret()
  @ApiOperation({ summary: 'The same as POST /admin/tenants' })
  @ApiResponse({ status: 201, type: ProvisionedTenantDto })
  @ApiResponse({ status: 200, type: ProvisionedTenantDto, description: 'It was provisioned before' })
  async provision(
    @Body() dto: ProvisionTenantDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ProvisionedTenantDto> {
    const made = await this.desk.provision(dto);
    response.status(made.key === null ? 200 : 201);
    return provisionedDto(this.desk.show(made.tenant), made);
  }

  @Get()
  @ApiOperation({ summary: 'The same as GET /admin/tenants' })
  @ApiResponse({ status: 200, type: TenantListDto })
  list(@Query() query: ListTenantsDto): Promise<TenantListDto> {
    return this.desk.list(query);
  }

  @Get(':tenant/stats')
  @ApiOperation({ summary: 'The same as GET /admin/tenants/:tenant/stats' })
  @ApiResponse({ status: 200, type: TenantStatsDto })
  stats(@Param('tenant') ref: string): Promise<TenantStatsDto> {
    return this.desk.stats(ref);
  }
}
