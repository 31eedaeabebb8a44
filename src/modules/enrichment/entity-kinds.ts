/** What an entity can be, in the words that AutoMem's clients know. */
export const ENTITY_KINDS = ['people', 'places', 'organizations', 'dates', 'tools'] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

/** An entity as a text names it. */
export interface FoundEntity {
  kind: EntityKind;
  /** As it is shown: 'Alice Johnson', '2024-03'. */
  name: string;
}

const LONGEST_SLUG = 64;

/** 'Zoë O’Hara' → 'zoe-o-hara'. Empty where nothing of it is left. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}+#]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, LONGEST_SLUG);
}

export function isEntityKind(word: string): word is EntityKind {
  return (ENTITY_KINDS as readonly string[]).includes(word);
}
