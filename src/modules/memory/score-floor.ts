/** What scores less than this share of the best is far below it. */
const FAR_BELOW = 0.5;
/** And so is all that comes after a drop from one to the next of this share of the best score. */
const PLUNGE = 0.25;

/**
 * The best without the long tail far below them: down to half the best score, and no further than where the scores
 * plunge by a quarter of it at once. The best is always there; where nothing has a score, everything is.
 *
 * @param ranked best first
 */
export function aboveFloor<One extends { score: number }>(ranked: readonly One[]): One[] {
  const best = ranked[0]?.score ?? 0;
  const end = ranked.findIndex(({ score }, at) => {
    const before = ranked[at - 1]?.score ?? best;
    return score < FAR_BELOW * best || (best > 0 && before - score >= PLUNGE * best);
  });
  return end === -1 ? [...ranked] : ranked.slice(0, end);
}
