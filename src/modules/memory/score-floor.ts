/** What scores less than this share of the best is far below it. */
const FAR_BELOW = 0.5;
/** And so is all that comes after a drop from one to the next of this share of the best score. */
const PLUNGE = 0.25;

/** Told by the scores themselves, or a share of the best that the caller names: 0..1. */
export type ScoreFloor = 'adaptive' | number;

/**
 * The best without the long tail far below them: down to half the best score, and no further than where the scores
 * plunge by a quarter of it at once; or down to the share of it that is named. The best is always there; where nothing has a
 * score, everything is.
 *
 * @param ranked best first
 */
export function aboveFloor<One extends { score: number }>(ranked: readonly One[], floor: ScoreFloor): One[] {
  const best = ranked[0]?.score ?? 0;
  const least = best * (floor === 'adaptive' ? FAR_BELOW : floor);
  const plunge = floor === 'adaptive' && best > 0 ? best * PLUNGE : Infinity;
  const end = ranked.findIndex(({ score }, at) => {
    const before = ranked[at - 1]?.score ?? best;
    return score < least || before - score >= plunge;
  });
  return end === -1 ? [...ranked] : ranked.slice(0, end);
}
