const DAY_MS = 86_400_000;

/** What time and use have to say of a memory. */
export interface AgingMemory {
  /** When it happened, or when it was brought back where that is later. */
  since: Date;
  /** Null: nobody has recalled it. */
  lastAccessed: Date | null;
  accessCount: number;
  relations: number;
  /** 0..1 */
  importance: number;
  /** 0..1 */
  confidence: number;
}

/** Of AutoMem, whose formula it is. */
export const BASE_DECAY_RATE = 0.01;
const ACCESS_DECAY_RATE = 0.05;
const RELATION_WEIGHT = 0.3;
const IMPORTANCE_FLOOR = 0.3;

/**
 * How relevant a memory still is, 0..1: it fades with its age, is kept by being recalled, by its relations, and by how much it
 * matters and how sure it is; and never falls below three tenths of its importance.
 *
 * AutoMem's formula (verygoodplugins/automem, `calculate_relevance_score`) with one thing changed, the spacing effect: what
 * was recalled often fades more slowly after its last recall than what was recalled once.
 */
export function relevanceAt(now: Date, memory: AgingMemory, decayRate = BASE_DECAY_RATE): number {
  const days = (since: Date) => Math.max(0, now.getTime() - since.getTime()) / DAY_MS;
  const age = Math.exp(-decayRate * days(memory.since));
  const idle = days(memory.lastAccessed ?? memory.since);
  const habit = 1 + Math.log1p(Math.max(0, memory.accessCount - 1));
  const access = idle < 1 ? 1 : Math.exp((-ACCESS_DECAY_RATE * idle) / habit);
  const relevance =
    age *
    (0.3 + 0.3 * access) *
    (1 + RELATION_WEIGHT * Math.log1p(memory.relations)) *
    (0.5 + memory.importance) *
    (0.7 + 0.3 * memory.confidence);
  return Math.min(1, Math.max(relevance, IMPORTANCE_FLOOR * memory.importance));
}
