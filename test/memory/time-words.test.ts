import fc from 'fast-check';
import { DateTime } from 'luxon';
import { timeRange } from '../../src/modules/memory/time-words.js';

/** A Wednesday. */
const NOW = DateTime.fromISO('2026-03-18T15:30:00', { zone: 'Europe/Berlin' });

function told(words: string, now = NOW): string | null {
  const range = timeRange(words, now);
  if (range === null) return null;
  const side = (at: DateTime | null) =>
    at === null ? '…' : at.toFormat(at.equals(at.startOf('day')) ? 'yyyy-MM-dd' : "yyyy-MM-dd'T'HH:mm");
  return `${side(range.start)} ${side(range.end)}`;
}

describe('a time in words', () => {
  it.each([
    ['today', '2026-03-18 2026-03-19'],
    ['yesterday', '2026-03-17 2026-03-18'],
    ['the day before yesterday', '2026-03-16 2026-03-17'],
    ['yesterday evening', '2026-03-17T18:00 2026-03-18'],
    ['last night', '2026-03-17T18:00 2026-03-18T06:00'],
    ['this week', '2026-03-16 2026-03-23'],
    ['last week', '2026-03-09 2026-03-16'],
    ['Last month', '2026-02-01 2026-03-01'],
    ['last year', '2025-01-01 2026-01-01'],
    ['this quarter', '2026-01-01 2026-04-01'],
    ['last 24 hours', '2026-03-17T15:30 2026-03-18T15:30'],
    ['in the past three days', '2026-03-15T15:30 2026-03-18T15:30'],
    ['a couple of weeks ago', '2026-03-02 2026-03-09'],
    ['2 days ago', '2026-03-16 2026-03-17'],
    ['a year ago', '2025-01-01 2026-01-01'],
    ['Monday', '2026-03-16 2026-03-17'],
    ['on Wednesday', '2026-03-11 2026-03-12'],
    ['last Fri', '2026-03-13 2026-03-14'],
    ['last weekend', '2026-03-14 2026-03-16'],
    ['in May 2023', '2023-05-01 2023-06-01'],
    ['in May', '2025-05-01 2025-06-01'],
    ['March', '2026-03-01 2026-04-01'],
    ['early May 2023', '2023-05-01 2023-05-11T08:00'],
    ['the 5th of May, 2023', '2023-05-05 2023-05-06'],
    ['May 5', '2025-05-05 2025-05-06'],
    ['29 February', '2024-02-29 2024-03-01'],
    ['2023', '2023-01-01 2024-01-01'],
    ['2023-05', '2023-05-01 2023-06-01'],
    ['2023-05-07', '2023-05-07 2023-05-08'],
    ['Q2 2023', '2023-04-01 2023-07-01'],
    ['last summer', '2025-06-01 2025-09-01'],
    ['in winter 2023', '2023-12-01 2024-03-01'],
    ['since Monday', '2026-03-16 …'],
    ['after May 2023', '2023-06-01 …'],
    ['before 2024', '… 2024-01-01'],
    ['until yesterday', '… 2026-03-18'],
    ['older than 3 months', '… 2025-12-18T15:30'],
    ['newer than 2 days', '2026-03-16T15:30 …'],
    ['over a year ago', '… 2025-03-18T15:30'],
    ['more than 2 years ago', '… 2024-03-18T15:30'],
    ['less than 3 days ago', '2026-03-15T15:30 …'],
    ['prior to May 2023', '… 2023-05-01'],
    ['the past hour', '2026-03-18T14:30 2026-03-18T15:30'],
    ['last 48h', '2026-03-16T15:30 2026-03-18T15:30'],
    ['7d', '2026-03-11T15:30 2026-03-18T15:30'],
    ['past 2 wks', '2026-03-04T15:30 2026-03-18T15:30'],
    ['half a year ago', '2025-09-01 2025-10-01'],
    ['earlier this week', '2026-03-16 2026-03-18T15:30'],
    ['year to date', '2026-01-01 2026-03-18T15:30'],
    ['throughout May 2023', '2023-05-01 2023-06-01'],
    ['at the end of May 2023', '2023-05-21T16:00 2023-06-01'],
    ['the beginning of 2024', '2024-01-01 2024-05-02T01:00'],
    ['the first week of May 2023', '2023-05-01 2023-05-08'],
    ['the week of May 10, 2023', '2023-05-08 2023-05-15'],
    ['in the second quarter of 2023', '2023-04-01 2023-07-01'],
    ['the 90s', '1990-01-01 2000-01-01'],
    ['the 20s', '2020-01-01 2030-01-01'],
    ['the 30s', '1930-01-01 1940-01-01'],
    ['in the 2010s', '2010-01-01 2020-01-01'],
    ['14.05.2023', '2023-05-14 2023-05-15'],
    ['5/14/2023', '2023-05-14 2023-05-15'],
    ['2023/05/14', '2023-05-14 2023-05-15'],
    ['2023-05-01/2023-05-07', '2023-05-01 2023-05-08'],
    ['2023-05-01..2023-05-07', '2023-05-01 2023-05-08'],
    ['between May and July 2023', '2023-05-01 2023-08-01'],
    ['from May 3 to 7, 2023', '2023-05-03 2023-05-08'],
    ['from 3 to 7 May 2023', '2023-05-03 2023-05-08'],
    ['2023-05-01 to 2023-05-07', '2023-05-01 2023-05-08'],
    ['all time', '… …'],
  ])('%s is %s', (words, range) => {
    expect(told(words)).toBe(range);
  });

  it.each([
    '',
    'soon',
    'when it rained',
    '31 February',
    '13 smarch',
    'May 0',
    'between May',
    '2023-13',
    '5/6/2023',
    '31.2.2023',
    'earlier',
  ])('%j is none', (words) => {
    expect(timeRange(words, NOW)).toBeNull();
  });

  it('begins and ends by the zone’s own days, also where its clocks are changed', () => {
    const range = timeRange('29 March 2026', NOW);
    expect(range?.start?.toUTC().toISO()).toBe('2026-03-28T23:00:00.000Z');
    expect(range?.end?.toUTC().toISO()).toBe('2026-03-29T22:00:00.000Z');
    const elsewhere = NOW.setZone('Pacific/Auckland');
    expect(timeRange('today', elsewhere)?.start?.toUTC().toISO()).toBe('2026-03-18T11:00:00.000Z');
  });

  it('is either none or does not end before it begins, whatever the words', () => {
    const words = fc.constantFrom(
      ...'since between and last next this 3 2023 may monday weekend ago days of early 31 - to summer q2 end week first earlier over than older 5/14/2023 90s'.split(
        ' ',
      ),
    );
    const phrase = fc.oneof(
      fc.array(words, { maxLength: 7 }).map((list) => list.join(' ')),
      fc.string({ maxLength: 40 }),
    );
    fc.assert(
      fc.property(phrase, (text) => {
        const { start = null, end = null } = timeRange(text, NOW) ?? {};
        if (start !== null && end !== null) expect(end.toMillis()).toBeGreaterThan(start.toMillis());
      }),
      { numRuns: 2_000 },
    );
  });
});
