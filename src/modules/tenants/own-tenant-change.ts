import { isDeepStrictEqual } from 'node:util';
import { DomainError } from '../../platform/errors/domain-error.js';
import { grantedFeatures } from '../../tenancy/features.js';
import type { TenantSettings } from '../../tenancy/principal.js';
import type { TenantEntity } from './tenant.entity.js';
import type { TenantChange } from './tenants.service.js';

/** What a tenant may not give itself. */
export class OperatorDecides extends DomainError<'auth.forbidden'> {
  readonly code = 'auth.forbidden';
}

/** What a tenant's own administrators ask for. */
export interface OwnTenantOrder {
  fields: Pick<TenantChange, 'name' | 'contactEmail' | 'contactName' | 'domain'>;
  settings: TenantSettings | null;
  /** Whether `settings` take the place of what there is, or are merged with it. */
  replaces: boolean;
  /** Those that are to be on. Null: they stay as they are. */
  features: string[] | null;
}

/**
 * A tenant turns its features off and on again, and keeps the quotas that an operator set. Throws `OperatorDecides` for
 * a feature that it was not given, or another quota.
 */
export function ownTenantChange(tenant: TenantEntity, order: OwnTenantOrder): TenantChange {
  const { fields, settings, replaces, features } = order;
  return {
    ...fields,
    ...(settings === null ? {} : ownSettings(tenant.settings, settings, replaces)),
    ...(features === null ? {} : { featuresOff: turnedOff(tenant, features) }),
  };
}

function ownSettings(
  before: TenantSettings,
  settings: TenantSettings,
  replaces: boolean,
): Pick<TenantChange, 'settings' | 'replacesSettings'> {
  if ('quotas' in settings && !isDeepStrictEqual(settings.quotas, before.quotas)) {
    throw new OperatorDecides('Quotas are set by an operator.');
  }
  const quotas = before.quotas === undefined ? {} : { quotas: before.quotas };
  return { settings: replaces ? { ...settings, ...quotas } : settings, replacesSettings: replaces };
}

function turnedOff({ plan, features: given }: TenantEntity, on: string[]): string[] {
  const granted = grantedFeatures(plan, given);
  const beyond = on.find((word) => !granted.includes(word));
  if (beyond !== undefined) throw new OperatorDecides(`The feature \`${beyond}\` is given by an operator.`);
  return granted.filter((word) => !on.includes(word));
}
