import type { Cause } from '../../ledger/cause.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';

/** So many ids are told of each thing that was, or would be, done. */
export const SHOWN = 100;

/** What a step is told. */
export interface StepOrder {
  /** Tells what it would do, and writes nothing. */
  dryRun: boolean;
  now: Date;
  cause: Cause;
  /** The step stops between two batches. */
  signal: AbortSignal;
  progress: (done: number, total: number) => void;
}

/** What a step came to: counts, and ids; never content. */
export type StepReport = Record<string, unknown>;

/** One of the things that consolidation does with a workspace's memories. */
export interface Step {
  run(tenant: Tenant, workspace: WorkspaceId, order: StepOrder): Promise<StepReport>;
}
