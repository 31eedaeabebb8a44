import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Followers } from '../../background/followers.service.js';
import type { Cause } from '../../ledger/cause.js';
import { changedMembers } from '../../ledger/changed-members.js';
import { ControlPlane } from '../../ledger/control-plane.js';
import type { LedgerRead } from '../../ledger/ledger.js';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { TenantSecrets, type SecretName } from '../../ledger/tenant-secrets.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { ActiveTrigger, TriggerRule } from './trigger-rule.js';
import { TooManyTriggers, TriggerNotFound } from './triggers.errors.js';
import { newWebhookSecret } from './webhook-signature.js';

const MOST = 50;

/** A tenant's rule, as it is kept. */
export interface Trigger extends ActiveTrigger {
  isActive: boolean;
  createdAt: Date;
  updatedAt: Date;
}

/** A trigger that was written. `secret`: where one was made for its webhook, which nothing shows again. */
export interface WrittenTrigger {
  trigger: Trigger;
  secret: string | null;
}

export interface TriggerChange extends Partial<TriggerRule> {
  isActive?: boolean;
  /** Of the webhook. Undefined: stays while the URL does. */
  secret?: string;
}

interface TriggerRow extends QueryResultRow {
  id: string;
  rule: Buffer;
  is_active: boolean;
  since: string;
  created_at: Date;
  updated_at: Date;
}

/** A tenant's rules. They are the whole tenant's, and provisioned: in the main database, wherever its ledger is. */
@Injectable()
export class Triggers {
  constructor(
    private readonly control: ControlPlane,
    private readonly ledger: Ledger,
    private readonly secrets: TenantSecrets,
    private readonly followers: Followers,
  ) {}

  /** All of them, oldest first. */
  list(tenant: Tenant): Promise<Trigger[]> {
    return this.control.read(tenant, WHOLE_TENANT, async (tx) => {
      const rows = await tx.rows<TriggerRow>(`${SELECT} ORDER BY created_at, id`, [tenant.id]);
      return rows.map((row) => triggerOf(tenant, row));
    });
  }

  /** Throws `TriggerNotFound`. */
  get(tenant: Tenant, id: string): Promise<Trigger> {
    return this.control.read(tenant, WHOLE_TENANT, (tx) => one(tx, tenant, id));
  }

  /** For signing what its webhook is told; null where there is none. */
  secret(tenant: Tenant, id: string): Promise<string | null> {
    return this.secrets.open(tenant, secretOf(id));
  }

  /** Throws `TooManyTriggers`. */
  async create(
    tenant: Tenant,
    rule: TriggerRule,
    isActive: boolean,
    given: string | undefined,
    cause: Cause,
  ): Promise<WrittenTrigger> {
    const since = await this.revision(tenant);
    const { result } = await this.control.write(tenant, WHOLE_TENANT, cause, async (tx) => {
      const [{ n = 0 } = {}] = await tx.rows<{ n: number }>(
        'SELECT count(*)::int AS n FROM triggers WHERE tenant_id = $1',
        [tenant.id],
      );
      if (n >= MOST) throw new TooManyTriggers(MOST);
      const now = new Date();
      const trigger = { id: randomUUID(), rule, isActive, since, createdAt: now, updatedAt: now };
      write(tx, trigger);
      const secret = this.keepSecret(tx, trigger, null, given);
      tx.record('trigger.create', null, trigger.id, { after: { ...rule, is_active: isActive } });
      return { trigger, secret };
    });
    this.followers.wake(tenant);
    return result;
  }

