import type { Watermark } from '../projection.js';

export const NOTHING_APPLIED: Watermark = { ledger: null, revision: 0 };

export function sameWatermark(a: Watermark, b: Watermark): boolean {
  return a.ledger === b.ledger && a.revision === b.revision;
}
