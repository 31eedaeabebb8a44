import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Ledger, type LedgerScope } from '../../ledger/ledger.js';
import type { ChangeKind } from '../../ledger/ledger-write.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { readMemories } from '../memory/memory-rows.js';
import { readRelations } from '../memory/relation-rows.js';
import { eventsOf, type LedgerEvent, type LedgerItem } from './ledger-events.js';

/** At once: of the longest contents that is some six megabytes. */
const PAGE = 100;

/** An event, and when it was; null for what changed before times were kept. */
export type TimedEvent = LedgerEvent & { at: Date | null };

export interface EventPage {
  events: TimedEvent[];
  /** Whoever has this page has seen everything up to this revision. */
  to: number;
  /** The tenant's. Where it is below what was asked for, the ledger is another one than that was of. */
  newest: number;
  more: boolean;
}

interface ChangeRow extends QueryResultRow {
  newest: string;
  workspace_id: WorkspaceId | null;
  kind: ChangeKind;
  id: string;
  revision: string;
  gone: boolean;
  at: Date | null;
}

/** The ledger as the readers of its events see it, each as much of it as row-level security shows them. */
@Injectable()
export class EventPages {
  private readonly underWay = new Map<string, Promise<EventPage>>();

  constructor(private readonly ledger: Ledger) {}

  /** What came after a revision. Those who ask for the same at the same time share one look. */
  after(tenant: Tenant, scope: LedgerScope, revision: number): Promise<EventPage> {
    const asked = `${tenant.id}/${scope}/${revision}`;
    const known = this.underWay.get(asked);
    if (known !== undefined) return known;
    const page = this.read(tenant, scope, revision).finally(() => this.underWay.delete(asked));
    this.underWay.set(asked, page);
    return page;
  }

  /** What an event is of, as it is now; null where that is gone. */
  item(tenant: Tenant, workspace: WorkspaceId, kind: ChangeKind, id: string): Promise<LedgerItem | null> {
    return this.ledger.read(tenant, workspace, async (tx) => {
      if (kind === 'memory') {
        const memory = (await readMemories(tx, workspace, [id])).get(id);
        return memory === undefined ? null : { memory };
      }
      const relation = (await readRelations(tx, workspace, [id])).get(id);
      return relation === undefined ? null : { relation };
    });
  }

  private read(tenant: Tenant, scope: LedgerScope, after: number): Promise<EventPage> {
    return this.ledger.read(tenant, scope, async (tx) => {
      const rows = await tx.rows<ChangeRow>(AFTER, [tenant.id, after, PAGE]);
      const newest = Number(rows[0]?.newest ?? 0);
      const changes = rows.flatMap(({ workspace_id: workspace, kind, id, revision, gone, at }) =>
        workspace === null ? [] : { workspace, kind, id, gone, at, revision: Number(revision) },
      );
      const times = new Map(changes.map(({ revision, at }) => [revision, at]));
      const events = await eventsOf(tx, changes, after);
      const more = changes.length === PAGE;
      return {
        events: events.map((event) => ({ ...event, at: times.get(event.revision) ?? null })),
        to: more ? (changes.at(-1)?.revision ?? newest) : newest,
        newest,
        more,
      };
    });
  }
}

const AFTER = `
SELECT t.revision AS newest, c.workspace_id, c.kind, c.id, c.revision, c.gone, c.at
FROM tenants t LEFT JOIN LATERAL (
  SELECT workspace_id, kind, id, revision, gone, at FROM changes
  WHERE tenant_id = $1 AND revision > $2 ORDER BY revision LIMIT $3
) c ON true
WHERE t.id = $1 ORDER BY c.revision`;
