import type { FieldError } from '../../platform/errors/domain-error.js';
import type { TenantSettings } from '../../tenancy/principal.js';

/** Whether what this tenant stores is read in the background at all: `settings.enrichment`. */
export function isRead({ enrichment }: TenantSettings): boolean {
  return enrichment !== false;
}

/**
 * Whether what it stores may be sent to a language model in the background, for reading it and for reflecting on it: not
 * where it is not to be read, nor with `settings.enrichment.language_model: false`.
 */
export function isReadByModels(settings: TenantSettings): boolean {
  const { enrichment } = settings;
  return isRead(settings) && !(isObject(enrichment) && enrichment['language_model'] === false);
}

/** What is wrong with the enrichment in settings that somebody wants to store. Null takes it back. */
export function enrichmentErrors(settings: TenantSettings | undefined): FieldError[] {
  const location = 'body.settings.enrichment';
  const set = settings?.['enrichment'];
  if (set === undefined || set === null || typeof set === 'boolean') return [];
  if (!isObject(set)) return [{ location, message: 'must be true, false, or an object of language_model' }];
  return Object.entries(set).flatMap(([name, value]): FieldError[] => {
    const at = `${location}.${name}`;
    if (name !== 'language_model') return [{ location: at, message: 'is not known here' }];
    return value === null || typeof value === 'boolean'
      ? []
      : [{ location: at, message: 'must be true or false' }];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
