export const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
] as const;
const MONTH = `(?:${MONTHS.map((name) => `${name}|${name.slice(0, 3)}\\.?`).join('|')}|sept\\.?)`;
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
const YEAR = '(?:19|20)\\d{2}';
const DAY = '(?:0?[1-9]|[12]\\d|3[01])(?:st|nd|rd|th)?';
const DAY_MS = 86_400_000;

const ISO = new RegExp(`\\b(${YEAR})-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\\d|3[01]))?\\b`, 'g');
const DAY_FIRST = new RegExp(`\\b(${DAY})(?: of)? (${MONTH}),? (${YEAR})\\b`, 'gi');
const MONTH_FIRST = new RegExp(`\\b(${MONTH}) (${DAY}),? (${YEAR})\\b`, 'gi');
const MONTH_ALONE = new RegExp(`\\b(${MONTH}),? (${YEAR})\\b`, 'gi');
const YEAR_ALONE = new RegExp(`\\b(?:in|since|during|until|by|of|from) (${YEAR})\\b`, 'gi');
const RELATIVE = new RegExp(
  `\\b(today|yesterday|tomorrow|last (?:${WEEKDAYS.join('|')})|(?:last|next|this) (?:month|year))\\b`,
  'gi',
);

/**
 * The dates that a text names, as ISO 8601 says them: '2023-05-12', '2024-03', '2023', once each. Words such as
 * 'yesterday' or 'last Friday' are of the day on which it was said (UTC).
 */
export function datesIn(text: string, said: Date): string[] {
  const found = new Set<string>();
  let rest = text;
  /** What was read is taken out, so that the month of a day is not found as a month too. */
  const take = (pattern: RegExp, read: (groups: string[]) => string | null) => {
    rest = rest.replace(pattern, (match: string, ...groups: unknown[]) => {
      const date = read(groups.filter((group): group is string => typeof group === 'string'));
      if (date === null) return match;
      found.add(date);
      return ' ';
    });
  };
  take(ISO, ([year = '', month = '', day]) =>
    day === undefined || !/^\d{2}$/.test(day) ? `${year}-${month}` : realDay(year, month, day),
  );
  take(DAY_FIRST, ([day = '', month = '', year = '']) => realDay(year, monthNumber(month), dayNumber(day)));
  take(MONTH_FIRST, ([month = '', day = '', year = '']) => realDay(year, monthNumber(month), dayNumber(day)));
  take(MONTH_ALONE, ([month = '', year = '']) => `${year}-${monthNumber(month)}`);
  take(YEAR_ALONE, ([year = '']) => year);
  take(RELATIVE, ([words = '']) => relativeDate(words.toLowerCase(), said));
  return [...found];
}

function relativeDate(words: string, said: Date): string | null {
  const day = (offset: number) => new Date(said.getTime() + offset * DAY_MS).toISOString().slice(0, 10);
  if (words === 'today') return day(0);
  if (words === 'yesterday') return day(-1);
  if (words === 'tomorrow') return day(1);
  const [which = '', unit = ''] = words.split(' ');
  const step = which === 'last' ? -1 : which === 'next' ? 1 : 0;
  if (unit === 'year') return String(said.getUTCFullYear() + step);
  if (unit === 'month') {
    return new Date(Date.UTC(said.getUTCFullYear(), said.getUTCMonth() + step, 1)).toISOString().slice(0, 7);
  }
  const weekday = (WEEKDAYS as readonly string[]).indexOf(unit);
  return weekday < 0 ? null : day(-(((said.getUTCDay() - weekday + 6) % 7) + 1));
}

function realDay(year: string, month: string, day: string): string | null {
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day)
    ? `${year}-${month}-${day}`
    : null;
}

function monthNumber(name: string): string {
  const start = name.toLowerCase().slice(0, 3);
  return String(MONTHS.findIndex((month) => month.startsWith(start)) + 1).padStart(2, '0');
}

function dayNumber(day: string): string {
  return String(parseInt(day, 10)).padStart(2, '0');
}
