import { Module } from '@nestjs/common';
import { MemoryModule } from '../memory/memory.module.js';
import { PoliciesModule } from '../policies/policies.module.js';
import { RetentionController } from './retention.controller.js';
import { Retention } from './retention.service.js';

/** Deleting what a tenant wants kept no longer. */
@Module({
  imports: [MemoryModule, PoliciesModule],
  controllers: [RetentionController],
  providers: [Retention],
})
export class RetentionModule {}
