import { ApiProperty } from '@nestjs/swagger';
import { Num, Nums, OneOf, Text } from '../../platform/http/fields.js';
import { DEFAULT_BUDGET, type CostBudget } from './cost-budgets.service.js';

const ACTIONS = ['block', 'alert_only'] as const;

/** All of it at once: what is left out has its default. */
export class PutCostBudgetDto {
  @Num({ min: 0, max: 1e9, optional: true, nullable: true, description: 'Of a calendar month; null: none' })
  monthly_limit_usd: number | null = DEFAULT_BUDGET.monthly_limit_usd;

  @Nums({ maxItems: 10, each: { min: 0, max: 1 }, optional: true, description: 'Parts of the limit' })
  alert_thresholds: number[] = [...DEFAULT_BUDGET.alert_thresholds];

  @OneOf(ACTIONS, { optional: true, default: DEFAULT_BUDGET.action_on_exceed })
  action_on_exceed: CostBudget['action_on_exceed'] = DEFAULT_BUDGET.action_on_exceed;

  @Text({
    max: 2_048,
    optional: true,
    nullable: true,
    description: 'Told when a threshold is passed: an https URL',
  })
  webhook_url: string | null = DEFAULT_BUDGET.webhook_url;
}

export class CostBudgetDto {
  @ApiProperty({ type: Number, nullable: true }) monthly_limit_usd!: number | null;
  @ApiProperty({ type: [Number] }) alert_thresholds!: number[];
  @ApiProperty({ type: String, enum: [...ACTIONS] }) action_on_exceed!: CostBudget['action_on_exceed'];
  @ApiProperty({ type: String, nullable: true }) webhook_url!: string | null;
}
