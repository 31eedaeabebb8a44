import { planFeatures, type Feature } from '../platform/config/features.js';
import type { PlanTier } from '../platform/config/plans.js';
import { DomainError } from '../platform/errors/domain-error.js';
import type { Tenant } from './principal.js';

export class FeatureDisabled extends DomainError<'feature.disabled'> {
  readonly code = 'feature.disabled';
  constructor(feature: Feature) {
    super(`This tenant does not have the feature \`${feature}\`.`, { extra: { feature } });
  }
}

/** What an operator gave: a list of its own, or what the plan brings. */
export function grantedFeatures(plan: PlanTier, given: readonly string[] | null): readonly string[] {
  return given ?? planFeatures[plan];
}

/** Throws `FeatureDisabled`. */
export function requireFeature(tenant: Tenant, feature: Feature): void {
  if (!tenant.features.includes(feature)) throw new FeatureDisabled(feature);
}
