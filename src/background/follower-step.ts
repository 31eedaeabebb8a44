import { Injectable, Logger } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { systemCause } from '../ledger/cause.js';
import { Ledger, WHOLE_TENANT, type LedgerScope } from '../ledger/ledger.js';
import type { ChangeKind, LedgerWrite } from '../ledger/ledger-write.js';
import { recordUnindexable } from '../ledger/unindexable-record.js';
import { Spaces } from '../spaces/spaces.js';
import type { Tenant } from '../tenancy/principal.js';
import type { WorkspaceId } from '../tenancy/tenant.js';
import { isAway } from './away.js';
import type { Follower, LedgerChange } from './follower.js';

/** So often a single change is tried before it is set aside: over some ten minutes. */
const MOST_FAILURES = 6;
const FIRST_WAIT_S = 10;

/** `later`: somebody is to look again, but not at once. `off`: nobody follows this tenant; what there was is passed. */
export type Progress = 'more' | 'done' | 'later' | 'off';

/** How far a follower has come with one tenant. */
export interface FollowerState {
  /** The tenant's own, and up to which all was handled. */
  revision: number;
  watermark: number;
  /** How many of the items that concern it have changed since. */
  pending: number;
  /** How many were tried in vain and passed. */
  failed: number;
  /** Of the item after the watermark; null where it has not failed. */
  lastError: string | null;
}

/** Another replica has moved the watermark meanwhile: what was worked out is dropped, and the ledger looked at again. */
class Overtaken extends Error {}

interface StepRow extends QueryResultRow {
  newest: string;
  reached: string;
  failures: number;
  waiting: boolean;
  workspace_id: WorkspaceId | null;
  kind: ChangeKind;
  id: string;
  revision: string;
  gone: boolean;
}

interface Stretch {
  from: number;
  to: number;
  changes: LedgerChange[];
}

/** One batch of one follower for one tenant. */
@Injectable()
export class FollowerStep {
  private readonly logger = new Logger(FollowerStep.name);

  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
  ) {}

  async take(follower: Follower, tenant: Tenant): Promise<Progress> {
    const isOn = await follower.follows(tenant);
    const limit = isOn ? follower.batch : 0;
    const done = isOn ? 'done' : 'off';
    const rows = await this.ledger.readRows<StepRow>(tenant, WHOLE_TENANT, AFTER, [
      tenant.id,
      follower.name,
      limit,
      follower.kinds,
    ]);
    const [first] = rows;
    if (first === undefined) return done;
    if (first.waiting) return 'later';
    const from = Number(first.reached);
    const changes = rows.flatMap((row) => changeOf(row) ?? []);
    const cut = changes.length > 0 && (changes.length === limit || first.failures > 0);
    const to = cut ? (changes.at(-1)?.revision ?? from) : Number(first.newest);
    if (to <= from) return done;
    try {
      await this.pass(follower, tenant, { from, to, changes });
    } catch (error) {
      if (error instanceof Overtaken) return 'more';
      if (isAway(error)) throw error;
      if (changes.length > 1) return this.oneByOne(follower, tenant, from, changes);
      await this.failed(follower, tenant, { from, to, changes }, first.failures + 1, error);
      return 'later';
    }
    return cut ? 'more' : done;
  }

  /** Counted within `scope`; the revisions are the tenant's. */
  async state(
    tenant: Tenant,
    { name, kinds }: Pick<Follower, 'name' | 'kinds'>,
    scope: LedgerScope = WHOLE_TENANT,
  ): Promise<FollowerState> {
    const [row] = await this.ledger.readRows<StateRow>(tenant, scope, STATE, [tenant.id, name, kinds]);
    return {
      revision: Number(row?.newest ?? 0),
      watermark: Number(row?.reached ?? 0),
      pending: Number(row?.pending ?? 0),
      failed: Number(row?.failed ?? 0),
      lastError: row?.last_error ?? null,
    };
  }

  /** Finds the one that is to blame: all before it are handled. */
  private async oneByOne(
    follower: Follower,
    tenant: Tenant,
    start: number,
    changes: LedgerChange[],
  ): Promise<Progress> {
    let from = start;
    for (const change of changes) {
      const alone = { from, to: change.revision, changes: [change] };
      try {
        await this.pass(follower, tenant, alone);
      } catch (error) {
        if (error instanceof Overtaken) return 'more';
        if (isAway(error)) throw error;
        await this.failed(follower, tenant, alone, 1, error);
        return 'later';
      }
      from = change.revision;
    }
    return 'more';
  }

  private async pass(follower: Follower, tenant: Tenant, { from, to, changes }: Stretch): Promise<void> {
    const settle = changes.length === 0 ? null : await follower.handle(tenant, changes, from);
    const cause = systemCause(follower.name);
    if (settle === null) {
      // Nothing is written that a space would hold: nobody is woken, and it counts as nobody's use.
      await this.ledger.write(tenant, WHOLE_TENANT, cause, (tx) => moved(tx, follower, from, to));
      return;
    }
    const space = this.spaces.open(tenant);
    await space.meet();
    const { result: wrote } = await this.ledger.write(tenant, WHOLE_TENANT, cause, async (tx) => {
      await settle(tx);
      // Nobody has written since: what was written just now is the follower's own, and known to it.
      await moved(tx, follower, from, tx.revisionBefore === to ? tx.revisionNow : to);
      return tx.revisionNow > tx.revisionBefore;
    });
    if (wrote) await space.indexed();
  }

  private async failed(
    follower: Follower,
    tenant: Tenant,
    { from, to, changes }: Stretch,
    failures: number,
    error: unknown,
  ): Promise<void> {
    const [change] = changes;
    if (change === undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const givenUp = failures >= MOST_FAILURES;
    const what = `${follower.name} of ${change.kind} ${change.id}`;
    this.logger.warn(`${tenant.space}: ${what} ${givenUp ? 'is set aside' : 'failed'}: ${reason}`);
    await this.ledger.write(tenant, WHOLE_TENANT, systemCause(follower.name), async (tx) => {
      if (givenUp) {
        await recordUnindexable(tx, change.kind, follower.name, change, error);
        await moved(tx, follower, from, to);
      } else {
        const wait = FIRST_WAIT_S * 2 ** (failures - 1);
        await tx.rows(FAILED, [tx.tenant.id, follower.name, from, failures, wait, reason.slice(0, 500)]);
      }
    });
  }
}

