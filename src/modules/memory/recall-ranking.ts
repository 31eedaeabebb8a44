import type { Candidate } from '../../spaces/vector-space.js';
import { settledParts, statedParts, type Asked, type LaterFacts } from './ranking-parts.js';

/**
 * The named parts of a score, each between 0 and 1 before its weight. `ranking-parts.ts` computes them.
 *
 * - `vector`, `vector_joined`: cosine of the question with the memory alone, and joined to the one before it.
 * - `keyword`, `keyword_joined`: BM25 of the question's words, likewise.
 * - `session`: how well the best memory of the same session does by those four. A conversation that is about the
 *   question lifts its other turns, which often hold the answer without repeating the question's words.
 * - `speaker`: whether the memory is what somebody says whom the question names.
 * - `entity`: how many of those it names whom the question names, by whatever name; without those who speak.
 * - `substance`: how much the memory tells. 'Sounds great!' is near many questions and answers none, and what asks
 *   answers little.
 * - `exact_phrase`: whether it holds, word for word, what was asked for in quotes, or all that was asked.
 * - `tag`: how many of its tags are words of the question.
 * - `context`: how well it fits what the caller says it is about: by its tags, its type and its words.
 * - `relation`: how close it is, by relations, to what was found.
 * - `time`: how near its own time is to one that the question names.
 * - `importance`, `confidence`: as they were stored with it. `recency`: by its own time, halved every 30 days.
 * - `relevance`: what time and use have left of it.
 */
export const RANKING_PARTS = [
  'vector',
  'vector_joined',
  'keyword',
  'keyword_joined',
  'session',
  'speaker',
  'entity',
  'substance',
  'exact_phrase',
  'tag',
  'context',
  'relation',
  'time',
  'importance',
  'confidence',
  'recency',
  'relevance',
] as const;
export type RankingPart = (typeof RANKING_PARTS)[number];
export type RankingWeights = Readonly<Record<RankingPart, number>>;
/** Null: the part says nothing about this question, or is not known yet. */
export type ScoreParts = Record<RankingPart, number | null>;

/**
 * The first seven, and `time`, are measured in docs/decisions/ranking.md, and the optimum is flat; the others are small enough to
 * settle what those leave open. Settings override them one by one, for an installation and for a tenant.
 */
export const DEFAULT_WEIGHTS: RankingWeights = {
  vector: 0.4,
  vector_joined: 0.3,
  keyword: 0.05,
  keyword_joined: 0.3,
  session: 0.7,
  speaker: 0.25,
  entity: 0.1,
  substance: 0.5,
  exact_phrase: 0.3,
  tag: 0.2,
  context: 0.3,
  relation: 0.2,
  time: 0.4,
  importance: 0.05,
  confidence: 0.05,
  recency: 0.05,
  relevance: 0.05,
};

export interface Ranked {
  id: string;
  /** 0..1: the weighted mean of the parts that say something. */
  score: number;
  parts: ScoreParts;
}

/** Orders the candidates for one question, best first, ties by id. */
export function rankRecall(candidates: Candidate[], asked: Asked, weights: RankingWeights): Ranked[] {
  return statedParts(candidates, asked, weights)
    .map(({ id, parts }): Ranked => ({ id, score: scoreOf(parts, weights), parts }))
    .sort(byScore);
}

/** Orders the best of them again, by what only the ledger tells: their texts, and what became of them. */
export function rankSettled<One extends Ranked>(
  best: One[],
  factsOf: (one: One) => LaterFacts,
  weights: RankingWeights,
): One[] {
  return settledParts(best, factsOf)
    .map(({ one, parts }) => ({ ...one, score: scoreOf(parts, weights), parts }))
    .sort(byScore);
}

/** The best score that any of several questions gave a memory. */
export function fuseQuestions(rankings: Ranked[][]): Ranked[] {
  const [only, ...others] = rankings;
  if (only !== undefined && others.length === 0) return only;
  const best = new Map<string, Ranked>();
  for (const ranked of rankings.flat()) {
    const known = best.get(ranked.id);
    if (known === undefined || ranked.score > known.score) best.set(ranked.id, ranked);
  }
  return [...best.values()].sort(byScore);
}

export function matchType(parts: ScoreParts): 'hybrid' | 'vector' | 'keyword' | 'filter' {
  const some = (part: RankingPart) => (parts[part] ?? 0) > 0;
  const byVector = some('vector') || some('vector_joined');
  const byText = some('keyword') || some('keyword_joined');
  if (byVector && byText) return 'hybrid';
  if (byVector) return 'vector';
  return byText ? 'keyword' : 'filter';
}

function scoreOf(parts: ScoreParts, weights: RankingWeights): number {
  let sum = 0;
  let total = 0;
  for (const part of RANKING_PARTS) {
    const value = parts[part];
    if (value === null) continue;
    sum += weights[part] * value;
    total += weights[part];
  }
  return total === 0 ? 0 : sum / total;
}

function byScore(a: Ranked, b: Ranked): number {
  return b.score - a.score || (a.id < b.id ? -1 : 1);
}
