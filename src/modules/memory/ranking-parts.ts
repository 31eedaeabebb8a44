import type { Candidate } from '../../spaces/vector-space.js';
import type { NamedTime } from './named-times.js';
import type { Ranked, RankingPart, RankingWeights, ScoreParts } from './recall-ranking.js';

/** What is asked, as far as ranking goes. */
export interface Asked {
  /** The question's terms. */
  terms: ReadonlySet<string>;
  /** The least text score that counts as having the question's words: whoever has few of them is no better for being the best. */
  wanted: number;
  /** Words of the question as tags may have them, and the tags that the caller says it is about. */
  tags: ReadonlySet<string>;
  context: ReadonlySet<string>;
  /** Tags of the entities that the question names. */
  entities: ReadonlySet<string>;
  /** By id, 0..1: how close a memory is to what was found, by relations. */
  related: ReadonlyMap<string, number>;
  /** The times that the question names. */
  times: readonly NamedTime[];
  /** Milliseconds since 1970. */
  now: number;
}

/** What the ledger tells of the best. */
export interface LaterFacts {
  /** Whether it holds a phrase of the question word for word; null where there is none to look for. */
  holdsPhrase: boolean | null;
  /** What time and use have left of it, 0..1. Null: nobody has looked yet, so nothing was lost. */
  relevance: number | null;
  /** Whether it has a type that the caller is about, and how many of the words. Null: the caller names neither. */
  fits: { type: boolean; words: number } | null;
}

const OWN_PARTS = ['vector', 'vector_joined', 'keyword', 'keyword_joined'] as const;
const BY_WORDS: ReadonlySet<RankingPart> = new Set(['keyword', 'keyword_joined']);
/** These count by who is best: cosines and BM25 have no common scale, and the others are counts. */
const BY_THE_BEST = [...OWN_PARTS, 'speaker', 'entity', 'tag', 'context', 'relation', 'time'] as const;
/** From here on, more terms are no more substance. */
const ENOUGH = Math.log1p(40);
const RECENCY_HALVED_MS = 30 * 24 * 60 * 60 * 1_000;

interface Parted {
  about: Candidate;
  parts: ScoreParts;
}

/**
 * The parts that the spaces' candidates tell. A part in which nobody has anything is null for all, so that it weighs
 * nothing; one that only this candidate lacks is 0.
 */
export function statedParts(
  candidates: Candidate[],
  asked: Asked,
  weights: RankingWeights,
): { id: string; parts: ScoreParts }[] {
  const parted = candidates.map((about): Parted => ({ about, parts: partsOf(about, asked) }));
  for (const part of BY_THE_BEST) divideByLargest(parted, part, BY_WORDS.has(part) ? asked.wanted : 0);
  addSessions(parted, weights);
  return parted.map(({ about, parts }) => ({ id: about.id, parts }));
}

/** The parts that the ledger adds, by the same rule. */
export function settledParts<One extends Ranked>(
  best: One[],
  factsOf: (one: One) => LaterFacts,
): { one: One; parts: ScoreParts }[] {
  const told = best.map((one) => ({ one, facts: factsOf(one) }));
  const phrases = told.some(({ facts }) => facts.holdsPhrase === true);
  const lost = told.some(({ facts }) => facts.relevance !== null);
  const typed = told.some(({ facts }) => facts.fits?.type === true);
  const mostWords = Math.max(0, ...told.map(({ facts }) => facts.fits?.words ?? 0));
  return told.map(({ one, facts }) => ({
    one,
    parts: {
      ...one.parts,
      context: mean([
        one.parts.context,
        typed ? Number(facts.fits?.type === true) : null,
        mostWords > 0 ? (facts.fits?.words ?? 0) / mostWords : null,
      ]),
      exact_phrase: phrases ? Number(facts.holdsPhrase === true) : null,
      relevance: lost ? (facts.relevance ?? 1) : null,
    },
  }));
}

/** Where nothing was asked in words: no part says anything. */
export function noParts(): ScoreParts {
  return {
    ...{ vector: null, vector_joined: null, keyword: null, keyword_joined: null, session: null },
    ...{
      speaker: null,
      entity: null,
      substance: null,
      exact_phrase: null,
      tag: null,
      context: null,
      relation: null,
      time: null,
    },
    ...{ importance: null, confidence: null, recency: null, relevance: null },
  };
}

function partsOf(
  about: Candidate,
  { terms, tags, context, entities, related, times, now }: Asked,
): ScoreParts {
  const vector = Math.max(0, about.vector.alone ?? 0);
  const keyword = Math.max(0, about.text.alone ?? 0);
  return {
    vector,
    vector_joined: about.follows ? Math.max(0, about.vector.joined ?? 0) : vector,
    keyword,
    keyword_joined: about.follows ? Math.max(0, about.text.joined ?? 0) : keyword,
    session: null,
    speaker: isNamed(about.speaker, terms) ? 1 : 0,
    entity: shared(about.marks, entities),
    substance: Math.min(1, Math.log1p(about.terms) / ENOUGH) * (1 - about.asked),
    exact_phrase: null,
    tag: shared(about.marks, tags),
    context: shared(about.marks, context),
    relation: related.get(about.id) ?? 0,
    time: Math.max(0, ...times.map((nearness) => nearness(about.timestamp))),
    importance: about.importance,
    confidence: about.confidence,
    recency: 2 ** (-Math.max(0, now - about.timestamp) / RECENCY_HALVED_MS),
    relevance: null,
  };
}

/** Of those that say something. */
function mean(parts: (number | null)[]): number | null {
  const said = parts.filter((part) => part !== null);
  return said.length === 0 ? null : said.reduce((sum, part) => sum + part, 0) / said.length;
}

/** Whoever has one of the names: 'Ada' is asked for Ada Lovelace, too. */
function isNamed(speaker: string | null, terms: ReadonlySet<string>): boolean {
  if (speaker === null) return false;
  return terms.has(speaker) || (speaker.includes(' ') && speaker.split(' ').some((name) => terms.has(name)));
}

function shared(marks: readonly string[], wanted: ReadonlySet<string>): number {
  let count = 0;
  for (const mark of marks) if (wanted.has(mark)) count++;
  return count;
}

/** A part that a candidate lacks counts as nothing; one that all lack says nothing. */
function divideByLargest(parted: Parted[], part: RankingPart, atLeast: number): void {
  let largest = 0;
  for (const { parts } of parted) largest = Math.max(largest, parts[part] ?? 0);
  const whole = Math.max(largest, atLeast);
  for (const { parts } of parted) parts[part] = largest === 0 ? null : (parts[part] ?? 0) / whole;
}

/** A memory without a session stands for itself. */
function addSessions(parted: Parted[], weights: RankingWeights): void {
  const total = OWN_PARTS.reduce((sum, part) => sum + weights[part], 0) || 1;
  const own = (parts: ScoreParts) =>
    OWN_PARTS.reduce((sum, part) => sum + weights[part] * (parts[part] ?? 0), 0) / total;
  const best = new Map<string, number>();
  for (const { about, parts } of parted) {
    if (about.session === null) continue;
    best.set(about.session, Math.max(best.get(about.session) ?? 0, own(parts)));
  }
  for (const { about, parts } of parted)
    parts.session = about.session === null ? own(parts) : (best.get(about.session) ?? 0);
}
