import { DateTime } from 'luxon';
import { namedTimes } from '../../src/modules/memory/named-times.js';

/** A Wednesday. */
const NOW = DateTime.fromISO('2026-03-18T15:30:00', { zone: 'Europe/Berlin' });

const nearness = (wording: string, at: string): number =>
  Math.max(
    0,
    ...namedTimes(wording, NOW).map((near) => near(DateTime.fromISO(at, { zone: NOW.zone }).toMillis())),
  );

describe('a time that a question names', () => {
  it.each([
    ['What did Ada paint in July 2023?', '2023-07-31T23:59:00'],
    ['What did Ada paint in July?', '2021-07-01'],
    ['Who came on May 3, 2023?', '2023-05-03T20:00:00'],
    ['Who came on the 3rd of May 2023?', '2023-05-03'],
    ['Who came on 3 June?', '2024-06-03'],
    ['What happened in 2022', '2022-12-31'],
    ['what was said on 2023-05-07?', '2023-05-07T10:00:00'],
    ['What did we do yesterday?', '2026-03-17T09:00:00'],
    ['Where were we two weeks ago?', '2026-03-04'],
    ['Was it in 2020 or in 2023?', '2020-02-01'],
  ])('is met by a memory of it: %s %s', (wording, at) => {
    expect(nearness(wording, at)).toBe(1);
  });

  it('is the less near the further away, and not at all when it is another', () => {
    const asked = 'Who came on May 3, 2023?';
    const far = ['2023-05-05', '2023-05-08', '2023-05-12'].map((at) => nearness(asked, at));
    expect(far).toEqual([...far].sort((a, b) => b - a));
    expect(far.every((near) => near > 0 && near < 1)).toBe(true);
    expect(nearness(asked, '2023-05-03') - nearness(asked, '2023-05-02T12:00:00')).toBeLessThan(0.2);
    expect(nearness(asked, '2023-08-03')).toBe(0);
    expect(nearness('in July 2023', '2024-07-10')).toBe(0);
  });

  it('is the nearest one of every year, at the turn of the year as well', () => {
    expect(nearness('Who came in December?', '2024-01-03')).toBe(nearness('Who came in May?', '2024-06-03'));
    expect(nearness('Who came in January?', '2023-12-30')).toBe(
      nearness('Who came in August?', '2023-07-30'),
    );
    expect(nearness('Who came on 31 December?', '2024-01-02')).toBeGreaterThan(0.5);
  });

  it('is that of one year where it is the last one', () => {
    expect(nearness('Who came last July?', '2025-07-10')).toBe(1);
    expect(nearness('Who came last July?', '2023-07-10')).toBe(0);
  });

  it.each([
    'What may June say?',
    'Is it so that this may help?',
    'march to the beat',
    'ticket 20231',
    'When was it?',
    'room 1234',
    '',
  ])('is not in %j', (wording) => {
    expect(namedTimes(wording, NOW)).toEqual([]);
  });

  it('is found in time, however long the question is', () => {
    const startedAt = performance.now();
    for (const part of ['3 of ', 'May ', '2023-', '12 May ', 'in ', 'last ', 'the day before '])
      namedTimes(part.repeat(8_192 / part.length), NOW);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
