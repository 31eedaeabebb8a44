import type { ChangeKind } from '../../ledger/ledger-write.js';
import type { Tenant } from '../../tenancy/principal.js';
import { itemDto } from '../events/event-replies.js';
import type { LedgerItem } from '../events/ledger-events.js';
import type { DeliveryRow } from './delivery-rows.js';
import type { TriggerEvent } from './trigger-rule.js';
import type { Trigger } from './triggers.service.js';

/**
 * What a webhook is told, in the form of Standard Webhooks. `item`: as it is now; null where it is gone, and then there is
 * its id alone.
 */
export function messageOf(
  tenant: Tenant,
  trigger: Trigger,
  delivery: DeliveryRow,
  item: LedgerItem | null,
): object {
  const { event, workspace_id, item: id, revision, created_at } = delivery;
  const kind = kindOf(event);
  return {
    type: event,
    timestamp: created_at.toISOString(),
    data: {
      tenant_id: tenant.slug,
      workspace_id,
      revision: Number(revision),
      trigger: { id: trigger.id, name: trigger.rule.name },
      [`${kind}_id`]: id,
      ...(event === 'memory.deleted' ? {} : { [kind]: item === null ? null : itemDto(item) }),
    },
  };
}

export function kindOf(event: TriggerEvent): ChangeKind {
  return event === 'relation.created' ? 'relation' : 'memory';
}
