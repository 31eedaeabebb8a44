import { retryAfter, retryDelay } from '../../src/models/openai/retry-delay.js';

describe('the delay before another attempt', () => {
  it('doubles up to eight seconds', () => {
    expect([0, 1, 2, 3, 10].map((attempt) => retryDelay(attempt, null, 1))).toEqual([
      200, 400, 800, 1600, 8000,
    ]);
  });

  it('is spread over the half of itself', () => {
    expect(retryDelay(3, null, 0)).toBe(800);
  });

  it('is never less than what the server asks for', () => {
    expect(retryDelay(0, 5_000, 0.5)).toBe(5_000);
  });
});

describe('what a server says about coming back', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each<[Record<string, string>, number | null]>([
    [{}, null],
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:10 GMT' }, 10_000],
    [{ 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '9', 'retry-after-ms': '150' }, 150],
  ])('%j is %s ms', (headers, expected) => {
    expect(retryAfter(new Headers(headers), now)).toBe(expected);
  });
});
