/** The types that everybody knows; a tenant may use words of its own beside them. */
export const MEMORY_TYPES = [
  'Decision',
  'Pattern',
  'Preference',
  'Style',
  'Habit',
  'Insight',
  'Context',
  'Episodic',
  'Semantic',
  'Reflective',
] as const;
export type MemoryType = (typeof MEMORY_TYPES)[number];

/** What a memory is where nothing tells more. */
export const PLAIN_TYPE: MemoryType = 'Context';

/** A type as it is kept: those that everybody knows are the same however they are written, a tenant's own as they come. */
export function namedType(given: string): string {
  const name = given.toLowerCase();
  return MEMORY_TYPES.find((type) => type.toLowerCase() === name) ?? given;
}

/** The types that are asked for: as they come, and as they are kept. */
export function askedTypes(given: readonly string[]): string[] {
  return [...new Set(given.flatMap((type) => [type, namedType(type)]))];
}

/** A type is told by how a memory begins; a long text's later words tell of too much else. */
const LOOKED_AT = 1_000;

/** Turns of phrase that tell a type, the type whose words are plainest first. */
const SIGNS: [MemoryType, string][] = [
  [
    'Decision',
    `decided, decides, deciding, decision, chose, chosen, opted for, settled on, agreed to, agreed on, agreed that,
     went with, going with, go with, instead of, ruled out, picked, selected, resolved to, will use, switch to, switched to`,
  ],
  [
    'Preference',
    `prefer, prefers, preferred, preference, preferences, would rather, favorite, favorites, favourite, favourites, likes to,
     loves, i love, enjoys, i enjoy, dislikes, dislike, hates, hate, fond of, can't stand, cannot stand, keen on, i like`,
  ],
  [
    'Habit',
    `always, every day, every morning, every evening, every night, every week, every weekend, every month,
     every year, every time, every monday, every tuesday, every wednesday, every thursday, every friday, every saturday,
     every sunday, each day, each morning, each evening, each night, each week, daily, weekly, nightly, routine, routinely,
     habit, habitually, on mondays, on tuesdays, on wednesdays, on thursdays, on fridays, on saturdays, on sundays`,
  ],
  [
    'Pattern',
    `usually, typically, tend to, tends to, often, recurring, recurs, repeatedly, whenever, pattern, patterns, generally,
     most of the, in most cases, keeps happening, keeps failing, keeps breaking, keeps coming`,
  ],
  [
    'Insight',
    `learned that, learnt that, realized, realised, realizes, discovered, found out, turns out, turned out, figured out,
     root cause, insight, lesson, the key is, the trick is, the reason is, became clear, noticed that`,
  ],
  [
    'Style',
    `style, tone, wording, phrasing, formatting, formatted, naming convention, indentation, indented, writes in, written in,
     bullet points, concise, concisely, formal, formally, informal, informally`,
  ],
];

/** Phrases by their first word, each as its further words. */
const PHRASES = new Map<string, { rest: string[]; type: MemoryType }[]>();
for (const [type, list] of SIGNS) {
  for (const phrase of list.split(',')) {
    const [first = '', ...rest] = phrase.trim().split(/\s+/);
    PHRASES.set(first, [...(PHRASES.get(first) ?? []), { rest, type }]);
  }
}

/**
 * The type of a memory that comes without one, by turns of phrase, in English; `Context` where none is there. Of two
 * types with as many of them the one that is listed first wins.
 */
export function classify(content: string): MemoryType {
  const words =
    content
      .slice(0, LOOKED_AT)
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[a-z']+/g) ?? [];
  const counts = new Map<MemoryType, number>();
  for (const [at, word] of words.entries()) {
    for (const { rest, type } of PHRASES.get(word) ?? []) {
      if (rest.every((next, after) => words[at + 1 + after] === next))
        counts.set(type, (counts.get(type) ?? 0) + 1);
    }
  }
  let best: MemoryType = PLAIN_TYPE;
  for (const [type] of SIGNS) if ((counts.get(type) ?? 0) > (counts.get(best) ?? 0)) best = type;
  return best;
}
