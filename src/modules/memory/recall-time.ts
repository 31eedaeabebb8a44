import { DateTime, IANAZone } from 'luxon';
import type { FieldError } from '../../platform/errors/domain-error.js';
import { parseInstant } from '../../platform/http/instant.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import type { TenantSettings } from '../../tenancy/principal.js';
import { timeRange } from './time-words.js';

/** The fields of a recall that say when. */
interface AskedTime {
  start?: string;
  end?: string;
  time_query?: string;
  time_zone?: string;
}

/** What the words were taken to mean, and by which clock: the answer says so. */
export interface UnderstoodTime {
  query: string;
  start: Date | null;
  /** Exclusive. */
  end: Date | null;
  zone: string;
  now: Date;
}

export interface WantedTime {
  /** Inclusive, milliseconds since 1970. */
  from?: number;
  until?: number;
  /** In which days begin. */
  zone: string;
  understood: UnderstoodTime | null;
}

const ZONE_SAYS = "must be a time zone's name, as Europe/Berlin";
const UNDERSTOOD =
  "'last week', 'in May 2023', 'yesterday', '3 days ago', 'since Monday', 'between May and July'";

/**
 * When what is asked for was: `start` to `end`, within what the words of `time_query` mean in the zone that the request
 * names, or the tenant's `settings.recall.time_zone`, or UTC.
 *
 * Throws `RequestInvalid` for words or a zone that nobody knows, and where the time ends before it begins.
 */
export function wantedTime(asked: AskedTime, settings: TenantSettings, now = new Date()): WantedTime {
  const start = asked.start === undefined ? undefined : parseInstant(asked.start)?.getTime();
  const end = asked.end === undefined ? undefined : parseInstant(asked.end)?.getTime();
  if (start !== undefined && end !== undefined && end < start) {
    refuse('end', 'must not be before start');
  }
  if (asked.time_zone !== undefined && !isZone(asked.time_zone)) refuse('time_zone', ZONE_SAYS);
  const zone = asked.time_zone ?? zoneOf(settings);
  const understood = asked.time_query === undefined ? null : understand(asked.time_query, zone, now);
  const from = Math.max(start ?? -Infinity, understood?.start?.getTime() ?? -Infinity);
  const until = Math.min(end ?? Infinity, (understood?.end?.getTime() ?? Infinity) - 1);
  return {
    ...(from === -Infinity ? {} : { from }),
    ...(until === Infinity ? {} : { until }),
    zone,
    understood,
  };
}

function understand(query: string, zone: string, now: Date): UnderstoodTime {
  const range = timeRange(query, DateTime.fromJSDate(now, { zone }));
  if (range === null)
    return refuse('time_query', `must be a time in words that are understood: ${UNDERSTOOD}`);
  return {
    query,
    start: range.start?.toJSDate() ?? null,
    end: range.end?.toJSDate() ?? null,
    zone,
    now,
  };
}

/** The zone in which a tenant's days begin. */
export function zoneOf(settings: TenantSettings): string {
  const { recall } = settings;
  const zone =
    typeof recall === 'object' && recall !== null ? (recall as { time_zone?: unknown }).time_zone : null;
  return typeof zone === 'string' && isZone(zone) ? zone : 'UTC';
}

/** What is wrong with the zone in settings that somebody wants to store. Null takes it back. */
export function timeZoneErrors(settings: TenantSettings | undefined): FieldError[] {
  const recall = settings?.['recall'];
  if (typeof recall !== 'object' || recall === null) return [];
  const { time_zone: zone } = recall as { time_zone?: unknown };
  if (zone === undefined || zone === null || (typeof zone === 'string' && isZone(zone))) return [];
  return [{ location: 'body.settings.recall.time_zone', message: ZONE_SAYS }];
}

function isZone(name: string): boolean {
  return IANAZone.isValidZone(name);
}

function refuse(location: FieldError['location'], message: string): never {
  throw new RequestInvalid([{ location, message }]);
}
