import { DomainError } from '../platform/errors/domain-error.js';

const MOST_BYTES = 16_384;

export class SettingsTooLarge extends DomainError<'request.invalid'> {
  readonly code = 'request.invalid';
  constructor() {
    const message = `must have at most ${MOST_BYTES} bytes as JSON, with those that are kept already`;
    super('The settings are too large.', { errors: [{ location: 'body.settings', message }] });
  }
}

/**
 * Settings as a PATCH leaves them: objects member by member, anything else as a whole, null removes (RFC 7396).
 * Throws `SettingsTooLarge`.
 */
export function mergeSettings<T extends object>(old: T, change: object): T {
  const merged = merge(old, change);
  if (Buffer.byteLength(JSON.stringify(merged)) > MOST_BYTES) throw new SettingsTooLarge();
  return merged;
}

function merge<T extends object>(old: T, change: object): T {
  const merged = { ...old } as Record<string, unknown>;
  for (const [name, value] of Object.entries(change) as [string, unknown][]) {
    const before = merged[name];
    if (value === null) delete merged[name];
    else merged[name] = isObject(value) ? merge<object>(isObject(before) ? before : {}, value) : value;
  }
  return merged as T;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
