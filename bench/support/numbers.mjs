/** The value below which so large a share of the sample lies. */
export function quantile(sample, share) {
  const sorted = [...sample].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function p50(sample) {
  return quantile(sample, 0.5);
}

export function p95(sample) {
  return quantile(sample, 0.95);
}

export function mean(sample) {
  return sample.reduce((sum, value) => sum + value, 0) / sample.length;
}

export function round(value, digits = 2) {
  return Number(value.toFixed(digits));
}

/** Numbers from 0 to 1 that are the same in every run. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A vector of unit length. */
export function randomVector(random, dimensions) {
  const vector = Array.from({ length: dimensions }, () => random() + random() + random() - 1.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => round(value / length, 6));
}
