import { comparedTag } from '../../ledger/compared-tags.js';
import type { LedgerEvent } from '../events/ledger-events.js';
import { askedTypes } from '../memory/memory-types.js';
import type { RelationType } from '../memory/relation-types.js';

export const TRIGGER_EVENTS = [
  'memory.created',
  'memory.updated',
  'memory.deleted',
  'relation.created',
] as const;
export type TriggerEvent = (typeof TRIGGER_EVENTS)[number];

/** When a rule applies: what is left out holds of everything. */
export interface TriggerCondition {
  event: TriggerEvent;
  /** Any of them. */
  tags?: string[];
  /** Of the memory, or of the relation. */
  types?: string[];
  workspace_id?: string;
  /** 0..1 */
  min_importance?: number;
  /** What the content holds, in capitals or not. */
  match?: string;
}

export type TriggerAction =
  | { webhook: { url: string } }
  | { tag: string[] }
  | { relate: { to: string; type: RelationType; strength: number } };

export interface TriggerRule {
  name: string;
  when: TriggerCondition;
  then: TriggerAction[];
}

/** A rule at work. */
export interface ActiveTrigger {
  id: string;
  rule: TriggerRule;
  /** What happened up to this revision is not its matter. */
  since: number;
}

/** Whether a trigger acts on an event that somebody caused who is no trigger. */
export function fires({ rule: { when }, since }: ActiveTrigger, event: LedgerEvent): boolean {
  if (event.revision <= since || event.name !== when.event) return false;
  if (when.workspace_id !== undefined && when.workspace_id !== event.workspace) return false;
  if ('relation' in event) return when.types === undefined || when.types.includes(event.relation.type);
  if (!('memory' in event)) return true;
  const { type, importance, content } = event.memory;
  const tags = event.memory.tags.map(comparedTag);
  return (
    (when.tags === undefined || when.tags.some((tag) => tags.includes(comparedTag(tag)))) &&
    (when.types === undefined || askedTypes(when.types).includes(type)) &&
    (when.min_importance === undefined || Math.fround(importance) >= Math.fround(when.min_importance)) &&
    (when.match === undefined || content.toLowerCase().includes(when.match.toLowerCase()))
  );
}
