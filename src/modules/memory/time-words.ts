import { DateTime, type DateTimeUnit } from 'luxon';
import { MONTHS } from '../enrichment/reading/dates.js';
import { plainTime, withoutLead } from './time-wording.js';

/** A stretch of time: from `start` on, and before `end`. Null: open on that side. */
export interface TimeRange {
  start: DateTime | null;
  end: DateTime | null;
}

/** A stretch with both its ends. */
interface Period {
  start: DateTime;
  end: DateTime;
}

/**
 * What words like 'last week', 'in May 2023', 'yesterday', 'since Monday' or '3 days ago' mean at a moment, in that
 * moment's zone. Weeks begin on Monday. A month, a weekday or a season without its year is the last one that has begun.
 * Seasons are the northern hemisphere's, by whole months. Null where the words are not understood.
 */
export function timeRange(words: string, now: DateTime): TimeRange | null {
  const text = plainTime(words);
  if (/^(?:ever|always|all time|any ?time)$/.test(text)) return { start: null, end: null };
  return between(text, now) ?? bounded(text, now) ?? period(text, now);
}

function between(text: string, now: DateTime): TimeRange | null {
  const two =
    /^between (.+) and (.+)$/.exec(text) ??
    /^(\d{4}-\S+?)(?:\/|\.\.)(\d{4}-\S+)$/.exec(text) ??
    /^(?:from )?(.+?) (?:to|until|till|through|-|–) (.+)$/.exec(text);
  const [, first = '', last = ''] = two ?? [];
  // 'from May to June 2023', 'May 3 to 7': what the first leaves out, the second may say.
  const end = period(withoutLead(last), now) ?? period(`${first.replace(/\d+$/, '')}${last}`, now);
  const year = /\b\d{4}$/.exec(last)?.[0] ?? '';
  const begins = /^\d{1,2}$/.test(first) ? last.replace(/^\d+/, first) : first;
  const start = (/\d{4}/.test(begins) ? null : period(`${begins} ${year}`, now)) ?? period(begins, now);
  if (two === null || start === null || end === null || end.end <= start.start) return null;
  return { start: start.start, end: end.end };
}

function bounded(text: string, now: DateTime): TimeRange | null {
  const [, word = '', rest = ''] =
    /^(since|after|from|before|prior to|until|till|up to|as|starting|earlier than|later than|older than|newer than) (?:as |from )?(.+)$/.exec(
      text,
    ) ?? [];
  const age = /^(?:older|newer) than$/.test(word) ? ageOf(rest, now) : null;
  if (age !== null) return word === 'older than' ? { start: null, end: age } : { start: age, end: null };
  const found = word === '' ? null : period(withoutLead(rest), now);
  if (found === null) return null;
  if (/^(?:since|from|as|starting|newer than)$/.test(word)) return { start: found.start, end: null };
  if (/^(?:after|later than)$/.test(word)) return { start: found.end, end: null };
  if (/^(?:until|till|up to)$/.test(word)) return { start: null, end: found.end };
  return { start: null, end: found.start };
}

/** The moment at which something is as old as '3 months'. */
function ageOf(text: string, now: DateTime): DateTime | null {
  const words = new RegExp(`^(?<count>\\d+) ${UNIT}(?: ago)?$`).exec(text)?.groups;
  return words === undefined ? null : back(words, now);
}

/** Each way of naming a time, tried in turn. */
function period(text: string, now: DateTime): Period | null {
  for (const [pattern, read] of WAYS) {
    const found = pattern.exec(text);
    const range = found && read(found.groups ?? {}, now);
    if (range && range.start.isValid && range.end.isValid) return range;
  }
  return null;
}

type Words = Partial<Record<string, string>>;

const UNIT = '(?<unit>minute|hour|day|week|month|quarter|year)s?';
const MONTH = `(?<month>${MONTHS.map((name) => (name === 'may' ? name : `${name.slice(0, 3)}(?:${name.slice(3)})?`)).join('|')}|sept)\\.?`;
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const WEEKDAY = `(?<weekday>${WEEKDAYS.map((name) => `${name.slice(0, 3)}(?:${name.slice(3)})?`).join('|')}|tues|thur|thurs)`;
const LAST = '(?:last|past|previous|prior)';
const NTH = '(?<nth>first|second|third|fourth|[1-4])';
/** The first month of each, by whole months. */
const SEASONS: Record<string, number> = { spring: 3, summer: 6, autumn: 9, fall: 9, winter: 12 };
/** The hours of a day's parts; a night ends on the next day. */
const PARTS: Record<string, [number, number]> = {
  morning: [5, 12],
  afternoon: [12, 18],
  evening: [18, 24],
  night: [18, 30],
};

