import { ApiProperty, PartialType } from '@nestjs/swagger';
import {
  Flag,
  Fraction,
  Int,
  ListOf,
  Nested,
  OneOf,
  Tags,
  Text,
  Texts,
  Uuid,
  Uuids,
} from '../../platform/http/fields.js';
import { AUTHORABLE_TYPES, type RelationType } from '../memory/relation-types.js';
import type { DeliveryState } from './delivery-rows.js';
import { TRIGGER_EVENTS, type TriggerEvent } from './trigger-rule.js';
import { WEBHOOK_SECRET } from './webhook-signature.js';

export const DELIVERY_STATES = ['waiting', 'delivered', 'failed'] as const satisfies readonly DeliveryState[];

/** What holds of an event that a trigger acts on. What is left out holds of every one. */
export class TriggerConditionDto {
  @OneOf(TRIGGER_EVENTS)
  event!: TriggerEvent;

  @Tags({ min: 1, optional: true, description: 'The memory has any of them' })
  tags?: string[];

  @Texts({
    min: 1,
    max: 20,
    each: { max: 64 },
    optional: true,
    description: "The memory's, or the relation's",
  })
  types?: string[];

  @Uuid({ optional: true, description: 'Absent: every workspace' })
  workspace_id?: string;

  @Fraction({ optional: true })
  min_importance?: number;

  @Text({ max: 256, optional: true, description: 'The content holds it, in capitals or not' })
  match?: string;
}

export class TriggerWebhookDto {
  @Text({ max: 2_048, description: 'Told by POST, with the signature of Standard Webhooks' })
  url!: string;

  @Text({
    max: 100,
    pattern: WEBHOOK_SECRET,
    optional: true,
    description:
      'Kept encrypted, never shown. Absent: one is made and shown once, unless the URL stays as it was',
  })
  secret?: string;
}

export class TriggerRelateDto {
  @Uuid({ description: 'A memory of the same workspace' })
  to!: string;

  @OneOf(AUTHORABLE_TYPES, { optional: true, default: 'RELATES_TO' })
  type: RelationType = 'RELATES_TO';

  @Fraction({ optional: true, default: 0.5 })
  strength = 0.5;
}

/** One of the three. */
export class TriggerActionDto {
  @Nested(() => TriggerWebhookDto, { optional: true })
  webhook?: TriggerWebhookDto;

  @Tags({ min: 1, optional: true })
  tag?: string[];

  @Nested(() => TriggerRelateDto, { optional: true })
  relate?: TriggerRelateDto;
}

export class CreateTriggerDto {
  @Text({ max: 200, example: 'Tell the help desk of complaints' })
  name!: string;

  @Nested(() => TriggerConditionDto)
  when!: TriggerConditionDto;

  @ListOf(() => TriggerActionDto, { min: 1, max: 3, description: 'At most one of each kind' })
  then!: TriggerActionDto[];

  @Flag({ optional: true, default: true })
  is_active?: boolean;
}

export class ChangeTriggerDto extends PartialType(CreateTriggerDto) {}

export class RedeliverDto {
  @Uuids({ min: 1, max: 100, optional: true, description: 'Absent: all that failed' })
  delivery_ids?: string[];
}

export class ListDeliveriesDto {
  @OneOf(DELIVERY_STATES, { optional: true })
  state?: DeliveryState;

  @Int({ min: 1, max: 200, optional: true, default: 50 })
  limit = 50;

  @Text({ max: 512, optional: true, description: '`next_cursor` of the page before' })
  cursor?: string;
}

export class TriggerDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: Object, additionalProperties: true }) when!: object;
  @ApiProperty({ type: 'array', items: { type: 'object', additionalProperties: true } }) then!: object[];
  @ApiProperty({ type: Boolean }) is_active!: boolean;
  @ApiProperty({ type: String, format: 'date-time' }) created_at!: string;
  @ApiProperty({ type: String, format: 'date-time' }) updated_at!: string;
}

export class WrittenTriggerDto extends TriggerDto {
  @ApiProperty({ type: String, required: false, description: 'Where one was made: shown this once' })
  secret?: string;
}

export class TriggerListDto {
  @ApiProperty({ type: [TriggerDto] }) data!: TriggerDto[];
}

export class RemovedTriggerDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: Boolean }) deleted!: boolean;
}

export class DeliveryDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: String, description: 'As the webhook is told it: `webhook-id`' }) webhook_id!: string;
  @ApiProperty({ type: String }) event!: string;
  @ApiProperty({ type: String, format: 'uuid' }) workspace_id!: string;
  @ApiProperty({ type: String, format: 'uuid', description: 'Of the memory, or of the relation' })
  item_id!: string;
  @ApiProperty({ type: Number }) revision!: number;
  @ApiProperty({ type: String, enum: [...DELIVERY_STATES] }) state!: DeliveryState;
  @ApiProperty({ type: Number, description: 'Of eight, over a day' }) attempts!: number;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) next_try_at!: string | null;
  @ApiProperty({ type: Number, nullable: true, description: 'Of HTTP' }) last_status!: number | null;
  @ApiProperty({ type: String, nullable: true }) last_error!: string | null;
  @ApiProperty({ type: String, format: 'date-time' }) created_at!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) finished_at!: string | null;
}

export class DeliveryListDto {
  @ApiProperty({ type: [DeliveryDto] }) data!: DeliveryDto[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

export class RedeliveredDto {
  @ApiProperty({ type: String, format: 'uuid' }) id!: string;
  @ApiProperty({ type: Number, description: 'How many are tried again' }) count!: number;
}
