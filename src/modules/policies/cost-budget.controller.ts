import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { GuardedFetch } from '../../platform/outgoing/guarded-fetch.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { CostBudgetDto, PutCostBudgetDto } from './cost-budget.dto.js';
import { CostBudgetsService } from './cost-budgets.service.js';
import { checkAddress } from './outgoing-address.js';

@ApiTags('tenant')
@ApiBearerAuth()
@ForScope('manage')
@Controller('v1/tenants/current/cost-budget')
export class CostBudgetController {
  constructor(
    private readonly context: TenantContext,
    private readonly budgets: CostBudgetsService,
    private readonly fetch: GuardedFetch,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What this tenant lets its models cost in a month' })
  @ApiResponse({ status: 200, type: CostBudgetDto })
  get(): Promise<CostBudgetDto> {
    return this.budgets.get(this.context.tenant);
  }

  @Put()
  @ApiOperation({ summary: 'Say what this tenant lets its models cost; what is left out has its default' })
  @ApiResponse({ status: 200, type: CostBudgetDto })
  put(@Body() dto: PutCostBudgetDto): Promise<CostBudgetDto> {
    checkAddress(this.fetch, 'body.webhook_url', dto.webhook_url);
    const cause = this.context.cause(() => ({ status: 200, body: null }));
    return this.budgets.put(this.context.tenant, { ...dto }, cause);
  }
}