const WAYS: [RegExp, (words: Words, now: DateTime) => Period | null][] = [
  way('now|today', (_, now) => whole('day', now)),
  way('tonight', (_, now) => partOf(now, 'night')),
  way('yesterday', (_, now) => whole('day', now.minus({ days: 1 }))),
  way('day before yesterday', (_, now) => whole('day', now.minus({ days: 2 }))),
  way('tomorrow', (_, now) => whole('day', now.plus({ days: 1 }))),
  way('recently|lately', (_, now) => ({ start: now.minus({ days: 14 }), end: now })),
  way(
    '(?<which>this|yesterday|tomorrow|last) (?<part>morning|afternoon|evening|night)',
    ({ which, part }, now) =>
      partOf(now.plus({ days: which === 'this' ? 0 : which === 'tomorrow' ? 1 : -1 }), part ?? ''),
  ),
  way(`(?:this|current) ${UNIT}`, ({ unit }, now) => whole(unit, now)),
  way(`${LAST} (?<count>\\d+) ${UNIT}`, (words, now) => ({ start: back(words, now), end: now })),
  way(`(?<count>\\d+) ${UNIT}`, (words, now) => ({ start: back(words, now), end: now })),
  way(`${LAST} (?<unit>minute|hour)`, (words, now) => ({
    start: back({ ...words, count: '1' }, now),
    end: now,
  })),
  way(`${LAST} ${UNIT}`, (words, now) => whole(words['unit'], back({ ...words, count: '1' }, now))),
  way(`next ${UNIT}`, ({ unit = 'day' }, now) => whole(unit, now.plus({ [unit]: 1 }))),
  way(`(?<count>\\d+) ${UNIT} (?:ago|back|earlier)`, (words, now) => whole(words['unit'], back(words, now))),
  way('(?<which>this|last|past|previous|next)? ?weekend', ({ which }, now) => weekend(which, now)),
  way(`(?<which>last|past|previous|this|next)? ?${WEEKDAY}`, ({ which, weekday }, now) =>
    whole('day', dayOfWeek(which, weekday ?? '', now)),
  ),
  way('(?<year>\\d{4})', ({ year }, now) => whole('year', now.set({ year: Number(year) }))),
  way('(?<iso>\\d{4}-\\d{2})', ({ iso }, now) => whole('month', isoIn(iso, now))),
  way('(?<iso>\\d{4}-w\\d{2})', ({ iso }, now) => whole('week', isoIn(iso?.toUpperCase(), now))),
  way('(?<iso>\\d{4}-\\d{2}-\\d{2})', ({ iso }, now) => whole('day', isoIn(iso, now))),
  way('(?<iso>\\d{4}-\\d{2}-\\d{2}t\\S+)', ({ iso }, now) => whole('second', isoIn(iso?.toUpperCase(), now))),
  way('(?<iso>\\d{4}/\\d{1,2}/\\d{1,2})', ({ iso = '' }, now) => dated(iso.split('/'), now)),
  way('(?<date>\\d{1,2}\\.\\d{1,2}\\.\\d{4})', ({ date = '' }, now) => dated(date.split('.').reverse(), now)),
  way('(?<date>\\d{1,2}/\\d{1,2}/\\d{4})', ({ date = '' }, now) => slashed(date, now)),
  way('(?<century>\\d{2})?(?<decade>\\d0)s', ({ century, decade }, now) => {
    const latest = now.year - ((now.year - Number(decade)) % 100);
    const year = century === undefined ? latest : Number(`${century}${decade}`);
    const start = now.set({ year }).startOf('year');
    return { start, end: start.plus({ years: 10 }) };
  }),
  way('q(?<nth>[1-4])(?: (?<year>\\d{4}))?', quarterOf),
  way(`${NTH} quarter(?: (?<year>\\d{4}))?`, quarterOf),
  way(`${NTH} week (?<rest>.+)`, ({ nth, rest = '' }, now) => nthWeek(nth, period(withoutLead(rest), now))),
  way('week (?<rest>.+)', ({ rest = '' }, now) => weekAround(period(withoutLead(rest), now))),
  way('(?:earlier|so far) (?<rest>this .+|today)', ({ rest = '' }, now) => upTo(now, period(rest, now))),
  way('(?<unit>week|month|quarter|year) to date', ({ unit }, now) => upTo(now, whole(unit, now))),
  way('(?<part>early|mid|late|beginning|start|middle|end)[ -](?<rest>.+)', ({ part, rest = '' }, now) =>
    third(part, period(withoutLead(rest), now)),
  ),
  way(`(?:this |${LAST} )?${MONTH}(?: (?<year>\\d{4}))?`, ({ month, year }, now) => {
    const of = (y: number) => now.set({ year: y, month: monthNumber(month), day: 1 });
    return whole('month', begun(of, year, now));
  }),
  way(`${MONTH} (?<day>\\d{1,2})(?: (?<year>\\d{4}))?`, dayOfMonth),
  way(`(?<day>\\d{1,2}) ${MONTH}(?: (?<year>\\d{4}))?`, dayOfMonth),
  way(`(?:this |${LAST} )?(?<season>spring|summer|autumn|fall|winter)(?: (?<year>\\d{4}))?`, season),
];

