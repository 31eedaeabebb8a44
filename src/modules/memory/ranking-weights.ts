import { SettingsError } from '../../platform/config/environment.js';
import { DEFAULT_WEIGHTS, RANKING_PARTS, type RankingPart, type RankingWeights } from './recall-ranking.js';

/** The default weights with some of them replaced. Throws `SettingsError` for a part that is none, or a negative weight. */
export function rankingWeights(overrides: Readonly<Record<string, number>>): RankingWeights {
  const weights = { ...DEFAULT_WEIGHTS };
  for (const [name, weight] of Object.entries(overrides)) {
    if (!isPart(name) || weight < 0) {
      throw new SettingsError(
        'LOCI_RECALL_WEIGHTS',
        `takes ${RANKING_PARTS.join(', ')}, none of them negative`,
      );
    }
    weights[name] = weight;
  }
  return weights;
}

function isPart(name: string): name is RankingPart {
  return (RANKING_PARTS as readonly string[]).includes(name);
}
