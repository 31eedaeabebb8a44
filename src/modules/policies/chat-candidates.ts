import type { LlmProfile } from './llm-profiles.service.js';

/** A model at an endpoint: the operator's, paid for by the operator's key, or one of the tenant's. */
export type ChatCandidate =
  | { whose: 'operator'; model: string }
  /** `key`: of which of the tenant's endpoints the key is; null: that of `base_url`. */
  | { whose: 'tenant'; model: string; baseUrl: string; key: string | null };

/**
 * The models that a tenant's profile names, in the order in which they are asked. A model that one of its providers lists is
 * asked there; any other at the tenant's `base_url`, where it has one, and never at the operator's then: what a tenant stores
 * goes where the tenant says. Without a `base_url` it is asked at the operator's endpoint, if the operator offers it
 * (`offered`, the first where none is named): what it costs there, the operator pays. A tenant that may spend nothing asks
 * nobody.
 */
export function chatCandidates(profile: LlmProfile, offered: readonly string[]): ChatCandidate[] {
  if (profile.budget_usd_monthly === 0) return [];
  const { default_model: first, fallback_chain: others, base_url: baseUrl, providers } = profile;
  const names = [first ?? offered[0], ...others].filter((name) => name !== undefined);
  return [...new Set(names)].flatMap((model): ChatCandidate[] => {
    const provider = providers.find(({ models }) => models.includes(model));
    if (provider !== undefined)
      return [{ whose: 'tenant', model, baseUrl: provider.base_url, key: provider.name }];
    if (baseUrl !== null) return [{ whose: 'tenant', model, baseUrl, key: null }];
    return offered.includes(model) ? [{ whose: 'operator', model }] : [];
  });
}