  /** What is not named stays. One that is turned on minds what happens from then on. Throws `TriggerNotFound`. */
  async change(tenant: Tenant, id: string, change: TriggerChange, cause: Cause): Promise<WrittenTrigger> {
    const revision = await this.revision(tenant);
    const { result } = await this.control.write(tenant, WHOLE_TENANT, cause, async (tx) => {
      const before = await one(tx, tenant, id);
      const { isActive = before.isActive, secret: given, ...rule } = change;
      const after: Trigger = {
        ...before,
        isActive,
        rule: { ...before.rule, ...rule },
        since: isActive && !before.isActive ? revision : before.since,
        updatedAt: new Date(),
      };
      write(tx, after);
      const secret = this.keepSecret(tx, after, before, given);
      const detail = changedMembers(
        { ...before.rule, is_active: before.isActive },
        { ...after.rule, is_active: isActive },
      );
      tx.record('trigger.update', null, id, {
        ...detail,
        secret_replaced: given !== undefined || secret !== null,
      });
      return { trigger: after, secret };
    });
    this.followers.wake(tenant);
    return result;
  }

  /** With its secret, and the log of what its webhook was told. Throws `TriggerNotFound`. */
  async remove(tenant: Tenant, id: string, cause: Cause): Promise<void> {
    await this.control.write(tenant, WHOLE_TENANT, cause, async (tx) => {
      await one(tx, tenant, id);
      await tx.rows('DELETE FROM triggers WHERE tenant_id = $1 AND id = $2', [tenant.id, id]);
      this.secrets.remove(tx, secretOf(id));
      tx.record('trigger.delete', null, id);
    });
    await this.ledger.write(tenant, WHOLE_TENANT, { ...cause, claim: null }, (tx) =>
      tx.rows('DELETE FROM trigger_deliveries WHERE tenant_id = $1 AND trigger_id = $2', [tenant.id, id]),
    );
  }

  private async revision(tenant: Tenant): Promise<number> {
    const sql = 'SELECT revision FROM tenants WHERE id = $1';
    const [row] = await this.ledger.readRows<{ revision: string }>(tenant, WHOLE_TENANT, sql, [tenant.id]);
    return Number(row?.revision ?? 0);
  }

  /** A secret is for one URL: where that changes, there is another. The secret that was made here; null where none was. */
  private keepSecret(
    tx: LedgerWrite,
    after: Trigger,
    before: Trigger | null,
    given: string | undefined,
  ): string | null {
    const url = urlOf(after.rule);
    if (url === null) {
      if (before !== null) this.secrets.remove(tx, secretOf(after.id));
      return null;
    }
    if (given === undefined && before !== null && urlOf(before.rule) === url) return null;
    const secret = given ?? newWebhookSecret();
    this.secrets.put(tx, secretOf(after.id), secret);
    return given === undefined ? secret : null;
  }
}

/** Where its webhook is; null where it has none. */
export function urlOf({ then }: TriggerRule): string | null {
  for (const action of then) if ('webhook' in action) return action.webhook.url;
  return null;
}

async function one(tx: LedgerRead | LedgerWrite, tenant: Tenant, id: string): Promise<Trigger> {
  const [row] = await tx.rows<TriggerRow>(`${SELECT} AND id = $2`, [tenant.id, id]);
  if (row === undefined) throw new TriggerNotFound();
  return triggerOf(tenant, row);
}

function triggerOf(tenant: Tenant, row: TriggerRow): Trigger {
  return {
    id: row.id,
    rule: JSON.parse(tenant.key.open(row.rule, placeOf(row.id)).toString('utf8')) as TriggerRule,
    isActive: row.is_active,
    since: Number(row.since),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function write(tx: LedgerWrite, { id, rule, isActive, since, createdAt, updatedAt }: Trigger): void {
  const sealed = tx.tenant.key.seal(JSON.stringify(rule), placeOf(id));
  tx.send(
    `INSERT INTO triggers (tenant_id, id, rule, is_active, since, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (tenant_id, id) DO UPDATE
     SET rule = excluded.rule, is_active = excluded.is_active, since = excluded.since, updated_at = excluded.updated_at`,
    [tx.tenant.id, id, sealed, isActive, since, createdAt, updatedAt],
  );
}

function placeOf(id: string) {
  return { table: 'triggers', row: id, column: 'rule' };
}

function secretOf(id: string): SecretName {
  return `webhook/trigger/${id}`;
}

const SELECT = 'SELECT id, rule, is_active, since, created_at, updated_at FROM triggers WHERE tenant_id = $1';
