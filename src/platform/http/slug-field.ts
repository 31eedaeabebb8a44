import type { TextLimits } from './field-rules.js';

/** A name in a path beside UUIDs, so one shaped like a UUID is none: the two would be mistaken for each other. */
export const SLUG_LIMITS: TextLimits = {
  max: 48,
  pattern:
    /^(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$)[a-z0-9](?:[a-z0-9_-]{0,46}[a-z0-9])?$/,
  patternSays: 'must be 1 to 48 of a-z, 0-9, - and _, begin and end with a letter or digit, and be no UUID',
};
