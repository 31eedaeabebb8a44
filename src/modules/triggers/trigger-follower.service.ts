import { randomUUID } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Follower, LedgerChange, Settle } from '../../background/follower.js';
import { Followers } from '../../background/followers.service.js';
import { Ledger, WHOLE_TENANT, type LedgerRead } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import type { Tenant } from '../../tenancy/principal.js';
import { eventsOf, type LedgerEvent } from '../events/ledger-events.js';
import { addTags } from '../memory/memory-tags.js';
import { relateMemories } from '../memory/relation-rows.js';
import { noteDeliveries, type NewDelivery } from './delivery-rows.js';
import { fires, type ActiveTrigger, type TriggerAction } from './trigger-rule.js';
import { Triggers } from './triggers.service.js';

export const TRIGGERS = 'triggers';

/** A trigger that acts on an event. */
interface Firing {
  trigger: ActiveTrigger;
  event: LedgerEvent;
}

interface WriteRow extends QueryResultRow {
  revision: string;
}

interface EditRow extends QueryResultRow {
  memory_id: string;
  revision: string;
}

/**
 * Does what triggers say, after what was written, and never in its way. What it does is settled together with how far it
 * has looked: exactly once in the ledger. Webhooks are only noted here; `WebhookSender` tells them. What a trigger does
 * triggers nothing, so that none goes round in circles.
 */
@Injectable()
export class TriggerFollower implements Follower, OnModuleInit {
  readonly name = TRIGGERS;
  readonly kinds = ['memory', 'relation'] as const;
  readonly batch = 50;
  readonly lingerMs = 300;
  readonly patient = false;

  constructor(
    private readonly ledger: Ledger,
    private readonly triggers: Triggers,
    private readonly followers: Followers,
  ) {}

  onModuleInit(): void {
    this.followers.add(this);
  }

  async follows(tenant: Tenant): Promise<boolean> {
    return (await this.active(tenant)).length > 0;
  }

  async handle(tenant: Tenant, changes: readonly LedgerChange[], from: number): Promise<Settle | null> {
    const active = await this.active(tenant);
    const firings = await this.ledger.read(tenant, WHOLE_TENANT, async (tx) => {
      const events = await eventsOf(tx, changes, from);
      const own = await ownDoing(tx, events, from);
      return events
        .filter(({ revision }) => !own.has(revision))
        .flatMap((event): Firing[] =>
          active.filter((trigger) => fires(trigger, event)).map((trigger) => ({ trigger, event })),
        );
    });
    if (firings.length === 0) return null;
    return async (tx) => {
      const deliveries: NewDelivery[] = [];
      for (const firing of firings) {
        for (const action of firing.trigger.rule.then) {
          if ('webhook' in action)
            deliveries.push({ id: randomUUID(), trigger: firing.trigger.id, event: firing.event });
          else await act(tx, action, firing);
        }
      }
      await noteDeliveries(tx, deliveries);
      // What was looked at needs no mark any more; what was written just now does.
      tx.send('DELETE FROM trigger_writes WHERE tenant_id = $1 AND revision <= $2', [tx.tenant.id, from]);
    };
  }

  private async active(tenant: Tenant): Promise<ActiveTrigger[]> {
    return (await this.triggers.list(tenant)).filter(({ isActive }) => isActive);
  }
}

/** The revisions of those events that are triggers' doing alone: one to which somebody else contributed is theirs. */
async function ownDoing(
  tx: LedgerRead,
  events: readonly LedgerEvent[],
  from: number,
): Promise<ReadonlySet<number>> {
  const rows = await tx.rows<WriteRow>(
    'SELECT revision FROM trigger_writes WHERE tenant_id = $1 AND revision > $2',
    [tx.tenant.id, from],
  );
  if (rows.length === 0) return new Set();
  const own = new Set(rows.map(({ revision }) => Number(revision)));
  const updated = events.filter(({ name }) => name === 'memory.updated');
  const edits = await tx.rows<EditRow>(
    `SELECT memory_id, revision FROM memory_history
     WHERE tenant_id = $1 AND memory_id = ANY($2::uuid[]) AND revision > $3
     UNION ALL
     SELECT id, archive_revision FROM memories
     WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND archive_revision > $3`,
    [tx.tenant.id, updated.map(({ id }) => id), from],
  );
  const byOthers = new Set(
    edits.filter(({ revision }) => !own.has(Number(revision))).map(({ memory_id }) => memory_id),
  );
  for (const { id, revision } of updated) if (!byOthers.has(id)) own.add(revision);
  return own;
}

async function act(
  tx: LedgerWrite,
  action: Exclude<TriggerAction, { webhook: unknown }>,
  { trigger, event }: Firing,
): Promise<void> {
  if (!('memory' in event)) return;
  const { workspace, id } = event;
  const detail = { trigger: trigger.id };
  const written: { item: string; revision: number }[] = [];
  if ('tag' in action) {
    const revision = await addTags(tx, workspace, id, action.tag);
    if (revision !== null) {
      tx.record('memory.update', workspace, id, { ...detail, tags_added: action.tag });
      written.push({ item: id, revision });
    }
  } else if (action.relate.to !== id) {
    const { to, type, strength } = action.relate;
    const draft = { from: id, to, type, strength: Math.fround(strength), attributes: {} };
    const related = await relateMemories(tx, workspace, [draft]);
    // Only what is new: the revision of this one is the last that was taken.
    for (const relation of related.written) written.push({ item: relation.id, revision: tx.revisionNow });
    if (written.length > 0)
      tx.record(
        'relation.create',
        workspace,
        written.map(({ item }) => item),
        detail,
      );
  }
  for (const { item, revision } of written) {
    tx.send(
      'INSERT INTO trigger_writes (tenant_id, workspace_id, item, revision, trigger_id) VALUES ($1, $2, $3, $4, $5)',
      [tx.tenant.id, workspace, item, revision, trigger.id],
    );
  }
}
