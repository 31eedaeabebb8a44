import type { FieldError } from '../platform/errors/domain-error.js';
import { SCRUB_KINDS, type ScrubKind } from '../platform/scrub/secret-finders.js';
import type { TenantSettings } from './principal.js';

const MODES: readonly unknown[] = ['off', 'mask'];

/** What a tenant lets nobody store: `settings.scrub`, the word `mask` or `{mode: 'mask', kinds?}`. Nothing by default. */
export function scrubKinds({ scrub }: TenantSettings): readonly ScrubKind[] {
  const { mode, kinds } = isObject(scrub) ? scrub : { mode: scrub, kinds: undefined };
  if (mode !== 'mask') return [];
  return Array.isArray(kinds) ? SCRUB_KINDS.filter((kind) => kinds.includes(kind)) : SCRUB_KINDS;
}

/** What is wrong with the scrubbing in settings that somebody wants to store. Null takes it back. */
export function scrubErrors(settings: TenantSettings | undefined): FieldError[] {
  const location = 'body.settings.scrub';
  const scrub = settings?.['scrub'];
  if (scrub === undefined || scrub === null || MODES.includes(scrub)) return [];
  if (!isObject(scrub)) return [{ location, message: 'must be off, mask, or an object of mode and kinds' }];
  return Object.entries(scrub).flatMap(([name, value]): FieldError[] => {
    const at = `${location}.${name}`;
    if (name === 'mode')
      return value === null || MODES.includes(value)
        ? []
        : [{ location: at, message: 'must be off or mask' }];
    if (name !== 'kinds') return [{ location: at, message: 'is not known here' }];
    const good =
      value === null ||
      (Array.isArray(value) && value.every((kind) => (SCRUB_KINDS as readonly unknown[]).includes(kind)));
    return good ? [] : [{ location: at, message: `must be a list of ${SCRUB_KINDS.join(', ')}` }];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
