import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ForScope } from '../../tenancy/access.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { PutRetentionPoliciesDto, RetentionPoliciesDto } from './retention-policies.dto.js';
import { RetentionPoliciesService } from './retention-policies.service.js';

@ApiTags('tenant')
@ApiBearerAuth()
@ForScope('manage')
@Controller('v1/tenants/current/retention-policies')
export class RetentionPoliciesController {
  constructor(
    private readonly context: TenantContext,
    private readonly policies: RetentionPoliciesService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'How long this tenant keeps what' })
  @ApiResponse({ status: 200, type: RetentionPoliciesDto })
  get(): Promise<RetentionPoliciesDto> {
    return this.policies.get(this.context.tenant);
  }

  @Put()
  @ApiOperation({ summary: 'Say how long this tenant keeps what; a class that is left out has its default' })
  @ApiResponse({ status: 200, type: RetentionPoliciesDto })
  put(@Body() dto: PutRetentionPoliciesDto): Promise<RetentionPoliciesDto> {
    const cause = this.context.cause(() => ({ status: 200, body: null }));
    return this.policies.put(this.context.tenant, { ...dto }, cause);
  }
}