async function moved(tx: LedgerWrite, follower: Follower, from: number, to: number): Promise<void> {
  const rows = await tx.rows(MOVE, [tx.tenant.id, follower.name, from, to]);
  if (rows.length === 0) throw new Overtaken(`${follower.name} is beyond ${from}`);
}

function changeOf(row: StepRow): LedgerChange | null {
  const { workspace_id: workspace, kind, id, gone } = row;
  return workspace === null ? null : { workspace, kind, id, gone, revision: Number(row.revision) };
}

interface StateRow extends QueryResultRow {
  newest: string;
  reached: string;
  pending: string;
  failed: string;
  last_error: string | null;
}

/** The change after one that failed is not looked at before that one is passed. */
const AFTER = `
SELECT t.revision AS newest, COALESCE(f.revision, 0) AS reached, COALESCE(f.failures, 0) AS failures,
  COALESCE(f.next_try_at > now(), false) AS waiting, c.workspace_id, c.kind, c.id, c.revision, c.gone
FROM tenants t
LEFT JOIN followers f ON f.tenant_id = t.id AND f.name = $2
LEFT JOIN LATERAL (
  SELECT * FROM changes WHERE tenant_id = $1 AND revision > COALESCE(f.revision, 0) AND kind = ANY($4::text[])
  ORDER BY revision
  LIMIT CASE WHEN COALESCE(f.failures, 0) > 0 THEN least(1, $3::int) ELSE $3::int END
) c ON true
WHERE t.id = $1
ORDER BY c.revision`;

const MOVE = `
INSERT INTO followers (tenant_id, name, revision) VALUES ($1, $2, $4)
ON CONFLICT (tenant_id, name) DO UPDATE
SET revision = excluded.revision, failures = 0, next_try_at = NULL, last_error = NULL, updated_at = now()
WHERE followers.revision = $3
RETURNING revision`;

const FAILED = `
INSERT INTO followers (tenant_id, name, revision, failures, next_try_at, last_error)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5), $6)
ON CONFLICT (tenant_id, name) DO UPDATE
SET failures = excluded.failures, next_try_at = excluded.next_try_at, last_error = excluded.last_error, updated_at = now()
WHERE followers.revision = $3`;

const STATE = `
SELECT t.revision AS newest, COALESCE(f.revision, 0) AS reached, f.last_error,
  (SELECT count(*) FROM changes WHERE tenant_id = $1 AND revision > COALESCE(f.revision, 0)
    AND kind = ANY($3::text[])) AS pending,
  (SELECT count(*) FROM unindexable WHERE tenant_id = $1 AND projection = $2) AS failed
FROM tenants t LEFT JOIN followers f ON f.tenant_id = t.id AND f.name = $2
WHERE t.id = $1`;
