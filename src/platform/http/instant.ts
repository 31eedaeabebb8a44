import type { FieldRule } from './field-rules.js';

const ISO_8601 =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/**
 * An ISO 8601 date, or date and time, as an instant; null where it is none. A day must exist in its month.
 * Without a zone it is UTC, a date alone is its midnight; beyond milliseconds digits are cut. An instant that is in the
 * year 0 or 10000 by UTC is none: nobody could read what would be shown for it.
 */
export function parseInstant(text: string): Date | null {
  const match = ISO_8601.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match;
  const y = Number(year);
  const mo = Number(month);
  const d = Number(day);
  if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > daysIn(y, mo)) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  const offset = zoneMinutes(zone);
  if (offset === null) return null;
  const instant = new Date(0);
  instant.setUTCFullYear(y, mo - 1, d);
  instant.setUTCHours(
    Number(hour),
    Number(minute) - offset,
    Number(second),
    Number(fraction.slice(0, 3).padEnd(3, '0')),
  );
  const shown = instant.getUTCFullYear();
  return shown < 1 || shown > 9_999 ? null : instant;
}

function daysIn(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** East of UTC is positive; null beyond the 14 hours that exist. */
function zoneMinutes(zone: string): number | null {
  if (zone.toUpperCase() === 'Z') return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  if (Number(digits.slice(2)) > 59 || minutes > 14 * 60) return null;
  return zone.startsWith('-') ? -minutes : minutes;
}

export const instantRule: FieldRule = {
  check(value) {
    const good = typeof value === 'string' && value.length <= 40 && parseInstant(value) !== null;
    return good
      ? null
      : {
          at: '',
          message: 'must be a date, or date and time, that exists, in ISO 8601: 2026-01-31T09:30:00Z',
        };
  },
  /** A `+` that nobody escaped arrives as a space: `…T09:30:00 02:00`. */
  fromQuery: (raw) =>
    typeof raw === 'string' ? raw.replace(/(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$/, '$1+$2') : raw,
};
