import { Labels } from './labels.js';
import { WorkspacePoints, type PointMemory } from './point-memory.js';
import type { TermCounts } from './term-counts.js';
import { wordsFor, writeSignCode } from './sign-codes.js';

export const HAS_ALONE = 1;
export const HAS_JOINED = 2;
const HAS_JOINED_TEXT = 4;

/** What searching needs to know of every memory of a workspace, by place. */
export interface Facts {
  type: string;
  session: string | null;
  user: string | null;
  agent: string | null;
  timestamp: number;
  validFrom: number | null;
  validUntil: number | null;
  /** In terms. */
  aloneLength: number;
  /** Null: no joined text. */
  joinedLength: number | null;
  /** `HAS_ALONE`, `HAS_JOINED`: which vectors there are. */
  has: number;
  speaker: string | null;
  /** In hundredths, as the next two. */
  asked: number;
  importance: number;
  confidence: number;
}

/**
 * One workspace of one model, in memory: arrays indexed by place, some 70 bytes for each memory, and 100 more for the
 * sign codes once a search wanted them; full vectors as far as `PointMemory` has room. Filled from the file at the
 * first search, then kept up to date by each apply.
 */
export class WorkspaceIndex {
  /** One beyond the highest place ever used. */
  places = 0;
  live = 0;
  alive = new Uint8Array(64);
  has = new Uint8Array(64);
  timestamps = new Float64Array(64);
  aloneLengths = new Uint32Array(64);
  joinedLengths = new Uint32Array(64);
  asked = new Uint8Array(64);
  importances = new Uint8Array(64);
  confidences = new Uint8Array(64);
  readonly labels = {
    type: new Labels(),
    session: new Labels(),
    user: new Labels(),
    agent: new Labels(),
    speaker: new Labels(),
  };
  readonly validity = new Map<number, { from: number | null; until: number | null }>();
  /** Terms that are not in the stored postings yet. */
  readonly tail = new Map<number, TermCounts>();
  readonly alone = { memories: 0, terms: 0 };
  readonly joined = { memories: 0, terms: 0 };
  codes: { alone: Uint32Array; joined: Uint32Array } | null = null;
  readonly words: number;
  readonly points: WorkspacePoints;

  constructor(
    readonly dimensions: number,
    memory: PointMemory,
  ) {
    this.words = wordsFor(dimensions);
    this.points = new WorkspacePoints(memory, dimensions);
  }

  put(place: number, facts: Facts): void {
    this.remove(place);
    this.makeRoom(place);
    this.places = Math.max(this.places, place + 1);
    this.live++;
    this.alive[place] = 1;
    this.has[place] = facts.has | (facts.joinedLength === null ? 0 : HAS_JOINED_TEXT);
    this.timestamps[place] = facts.timestamp;
    this.labels.type.set(place, facts.type);
    this.labels.session.set(place, facts.session);
    this.labels.user.set(place, facts.user);
    this.labels.agent.set(place, facts.agent);
    this.labels.speaker.set(place, facts.speaker);
    this.asked[place] = facts.asked;
    this.importances[place] = facts.importance;
    this.confidences[place] = facts.confidence;
    if (facts.validFrom !== null || facts.validUntil !== null) {
      this.validity.set(place, { from: facts.validFrom, until: facts.validUntil });
    }
    this.aloneLengths[place] = facts.aloneLength;
    this.alone.memories++;
    this.alone.terms += facts.aloneLength;
    this.joinedLengths[place] = facts.joinedLength ?? 0;
    if (facts.joinedLength !== null) {
      this.joined.memories++;
      this.joined.terms += facts.joinedLength;
    }
  }

  remove(place: number): void {
    if (this.alive[place] !== 1) return;
    const has = this.has[place] as number;
    this.points.forget(place);
    this.live--;
    this.alive[place] = 0;
    this.has[place] = 0;
    this.validity.delete(place);
    this.tail.delete(place);
    this.alone.memories--;
    this.alone.terms -= this.aloneLengths[place] as number;
    if ((has & HAS_JOINED_TEXT) !== 0) {
      this.joined.memories--;
      this.joined.terms -= this.joinedLengths[place] as number;
    }
  }

  /** Each once. */
  speakers(limit: number): string[] {
    return this.labels.speaker.carried(this.alive, limit);
  }

  /** Whether the memory has a joined text. */
  follows(place: number): boolean {
    return ((this.has[place] as number) & HAS_JOINED_TEXT) !== 0;
  }

  makeCodes(): { alone: Uint32Array; joined: Uint32Array } {
    this.codes ??= {
      alone: new Uint32Array(this.alive.length * this.words),
      joined: new Uint32Array(this.alive.length * this.words),
    };
    return this.codes;
  }

  /** Both codes of a place, alone's words first, as the file keeps them. */
  putCodes(place: number, both: Uint32Array): void {
    this.codes?.alone.set(both.subarray(0, this.words), place * this.words);
    this.codes?.joined.set(both.subarray(this.words), place * this.words);
  }

  private makeRoom(place: number): void {
    if (place < this.alive.length) return;
    const size = Math.max(place + 1, this.alive.length * 2);
    this.alive = grown(this.alive, new Uint8Array(size));
    this.has = grown(this.has, new Uint8Array(size));
    this.timestamps = grown(this.timestamps, new Float64Array(size));
    this.aloneLengths = grown(this.aloneLengths, new Uint32Array(size));
    this.joinedLengths = grown(this.joinedLengths, new Uint32Array(size));
    this.asked = grown(this.asked, new Uint8Array(size));
    this.importances = grown(this.importances, new Uint8Array(size));
    this.confidences = grown(this.confidences, new Uint8Array(size));
    if (this.codes !== null) {
      this.codes.alone = grown(this.codes.alone, new Uint32Array(size * this.words));
      this.codes.joined = grown(this.codes.joined, new Uint32Array(size * this.words));
    }
  }
}

/** How numbers from 0 to 1 are kept. */
export function hundredths(value: number): number {
  return Math.round(value * 100);
}

/** Null where there is neither vector: nothing to compare. */
export function signCodes(
  alone: Float32Array | null,
  joined: Float32Array | null,
  dimensions: number,
): Uint32Array | null {
  if (alone === null && joined === null) return null;
  const words = wordsFor(dimensions);
  const both = new Uint32Array(words * 2);
  if (alone !== null) writeSignCode(alone, both, 0);
  if (joined !== null) writeSignCode(joined, both, words);
  return both;
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(old: T, bigger: T): T {
  bigger.set(old);
  return bigger;
}
