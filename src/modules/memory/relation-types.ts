/** What a relation may say of itself beside its strength. Which of these it takes is its type's matter. */
export interface RelationAttributes {
  reason?: string;
  context?: string;
  resolution?: string;
  pattern_type?: string;
  transformation?: string;
  role?: string;
  /** In words, or an ISO 8601 duration. */
  duration?: string;
  kind?: string;
  /** ISO 8601 */
  timestamp?: string;
  /** 0..1 */
  confidence?: number;
  /** 0..1: the cosine of the two. */
  score?: number;
  /** Seconds from one to the other. */
  gap?: number;
  observations?: number;
}
export type RelationAttribute = keyof RelationAttributes;

interface RelationMeaning {
  /** Who makes such relations: any caller with `memory:write`, or nobody but Loci itself. */
  author: 'caller' | 'system';
  /** Read from the first memory to the second. */
  says: string;
  attributes: readonly RelationAttribute[];
}

/** Every type of relation there is, after AutoMem's. Each has a strength besides. */
export const RELATION_MEANINGS = {
  RELATES_TO: { author: 'caller', says: 'has to do with', attributes: [] },
  LEADS_TO: { author: 'caller', says: 'is a cause of', attributes: ['reason', 'confidence'] },
  OCCURRED_BEFORE: { author: 'caller', says: 'happened before', attributes: ['timestamp', 'duration'] },
  PREFERS_OVER: { author: 'caller', says: 'is preferred to', attributes: ['context', 'reason'] },
  EXEMPLIFIES: { author: 'caller', says: 'is an example of', attributes: ['pattern_type', 'confidence'] },
  CONTRADICTS: { author: 'caller', says: 'is at odds with', attributes: ['resolution', 'reason'] },
  REINFORCES: { author: 'caller', says: 'makes surer', attributes: ['observations'] },
  INVALIDATED_BY: { author: 'caller', says: 'no longer holds, for', attributes: ['reason', 'timestamp'] },
  EVOLVED_INTO: { author: 'caller', says: 'became', attributes: ['confidence', 'reason'] },
  DERIVED_FROM: { author: 'caller', says: 'was drawn from', attributes: ['transformation', 'confidence'] },
  PART_OF: { author: 'caller', says: 'belongs to', attributes: ['role', 'context'] },
  SIMILAR_TO: { author: 'system', says: 'says nearly the same as', attributes: ['score'] },
  PRECEDED_BY: { author: 'system', says: 'came in its session after', attributes: ['gap'] },
  DISCOVERED: {
    author: 'system',
    says: 'was found to have to do with',
    attributes: ['kind', 'confidence', 'score', 'reason'],
  },
} as const satisfies Record<string, RelationMeaning>;

export type RelationType = keyof typeof RELATION_MEANINGS;
export const RELATION_TYPES = Object.keys(RELATION_MEANINGS) as readonly RelationType[];
export const AUTHORABLE_TYPES = RELATION_TYPES.filter((type) => isAuthorable(type));

/** Who holds one of these is superseded by the memory that it leads to. */
export const SUPERSEDING_TYPES = [
  'INVALIDATED_BY',
  'EVOLVED_INTO',
] as const satisfies readonly RelationType[];

export function isAuthorable(type: RelationType): boolean {
  return RELATION_MEANINGS[type].author === 'caller';
}

/** What of these a relation of this type keeps, and the names of what it has no place for. */
export function fittingAttributes(
  type: RelationType,
  given: RelationAttributes,
): { kept: RelationAttributes; ignored: string[] } {
  const taken: readonly string[] = RELATION_MEANINGS[type].attributes;
  const kept = Object.entries(given).filter(([name]) => taken.includes(name));
  const ignored = Object.keys(given).filter((name) => !taken.includes(name));
  return { kept: Object.fromEntries(kept), ignored };
}
