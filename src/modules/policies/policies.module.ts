import { Module } from '@nestjs/common';
import { RetentionPoliciesController } from './retention-policies.controller.js';
import { RetentionPoliciesService } from './retention-policies.service.js';

/** What a tenant has decided for itself: how long it keeps what, whose models answer, and what may be spent. */
@Module({
  controllers: [RetentionPoliciesController],
  providers: [RetentionPoliciesService],
})
export class PoliciesModule {}
