import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Cause } from '../../ledger/cause.js';
import { changedMembers } from '../../ledger/changed-members.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { ControlPlane } from '../../ledger/control-plane.js';
import { WHOLE_TENANT, type LedgerRead, type LedgerScope } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import { Quotas } from '../../tenancy/quotas.js';
import { RequestMeter } from '../../tenancy/request-meter.js';
import { mergeSettings } from '../../tenancy/settings-merge.js';
import { WorkspaceNotFound } from '../../tenancy/tenancy-errors.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { Workspace, WorkspaceChange, WorkspaceDraft } from './workspace.js';
import { WorkspaceSlugTaken } from './workspaces.errors.js';

interface WorkspaceRow extends QueryResultRow {
  id: WorkspaceId;
  slug: string;
  name: string;
  description: string | null;
  settings: Record<string, unknown>;
  created_at: Date;
  updated_at: Date;
  agents: string;
  requests: string;
}

/** A place in the list of workspaces, newest first. */
export interface WorkspacePlace {
  createdAt: Date;
  id: string;
}

/** A tenant's workspaces. `scope` is what the caller reaches: row-level security shows no other. */
@Injectable()
export class WorkspacesService {
  constructor(
    private readonly control: ControlPlane,
    private readonly quotas: Quotas,
    private readonly meter: RequestMeter,
  ) {}

  /** Throws `WorkspaceNotFound`. */
  async get(tenant: Tenant, id: WorkspaceId): Promise<Workspace> {
    return this.control.read(tenant, id, (tx) => this.find(tx, id));
  }

  /** Newest first. */
  async list(
    tenant: Tenant,
    scope: LedgerScope,
    limit: number,
    after: WorkspacePlace | null,
  ): Promise<{ workspaces: Workspace[]; next: WorkspacePlace | null }> {
    const rows = await this.control.readRows<WorkspaceRow>(tenant, scope, PAGE, [
      tenant.id,
      // One more than asked for tells whether there is a next page.
      limit + 1,
      after?.createdAt ?? null,
      after?.id ?? null,
    ]);
    const workspaces = rows.slice(0, limit).map((row) => this.shown(tenant, row));
    const last = workspaces.at(-1);
    const more = rows.length > limit && last !== undefined;
    return { workspaces, next: more ? { createdAt: last.createdAt, id: last.id } : null };
  }

  /** Throws `QuotaExceeded`, `WorkspaceSlugTaken`. */
  async create(tenant: Tenant, uuid: string, draft: WorkspaceDraft, cause: Cause): Promise<Workspace> {
    const id = uuid as WorkspaceId;
    const { result } = await this.control.write(tenant, WHOLE_TENANT, cause, async (tx) => {
      this.quotas.checkWorkspaces(tenant, await countBesideDefault(tx));
      const [made] = await tx.rows<{ id: string }>(
        `INSERT INTO workspaces (tenant_id, id, slug, name, description, settings) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant_id, slug) DO NOTHING RETURNING id`,
        [tenant.id, id, draft.slug, draft.name, draft.description, draft.settings],
      );
      if (made === undefined) throw new WorkspaceSlugTaken(draft.slug);
      tx.record('workspace.create', id, id, { after: draft });
      return this.find(tx, id);
    });
    return result;
  }

  /** Throws `WorkspaceNotFound`, `WorkspaceSlugTaken`, `SettingsTooLarge`. */
  async change(tenant: Tenant, id: WorkspaceId, change: WorkspaceChange, cause: Cause): Promise<Workspace> {
    const { result } = await this.control.write(tenant, WHOLE_TENANT, cause, async (tx) => {
      const { slug, name, description, settings } = await this.find(tx, id);
      const before: WorkspaceDraft = { slug, name, description, settings };
      const after: WorkspaceDraft = {
        ...before,
        ...change,
        settings: change.settings === undefined ? settings : mergeSettings(settings, change.settings),
      };
      const [taken] = await tx.rows(
        `SELECT id FROM workspaces WHERE tenant_id = $1 AND slug = $2 AND id <> $3`,
        [tenant.id, after.slug, id],
      );
      if (taken !== undefined) throw new WorkspaceSlugTaken(after.slug);
      await tx.rows(
        `UPDATE workspaces SET slug = $3, name = $4, description = $5, settings = $6, updated_at = now()
         WHERE tenant_id = $1 AND id = $2`,
        [tenant.id, id, after.slug, after.name, after.description, after.settings],
      );
      tx.record('workspace.update', id, id, changedMembers(before, after));
      return this.find(tx, id);
    });
    return result;
  }

  private async find(tx: LedgerRead | LedgerWrite, id: WorkspaceId): Promise<Workspace> {
    const [row] = await tx.rows<WorkspaceRow>(ONE, [tx.tenant.id, id]);
    if (row === undefined) throw new WorkspaceNotFound(`${id} of ${tx.tenant.slug}`);
    return this.shown(tx.tenant, row);
  }

  private shown(tenant: Tenant, row: WorkspaceRow): Workspace {
    const { id, slug, name, description, settings } = row;
    return {
      id,
      slug,
      name,
      description,
      settings,
      agents: Number(row.agents),
      monthlyRequests: Number(row.requests) + this.meter.pending(tenant.id, id),
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    };
  }
}

/** The default workspace does not count against the plan. */
async function countBesideDefault(tx: LedgerWrite): Promise<number> {
  const [row] = await tx.rows<{ n: number }>(
    `SELECT count(*)::int AS n FROM workspaces WHERE tenant_id = $1 AND id <> $2 AND deleted_at IS NULL`,
    [tx.tenant.id, tx.tenant.defaultWorkspace],
  );
  return row?.n ?? 0;
}

const SHOWN = `
SELECT w.id, w.slug, w.name, w.description, w.settings, w.created_at, w.updated_at,
  (SELECT count(*) FROM agents a
   WHERE a.tenant_id = w.tenant_id AND a.workspace_id = w.id AND a.deleted_at IS NULL) AS agents,
  (SELECT coalesce(sum(u.quantity), 0) FROM usage_counters u
   WHERE u.tenant_id = w.tenant_id AND u.workspace_id = w.id AND u.meter = 'requests'
     AND u.hour >= date_trunc('month', now(), 'UTC')) AS requests
FROM workspaces w WHERE w.tenant_id = $1 AND w.deleted_at IS NULL`;

const ONE = `${SHOWN} AND w.id = $2`;

const PAGE = `${SHOWN}
  AND ($3::timestamptz IS NULL OR (w.created_at, w.id) < ($3, $4::uuid))
ORDER BY w.created_at DESC, w.id DESC LIMIT $2`;
