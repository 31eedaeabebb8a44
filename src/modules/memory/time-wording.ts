const NUMBERS: Record<string, number> = {
  a: 1,
  an: 1,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
};

/** In one form: small letters, single spaces, numbers in digits, nothing that only leads up to the time. */
export function plainTime(words: string): string {
  const text = words
    .toLowerCase()
    .replace(/[’']s\b/g, '')
    .replace(/[,!?]+|\.+$/g, ' ')
    .replace(/\b(\d{1,2})(?:st|nd|rd|th)\b/g, '$1')
    .replace(/\b(\d+) ?(h|hrs?|d|wk?s?|mins?|mos?|yrs?)\b/g, (_, count: string, unit: string) => {
      return `${count} ${UNITS[unit.slice(0, 2)] ?? UNITS[unit.slice(0, 1)] ?? unit}s`;
    })
    .replace(/\bhalf a year\b/g, '6 months')
    .replace(/\b(?:a )?couple(?: of)?\b/g, '2')
    .replace(/\b(?:a )?few\b/g, '3')
    .replace(/\b(?:the|of)\b/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const counted = text.replace(/\b[a-z]+\b(?= (?:minute|hour|day|week|month|year)s?\b)/g, digits);
  return withoutLead(
    counted
      .replace(/^(?:over|more than|at least|longer than) (\d.*) ago$/, 'older than $1')
      .replace(/^(?:less than|under|not more than) (\d.*) ago$/, 'newer than $1'),
  );
}

/** How units are cut short. */
const UNITS: Record<string, string> = {
  h: 'hour',
  d: 'day',
  w: 'week',
  mi: 'minute',
  mo: 'month',
  y: 'year',
};

function digits(word: string): string {
  return String(NUMBERS[word] ?? word);
}

/** 'in May' is May, as 'throughout May' is. */
export function withoutLead(text: string): string {
  return text.replace(
    /^(?:(?:in|on|at|during|over|within|for|around|about|sometime|throughout|all(?! time)|whole|entire) )+/,
    '',
  );
}
