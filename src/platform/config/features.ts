import type { PlanTier } from './plans.js';

/** Features that something here asks for. A tenant may have any other word too, for the operator's own product. */
export const FEATURES = ['custom_agents', 'agent_sharing', 'advanced_analytics', 'priority_support'] as const;
export type Feature = (typeof FEATURES)[number];

/** What each plan brings, where an operator set nothing else. */
export const planFeatures: Readonly<Record<PlanTier, readonly Feature[]>> = {
  free: ['custom_agents'],
  starter: ['custom_agents', 'agent_sharing'],
  pro: ['custom_agents', 'agent_sharing', 'advanced_analytics'],
  enterprise: FEATURES,
};
