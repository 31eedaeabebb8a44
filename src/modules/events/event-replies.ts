import type { Tenant } from '../../tenancy/principal.js';
import { memoryDto } from '../memory/memory-replies.js';
import type { Relation } from '../memory/relation-rows.js';
import type { LedgerEvent, LedgerItem } from './ledger-events.js';

/** What is told of an event: a memory as `GET /memory/:id` shows it, a relation with its ends; of what is gone its id. */
export function eventDto(tenant: Tenant, event: LedgerEvent & { at: Date | null }): object {
  const { name, revision, at, workspace, id, kind } = event;
  return {
    event: name,
    revision,
    at: at?.toISOString() ?? null,
    tenant_id: tenant.slug,
    workspace_id: workspace,
    [`${kind}_id`]: id,
    ...('memory' in event || 'relation' in event ? { [kind]: itemDto(event) } : {}),
  };
}

export function itemDto(item: LedgerItem): object {
  return 'memory' in item ? memoryDto(item.memory) : relationDto(item.relation);
}

function relationDto({ id, from, to, type, strength, attributes }: Relation): object {
  return {
    relation_id: id,
    memory1_id: from,
    memory2_id: to,
    type,
    strength: Number(strength.toPrecision(7)),
    attributes,
  };
}