function way(pattern: string, read: (words: Words, now: DateTime) => Period | null): (typeof WAYS)[number] {
  return [new RegExp(`^(?:${pattern})$`), read];
}

function whole(unit: string | undefined, at: DateTime): Period {
  const named = (unit ?? 'day') as DateTimeUnit;
  const start = at.startOf(named);
  return { start, end: start.plus({ [named]: 1 }) };
}

function back({ count, unit = 'day' }: Words, now: DateTime): DateTime {
  return now.minus({ [unit]: Number(count) });
}

function isoIn(iso: string | undefined, { zone }: DateTime): DateTime {
  return DateTime.fromISO(iso ?? '', { zone });
}

/** In the year that is named; else in the last one in which it has begun. */
function begun(of: (year: number) => DateTime, year: string | undefined, now: DateTime): DateTime {
  if (year !== undefined) return of(Number(year));
  // The 29th of February has not begun in every year.
  const years = Array.from({ length: 9 }, (_, ago) => of(now.year - ago));
  return years.find((start) => start.isValid && start.startOf('day') <= now) ?? of(now.year);
}

function monthNumber(name: string | undefined): number {
  return MONTHS.findIndex((month) => month.startsWith((name ?? '').slice(0, 3))) + 1;
}

function dayOfMonth({ month, day, year }: Words, now: DateTime): Period | null {
  const number = Number(day);
  const of = (y: number) =>
    DateTime.fromObject({ year: y, month: monthNumber(month), day: number }, { zone: now.zone });
  return number === 0 ? null : whole('day', begun(of, year, now));
}

/** Year, month and day. */
function dated([year, month, day]: string[], { zone }: DateTime): Period {
  return whole(
    'day',
    DateTime.fromObject({ year: Number(year), month: Number(month), day: Number(day) }, { zone }),
  );
}

/** 5/14/2023 and 14/5/2023. Of 5/6/2023 nobody can tell which is the month. */
function slashed(date: string, now: DateTime): Period | null {
  const [first = '', second = '', year = ''] = date.split('/');
  if (first === second || Number(second) > 12) return dated([year, first, second], now);
  return Number(first) > 12 ? dated([year, second, first], now) : null;
}

const NTHS: Record<string, number> = { first: 1, second: 2, third: 3, fourth: 4 };

function quarterOf({ nth = '', year }: Words, now: DateTime): Period {
  const quarter = NTHS[nth] ?? Number(nth);
  const of = (y: number) => now.set({ year: y, month: quarter * 3 - 2, day: 1 });
  return whole('quarter', begun(of, year, now));
}

/** Weeks of a month are counted from its first day. */
function nthWeek(nth = '', of: Period | null): Period | null {
  if (of === null) return null;
  const start = of.start.plus({ weeks: (NTHS[nth] ?? Number(nth)) - 1 });
  return start < of.end ? { start, end: start.plus({ weeks: 1 }) } : null;
}

function weekAround(day: Period | null): Period | null {
  return day && whole('week', day.start);
}

function upTo(now: DateTime, of: Period | null): Period | null {
  return of !== null && of.start < now ? { start: of.start, end: DateTime.min(of.end, now) } : null;
}

function season({ season: name = '', year }: Words, now: DateTime): Period {
  const of = (y: number) => now.set({ year: y, month: SEASONS[name] ?? 1, day: 1 });
  const start = begun(of, year, now).startOf('month');
  return { start, end: start.plus({ months: 3 }) };
}

/** The last such day before today; this week's with 'this', the coming one with 'next'. */
function dayOfWeek(which: string | undefined, name: string, now: DateTime): DateTime {
  const day = WEEKDAYS.findIndex((weekday) => weekday.startsWith(name.slice(0, 3))) + 1;
  const days = day - now.weekday;
  if (which === 'this') return now.plus({ days });
  if (which === 'next') return now.plus({ days: days > 0 ? days : days + 7 });
  return now.plus({ days: days < 0 ? days : days - 7 });
}

/** Saturday and Sunday: the last ones that have begun, or those of the week that is named. */
function weekend(which: string | undefined, now: DateTime): Period {
  const saturday = now.startOf('week').plus({ days: 5 });
  const weeks =
    { this: 0, next: 1, last: -1, past: -1, previous: -1 }[which ?? ''] ?? (saturday > now ? -1 : 0);
  const start = saturday.plus({ weeks });
  return { start, end: start.plus({ days: 2 }) };
}

function partOf(day: DateTime, part: string): Period {
  const [from, to] = PARTS[part] ?? [0, 24];
  const midnight = day.startOf('day');
  return { start: midnight.plus({ hours: from }), end: midnight.plus({ hours: to }) };
}

function third(part: string | undefined, of: Period | null): Period | null {
  if (of === null) return null;
  const length = of.end.diff(of.start).as('milliseconds') / 3;
  const at = /^(?:early|beginning|start)$/.test(part ?? '') ? 0 : /^mid/.test(part ?? '') ? 1 : 2;
  const start = of.start.plus(length * at);
  return { start, end: at === 2 ? of.end : start.plus(length) };
}
