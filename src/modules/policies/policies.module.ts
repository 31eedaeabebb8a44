import { Module } from '@nestjs/common';
import { ChatModels } from '../../models/chat-models.js';
import { CostBudgetController } from './cost-budget.controller.js';
import { CostBudgetsService } from './cost-budgets.service.js';
import { LlmProfileController } from './llm-profile.controller.js';
import { LlmProfilesService } from './llm-profiles.service.js';
import { RetentionPoliciesController } from './retention-policies.controller.js';
import { RetentionPoliciesService } from './retention-policies.service.js';
import { TenantChatModels } from './tenant-chat-models.service.js';

/** What a tenant has decided for itself: how long it keeps what, whose models answer, and what may be spent. */
@Module({
  controllers: [RetentionPoliciesController, LlmProfileController, CostBudgetController],
  providers: [
    RetentionPoliciesService,
    LlmProfilesService,
    CostBudgetsService,
    { provide: ChatModels, useClass: TenantChatModels },
  ],
  exports: [RetentionPoliciesService, LlmProfilesService, CostBudgetsService, ChatModels],
})
export class PoliciesModule {}
