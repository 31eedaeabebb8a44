import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { FollowerStep, type FollowerState } from '../../background/follower-step.js';
import { Followers } from '../../background/followers.service.js';
import type { Cause } from '../../ledger/cause.js';
import { Ledger } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { Enrichment, ENRICHMENT } from './enrichment.service.js';
import { LANGUAGE_ENRICHMENT, LanguageEnrichment } from './language/language-enrichment.service.js';

const READERS = [ENRICHMENT, LANGUAGE_ENRICHMENT];

/** A memory that could not be read, and why. */
export interface FailedReading {
  id: string;
  reason: string;
  at: Date;
}

export interface EnrichmentState extends FollowerState {
  /** `retrying`: the next item has failed and is tried again later. */
  state: 'off' | 'idle' | 'running' | 'retrying';
  processed: number;
  failures: FailedReading[];
  /** Of the language model, which reads after our own reader has. `off`: there is none, or it is not to read. */
  languageModel: { state: EnrichmentState['state']; pending: number };
}

/** How far enrichment has come with what a workspace holds, and having it done again. */
@Injectable()
export class EnrichmentStatus {
  constructor(
    private readonly ledger: Ledger,
    private readonly step: FollowerStep,
    private readonly followers: Followers,
    private readonly enrichment: Enrichment,
    private readonly language: LanguageEnrichment,
  ) {}

  /** Revisions are the tenant's; whatever is counted is the workspace's. */
  async of(tenant: Tenant, workspace: WorkspaceId): Promise<EnrichmentState> {
    const [state, byModel, isOn] = await Promise.all([
      this.step.state(tenant, this.enrichment, workspace),
      this.step.state(tenant, this.language, workspace),
      this.language.follows(tenant),
    ]);
    return this.ledger.read(tenant, workspace, async (tx) => {
      const scope = [tenant.id, workspace];
      const [counted] = await tx.rows<QueryResultRow & { n: string }>(PROCESSED, scope);
      const failures = await tx.rows<QueryResultRow & { id: string; reason: string; recorded_at: Date }>(
        FAILURES,
        [...scope, READERS],
      );
      return {
        ...state,
        state: wordFor(this.enrichment.follows(tenant), state),
        failed: state.failed + byModel.failed,
        languageModel: { state: wordFor(isOn, byModel), pending: isOn ? byModel.pending : 0 },
        processed: Number(counted?.n ?? 0),
        failures: failures.map(({ id, reason, recorded_at: at }) => ({ id, reason, at })),
      };
    });
  }

  /** Reads memories of a workspace again as if they were new: these, or all. The ids of those that will be. */
  async again(
    tenant: Tenant,
    workspace: WorkspaceId,
    ids: string[] | null,
    cause: Cause,
  ): Promise<{ count: number }> {
    const { result } = await this.ledger.write(tenant, workspace, cause, async (tx) => {
      const scope = [tenant.id, workspace, ids];
      const [there] = await tx.rows<QueryResultRow & { n: string; first: string | null }>(CHANGED, scope);
      const count = Number(there?.n ?? 0);
      if (count === 0 || there?.first === null || there === undefined) return { count };
      await tx.rows(FORGET, scope);
      await tx.rows(FORGET_FAILURES, [...scope, READERS]);
      await tx.rows(REWIND, [tenant.id, READERS, Number(there.first) - 1]);
      tx.record('enrichment.reprocess', workspace, ids);
      return { count };
    });
    this.followers.wake(tenant);
    return result;
  }
}

function wordFor(isOn: boolean, { lastError, pending }: FollowerState): EnrichmentState['state'] {
  if (!isOn) return 'off';
  if (lastError !== null) return 'retrying';
  return pending > 0 ? 'running' : 'idle';
}

const PROCESSED = `
SELECT count(*) AS n FROM enrichments e
JOIN memories m ON m.tenant_id = e.tenant_id AND m.workspace_id = e.workspace_id AND m.id = e.memory_id AND m.alone_hash = e.hash
WHERE e.tenant_id = $1 AND e.workspace_id = $2`;

const FAILURES = `
SELECT id, reason, recorded_at FROM unindexable WHERE tenant_id = $1 AND workspace_id = $2 AND projection = ANY($3)
ORDER BY recorded_at DESC LIMIT 50`;

const CHANGED = `
SELECT count(*) AS n, min(revision) AS first FROM changes
WHERE tenant_id = $1 AND workspace_id = $2 AND kind = 'memory' AND NOT gone AND ($3::uuid[] IS NULL OR id = ANY($3))`;

const FORGET = `
DELETE FROM enrichments WHERE tenant_id = $1 AND workspace_id = $2 AND ($3::uuid[] IS NULL OR memory_id = ANY($3))`;

const FORGET_FAILURES = `
DELETE FROM unindexable WHERE tenant_id = $1 AND workspace_id = $2 AND projection = ANY($4) AND ($3::uuid[] IS NULL OR id = ANY($3))`;

/** The watermark goes back to before the first of them; what was read between them is passed over at a glance. */
const REWIND = `
UPDATE followers SET revision = $3, failures = 0, next_try_at = NULL, last_error = NULL, updated_at = now()
WHERE tenant_id = $1 AND name = ANY($2) AND revision > $3`;
