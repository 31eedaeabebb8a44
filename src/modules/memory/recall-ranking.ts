import type { Candidate } from '../../spaces/vector-space.js';

/**
 * The named parts of a score, each between 0 and 1 before its weight.
 *
 * - `vector`, `vector_joined`: cosine of the question with the memory alone, and joined to the one before it.
 * - `text`, `text_joined`: BM25 of the question's words, likewise.
 * - `session`: how well the best memory of the same session does by those four. A conversation that is about the
 *   question lifts its other turns, which often hold the answer without repeating the question's words.
 * - `substance`: how much the memory says. 'Sounds great!' is near many questions and answers none.
 */
export const RANKING_PARTS = [
  'vector',
  'vector_joined',
  'text',
  'text_joined',
  'session',
  'substance',
] as const;
export type RankingPart = (typeof RANKING_PARTS)[number];
export type RankingWeights = Readonly<Record<RankingPart, number>>;
export type ScoreParts = Record<RankingPart, number>;

/** Measured in docs/decisions/ranking.md; the optimum is flat. Settings override them one by one. */
export const DEFAULT_WEIGHTS: RankingWeights = {
  vector: 0.25,
  vector_joined: 0.25,
  text: 0.15,
  text_joined: 0.35,
  session: 0.8,
  substance: 0.5,
};

/** Of what no question was held against. */
export const NO_PARTS: ScoreParts = {
  vector: 0,
  vector_joined: 0,
  text: 0,
  text_joined: 0,
  session: 0,
  substance: 0,
};

export interface Ranked {
  id: string;
  /** 0..1: the weighted mean of the parts. */
  score: number;
  parts: ScoreParts;
}

const OWN_PARTS = ['vector', 'vector_joined', 'text', 'text_joined'] as const;
/** From here on, more terms are no more substance. */
const ENOUGH_TERMS = 40;

/**
 * Orders the candidates for one question, best first, ties by id.
 *
 * Every part is divided by its largest value among the candidates: what counts is who is better, and cosines and BM25
 * have no common scale. A part that a candidate lacks counts as nothing.
 */
export function rankRecall(candidates: Candidate[], weights: RankingWeights): Ranked[] {
  const known = candidates.map((candidate) => ({ about: candidate, parts: ownParts(candidate) }));
  for (const part of OWN_PARTS) divideByLargest(known, part);
  const ownScore = (parts: ScoreParts) =>
    OWN_PARTS.reduce((sum, part) => sum + weights[part] * parts[part], 0);
  const ownTotal = OWN_PARTS.reduce((sum, part) => sum + weights[part], 0) || 1;
  const bestOfSession = new Map<string, number>();
  for (const { about, parts } of known) {
    if (about.session === null) continue;
    bestOfSession.set(
      about.session,
      Math.max(bestOfSession.get(about.session) ?? 0, ownScore(parts) / ownTotal),
    );
  }
  const total = RANKING_PARTS.reduce((sum, part) => sum + weights[part], 0) || 1;
  const ranked = known.map(({ about, parts }): Ranked => {
    const own = ownScore(parts) / ownTotal;
    parts.session = about.session === null ? own : (bestOfSession.get(about.session) ?? own);
    parts.substance = Math.min(1, Math.log1p(about.terms) / Math.log1p(ENOUGH_TERMS));
    const score = RANKING_PARTS.reduce((sum, part) => sum + weights[part] * parts[part], 0) / total;
    return { id: about.id, score, parts };
  });
  return ranked.sort(byScore);
}

/** The best score that any of several questions gave a memory. */
export function fuseQuestions(rankings: Ranked[][]): Ranked[] {
  const best = new Map<string, Ranked>();
  for (const ranked of rankings.flat()) {
    const known = best.get(ranked.id);
    if (known === undefined || ranked.score > known.score) best.set(ranked.id, ranked);
  }
  return [...best.values()].sort(byScore);
}

export function matchType(parts: ScoreParts): 'hybrid' | 'vector' | 'keyword' | 'filter' {
  const byVector = parts.vector > 0 || parts.vector_joined > 0;
  const byText = parts.text > 0 || parts.text_joined > 0;
  if (byVector && byText) return 'hybrid';
  if (byVector) return 'vector';
  return byText ? 'keyword' : 'filter';
}

function ownParts(candidate: Candidate): ScoreParts {
  const vector = Math.max(0, candidate.vector.alone ?? 0);
  const text = Math.max(0, candidate.text.alone ?? 0);
  return {
    vector,
    vector_joined: candidate.follows ? Math.max(0, candidate.vector.joined ?? 0) : vector,
    text,
    text_joined: candidate.follows ? Math.max(0, candidate.text.joined ?? 0) : text,
    session: 0,
    substance: 0,
  };
}

function divideByLargest(candidates: { parts: ScoreParts }[], part: RankingPart): void {
  const largest = candidates.reduce((most, { parts }) => Math.max(most, parts[part]), 0);
  if (largest === 0) return;
  for (const { parts } of candidates) parts[part] /= largest;
}

function byScore(a: Ranked, b: Ranked): number {
  return b.score - a.score || (a.id < b.id ? -1 : 1);
}
