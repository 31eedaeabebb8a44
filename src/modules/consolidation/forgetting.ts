import { comparedTag } from '../../ledger/compared-tags.js';
import { askedTypes } from '../memory/memory-types.js';
import type { LookedAtMemory } from './aging-memories.js';
import type { ConsolidationSettings } from './consolidation-settings.js';

const DAY_MS = 86_400_000;
/** A tag, and a word in `metadata`, that keep a memory from being forgotten. */
export const PROTECTED = 'protected';

export type Protection = 'type' | 'age' | 'importance' | 'flag' | 'derived';

/** What keeps a memory from being forgotten; null where nothing does that can be told without opening it. */
export function protectionOf(
  now: Date,
  memory: LookedAtMemory,
  settings: ConsolidationSettings,
): Protection | null {
  if (memory.derived) return 'derived';
  if (memory.tags.some((tag) => comparedTag(tag) === PROTECTED)) return 'flag';
  if (memory.importance >= Math.fround(settings.protected_importance)) return 'importance';
  if (askedTypes(settings.protected_types).includes(memory.type)) return 'type';
  return now.getTime() - memory.since.getTime() < settings.grace_days * DAY_MS ? 'age' : null;
}

/** Whether its metadata say that it is to stay: `protected`, by anything but a no. */
export function isFlagged(metadata: Readonly<Record<string, unknown>>): boolean {
  const flag = metadata[PROTECTED];
  if (typeof flag === 'string') return !['', '0', 'false', 'no'].includes(flag.trim().toLowerCase());
  return Boolean(flag);
}

/** Whether a memory was archived so long ago, and not recalled since, that it is to be deleted. */
export function isOverdue(now: Date, memory: LookedAtMemory, settings: ConsolidationSettings): boolean {
  const { archivedAt, lastAccessed } = memory;
  if (archivedAt === null || settings.delete_after_days === null) return false;
  const since = Math.max(archivedAt.getTime(), lastAccessed?.getTime() ?? 0);
  return now.getTime() - since >= settings.delete_after_days * DAY_MS;
}
