import type { DateTime } from 'luxon';
import { MONTHS } from '../enrichment/reading/dates.js';
import { timeRange } from './time-words.js';

/** A time that a question names: how near to it a memory's own time is (milliseconds since 1970), 0..1. */
export type NamedTime = (timestamp: number) => number;

/** More than a question asks for. */
const MOST_TIMES = 8;
/** What happened is told some days later: half as near for so long, or for half the length of the time that is named. */
const HALF_AS_NEAR_MS = 3 * 24 * 60 * 60 * 1_000;
/** So many halves away it is another time. */
const MOST_HALVES = 4;

const MONTH = MONTHS.map((name) => (name === 'may' ? name : `${name.slice(0, 3)}(?:${name.slice(3)})?`)).join(
  '|',
);
const DAY = '\\d{1,2}(?:st|nd|rd|th)?';
const WITH_DIGITS = `(?:${DAY} (?:of )?)?(?:${MONTH})\\.?(?: ${DAY}(?!\\d))?,? \\d{4}|${DAY} (?:of )?(?:${MONTH})|(?:${MONTH})\\.? ${DAY}(?!\\d)`;
/** Bare names of months are names of people and verbs as well. */
const ALONE = `(?<=\\b(?:in|during|since|until|before|after|early|late) )(?:${MONTHS.join('|')})`;
// 'This may be so' names no month.
const RELATIVE = `(?:last|this(?! may\\b)) (?:${MONTHS.join('|')})|(?:the day before )?yesterday|today|tonight|last night|(?:this|last) (?:week(?:end)?|month|year|spring|summer|autumn|fall|winter)|(?:\\d+|an?|one|two|three|four|five|six) (?:day|week|month|year)s? ago`;
const TIMES = new RegExp(
  `\\b(?:\\d{4}-\\d{2}(?:-\\d{2})?|${WITH_DIGITS}|(?:19|20)\\d{2}|${ALONE}|${RELATIVE})\\b`,
  'gi',
);
const NAMES_MONTH = new RegExp(`\\b(?:${MONTH})\\b`, 'i');

/** The times that are named in a question, in English: 'in July 2023', 'on 3 June', 'last week'. A month without its year is every year's. */
export function namedTimes(wording: string, now: DateTime): NamedTime[] {
  const found = Array.from(wording.matchAll(TIMES), ([words]) => words);
  return [...new Set(found)].slice(0, MOST_TIMES).flatMap((words) => {
    const { start, end } = timeRange(words, now) ?? { start: null, end: null };
    if (start === null || end === null) return [];
    const everyYear = NAMES_MONTH.test(words) && !/\d{4}|^(?:this|last) /i.test(words);
    return [everyYear ? everyYearsNearness(start, end) : (timestamp) => nearness(timestamp, start, end)];
  });
}

function everyYearsNearness(start: DateTime, end: DateTime): NamedTime {
  const ofYear = new Map<number, [DateTime, DateTime]>();
  return (timestamp) => {
    const year = new Date(timestamp).getUTCFullYear();
    const ofThat = (at: number): number => {
      const years = at - start.year;
      const known = ofYear.get(at) ?? [start.plus({ years }), end.plus({ years })];
      ofYear.set(at, known);
      return nearness(timestamp, ...known);
    };
    // What happened in December is told in January, too.
    return Math.max(ofThat(year - 1), ofThat(year), ofThat(year + 1));
  };
}

function nearness(timestamp: number, start: DateTime, end: DateTime): number {
  const [from, until] = [start.toMillis(), end.toMillis()];
  const away = timestamp < from ? from - timestamp : Math.max(0, timestamp - until);
  const halves = away / Math.max(HALF_AS_NEAR_MS, (until - from) / 2);
  return halves > MOST_HALVES ? 0 : 2 ** -halves;
}
