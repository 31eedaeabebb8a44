const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 8_000;

/**
 * How long to wait before trying again, in ms. Doubles with every attempt (the first is 0), and is spread over
 * the half of it, so that many who failed together do not come back together. Never less than the server asked for.
 * `random` is in [0, 1).
 */
export function retryDelay(attempt: number, retryAfterMs: number | null, random: number): number {
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return Math.max(retryAfterMs ?? 0, (longest * (1 + random)) / 2);
}

/**
 * What a server's reply says about when to come back, in ms from `now` (ms since 1970); null where it says nothing.
 * `Retry-After` is seconds or a date (RFC 9110, 10.2.3); `retry-after-ms` is OpenAI's.
 */
export function retryAfter(headers: { get(name: string): string | null }, now: number): number | null {
  const exact = headers.get('retry-after-ms');
  if (exact !== null && /^\d+(\.\d+)?$/.test(exact)) return Number(exact);
  const value = headers.get('retry-after');
  if (value === null) return null;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
