import type { FieldError } from '../../platform/errors/domain-error.js';
import type { TenantSettings } from '../../tenancy/principal.js';
import { BASE_DECAY_RATE } from './decay.js';

/** What a tenant can say of its consolidation, in `settings.consolidation`. The defaults are AutoMem's, but for deletion. */
export interface ConsolidationSettings {
  /** Whether it runs by schedule. A call always does. */
  enabled: boolean;
  /** Whether forgetting is part of the schedule. */
  forget: boolean;
  /** A day's: e^-rate of a memory's relevance is left. */
  decay_rate: number;
  /** What is less relevant is archived. */
  archive_threshold: number;
  /** Days that something is archived before it is deleted; null: it never is. */
  delete_after_days: number | null;
  /** Days that nothing is forgotten after it happened. */
  grace_days: number;
  /** What matters as much is never forgotten. */
  protected_importance: number;
  protected_types: string[];
}

export const DEFAULT_CONSOLIDATION: Readonly<ConsolidationSettings> = {
  enabled: true,
  forget: false,
  decay_rate: BASE_DECAY_RATE,
  archive_threshold: 0.2,
  delete_after_days: 180,
  grace_days: 90,
  protected_importance: 0.7,
  protected_types: ['Decision', 'Insight'],
};

const MOST_DAYS = 36_500;
const MOST_TYPES = 100;

const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isFraction = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 1;
const isDays = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MOST_DAYS;
const isTypes = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= MOST_TYPES && value.every((type) => typeof type === 'string');

const FITTING: Record<keyof ConsolidationSettings, { fits: (value: unknown) => boolean; must: string }> = {
  enabled: { fits: isFlag, must: 'be true or false' },
  forget: { fits: isFlag, must: 'be true or false' },
  decay_rate: { fits: isFraction, must: 'be a number from 0 to 1' },
  archive_threshold: { fits: isFraction, must: 'be a number from 0 to 1' },
  delete_after_days: {
    fits: (value) => value === null || isDays(value),
    must: `be a whole number from 0 to ${MOST_DAYS}, or null`,
  },
  grace_days: { fits: isDays, must: `be a whole number from 0 to ${MOST_DAYS}` },
  protected_importance: { fits: isFraction, must: 'be a number from 0 to 1' },
  protected_types: { fits: isTypes, must: `be a list of at most ${MOST_TYPES} types` },
};
const NAMES = Object.keys(FITTING) as (keyof ConsolidationSettings)[];

/** The defaults with what the tenant has set. */
export function consolidationSettings(settings: TenantSettings): ConsolidationSettings {
  const set = settings['consolidation'];
  if (!isObject(set)) return DEFAULT_CONSOLIDATION;
  const own = NAMES.flatMap((name) =>
    name in set && FITTING[name].fits(set[name]) ? [[name, set[name]]] : [],
  );
  return { ...DEFAULT_CONSOLIDATION, ...(Object.fromEntries(own) as Partial<ConsolidationSettings>) };
}

/** What is wrong with settings that somebody wants to store. Null takes one back. */
export function consolidationErrors(settings: TenantSettings | undefined): FieldError[] {
  const at = 'body.settings.consolidation';
  const set = settings?.['consolidation'];
  if (set === undefined || set === null) return [];
  if (!isObject(set)) return [{ location: at, message: 'must be an object' }];
  return Object.entries(set).flatMap(([name, value]) => {
    const location = `${at}.${name}`;
    if (!isName(name)) return [{ location, message: `must be one of ${NAMES.join(', ')}` }];
    return value === null || FITTING[name].fits(value)
      ? []
      : [{ location, message: `must ${FITTING[name].must}` }];
  });
}

function isName(name: string): name is keyof ConsolidationSettings {
  return (NAMES as string[]).includes(name);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
