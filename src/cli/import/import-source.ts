/** What a single-tenant system has that a tenant of Loci can have, in the order in which it is brought over. */
export const KINDS = ['agent', 'memory', 'relation', 'document'] as const;
export type Kind = (typeof KINDS)[number];

export interface ImportRecord {
  kind: Kind;
  /** Where it was found, for people: `line 17`, `memories 4711`. */
  place: string;
  /** Under the names of Loci's routes. */
  fields: Record<string, unknown>;
}

/** One that was not brought over, and why. */
export interface RefusedRecord {
  kind: Kind | null;
  place: string;
  reason: string;
}

export interface Survey {
  counts: Record<Kind, number>;
  /** What could not be read at all. */
  refused: RefusedRecord[];
  /** What is there and is not asked for, a sentence each. */
  notes: string[];
}

/** Where records come from. Reads only, and no more than a page at a time. All methods reject with `CommandFailed`. */
export abstract class ImportSource {
  abstract survey(): Promise<Survey>;

  /** All records of a kind; the same ones each time, as far as nobody writes there. */
  abstract records(kind: Kind): AsyncIterable<ImportRecord>;

  abstract close(): Promise<void>;
}

export function noCounts(): Record<Kind, number> {
  return { agent: 0, memory: 0, relation: 0, document: 0 };
}
