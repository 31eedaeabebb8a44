export const planTiers = ['free', 'starter', 'pro', 'enterprise'] as const;
export type PlanTier = (typeof planTiers)[number];

/** What a plan allows. `null` is no limit. A tenant's own `settings.quotas` come before these. */
export interface Plan {
  maxWorkspaces: number | null;
  /** In each workspace. */
  maxDocuments: number | null;
  requestsPerMonth: number | null;
  maxMemories: number | null;
  requestsPerMinute: number;
}

export type Plans = Readonly<Record<PlanTier, Readonly<Plan>>>;

export const defaultPlans: Plans = {
  free: {
    maxWorkspaces: 1,
    maxDocuments: 100,
    requestsPerMonth: 1_000,
    maxMemories: 1_000,
    requestsPerMinute: 60,
  },
  starter: {
    maxWorkspaces: 3,
    maxDocuments: 500,
    requestsPerMonth: 10_000,
    maxMemories: 10_000,
    requestsPerMinute: 300,
  },
  pro: {
    maxWorkspaces: 10,
    maxDocuments: 5_000,
    requestsPerMonth: 100_000,
    maxMemories: 100_000,
    requestsPerMinute: 1_000,
  },
  enterprise: {
    maxWorkspaces: null,
    maxDocuments: null,
    requestsPerMonth: null,
    maxMemories: null,
    requestsPerMinute: 10_000,
  },
};

/** The variables that override a plan's numbers: `FREE_TIER_MAX_WORKSPACES`, `PRO_TIER_RATE_LIMIT`, … */
export const planVariables = {
  MAX_WORKSPACES: 'maxWorkspaces',
  MAX_DOCUMENTS: 'maxDocuments',
  MAX_REQUESTS: 'requestsPerMonth',
  MAX_MEMORIES: 'maxMemories',
  RATE_LIMIT: 'requestsPerMinute',
} as const satisfies Record<string, keyof Plan>;
