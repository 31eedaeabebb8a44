import { Module } from '@nestjs/common';
import { EventsModule } from '../events/events.module.js';
import { Deliveries } from './deliveries.service.js';
import { DueWebhooks } from './due-webhooks.js';
import { TriggerFollower } from './trigger-follower.service.js';
import { TriggersController } from './triggers.controller.js';
import { Triggers } from './triggers.service.js';
import { WebhookSender } from './webhook-sender.service.js';

/** What a tenant has done when something happens to what it stores. */
@Module({
  imports: [EventsModule],
  controllers: [TriggersController],
  providers: [Deliveries, DueWebhooks, TriggerFollower, Triggers, WebhookSender],
})
export class TriggersModule {}
