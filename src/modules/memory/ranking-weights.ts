import { SettingsError } from '../../platform/config/environment.js';
import type { FieldError } from '../../platform/errors/domain-error.js';
import type { TenantSettings } from '../../tenancy/principal.js';
import { namesByCode, prefersNew, type Question } from './question.js';
import { DEFAULT_WEIGHTS, RANKING_PARTS, type RankingPart, type RankingWeights } from './recall-ranking.js';

/** More than this is no weight but a mistake: one part would be all that counts. */
const LARGEST = 1_000;

/** The default weights with some of them replaced. Throws `SettingsError` for a part that is none, or a negative weight. */
export function rankingWeights(overrides: Readonly<Record<string, number>>): RankingWeights {
  const weights = { ...DEFAULT_WEIGHTS };
  for (const [name, weight] of Object.entries(overrides)) {
    if (!isPart(name) || !isWeight(weight)) {
      throw new SettingsError(
        'LOCI_RECALL_WEIGHTS',
        `takes ${RANKING_PARTS.join(', ')}, none of them negative`,
      );
    }
    weights[name] = weight;
  }
  return weights;
}

/** The installation's weights with those that a tenant has set in `settings.recall.weights`. */
export function tenantWeights(installation: RankingWeights, settings: TenantSettings): RankingWeights {
  const set = membersOf(membersOf(settings['recall'])['weights']);
  const own = Object.entries(set).filter(([name, weight]) => isPart(name) && isWeight(weight));
  return own.length === 0 ? installation : { ...installation, ...Object.fromEntries(own) };
}

/** Where new is what is asked for, time weighs as much as meaning does. */
const NEW_WEIGHS = 0.6;
/** Vectors know nothing of ticket 4821, and its words alone tell it from all others. */
const CODE_WEIGHS = 1;

/** The weights for one question: how much words count, and that a memory is new, is the question's to say. */
export function weightsFor(
  question: Pick<Question, 'recency' | 'queries'>,
  weights: RankingWeights,
): RankingWeights {
  const worded = namesByCode(question)
    ? { ...weights, keyword: raised(weights.keyword, CODE_WEIGHS) }
    : weights;
  if (question.recency === 'off') return { ...worded, recency: 0 };
  return prefersNew(question) ? { ...worded, recency: Math.max(NEW_WEIGHS, weights.recency) } : worded;
}

/** What somebody wants to weigh nothing stays so. */
function raised(weight: number, least: number): number {
  return weight === 0 ? 0 : Math.max(weight, least);
}

/** What is wrong with the weights in settings that somebody wants to store. Null takes one back. */
export function weightErrors(settings: TenantSettings | undefined): FieldError[] {
  const at = 'body.settings.recall';
  const recall = settings?.['recall'];
  if (recall === undefined || recall === null) return [];
  if (!isObject(recall)) return [{ location: at, message: 'must be an object' }];
  const { weights } = recall;
  if (weights === undefined || weights === null) return [];
  if (!isObject(weights)) return [{ location: `${at}.weights`, message: 'must be an object' }];
  return Object.entries(weights).flatMap(([name, weight]) => {
    const location = `${at}.weights.${name}`;
    if (!isPart(name)) return [{ location, message: `must be one of ${RANKING_PARTS.join(', ')}` }];
    if (weight !== null && !isWeight(weight))
      return [{ location, message: `must be a number from 0 to ${LARGEST}, or null` }];
    return [];
  });
}

function isPart(name: string): name is RankingPart {
  return (RANKING_PARTS as readonly string[]).includes(name);
}

function isWeight(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LARGEST;
}

function membersOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
