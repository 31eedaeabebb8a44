import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { systemCause } from '../../ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import { Settings } from '../../platform/config/settings.js';
import { FetchRefused, GuardedFetch } from '../../platform/outgoing/guarded-fetch.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { TenantId } from '../../tenancy/tenant.js';
import { EventPages } from '../events/event-pages.service.js';
import { settleDelivery, takeDue, type DeliveryRow } from './delivery-rows.js';
import { DueWebhooks } from './due-webhooks.js';
import { kindOf, messageOf } from './webhook-message.js';
import { urlOf, Triggers, type Trigger } from './triggers.service.js';
import { signatureHeaders } from './webhook-signature.js';
import { TriggerNotFound } from './triggers.errors.js';

const LOOK_EVERY_MS = 1_000;
const TENANTS_AT_ONCE = 16;
/** Of one tenant, side by side. */
const AT_ONCE = 4;
const LIMITS = { ms: 10_000, bytes: 65_536 };
const CAUSE = systemCause('webhooks');

/** What came of one attempt. */
interface Heard {
  status: number | null;
  /** Null: it was taken. */
  error: string | null;
}

/**
 * Tells webhooks what triggers have noted for them. At least once: who was interrupted before it had written down what it
 * heard is asked again. What is told is read at that moment, so nothing is told of what has been deleted meanwhile.
 */
@Injectable()
export class WebhookSender implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(WebhookSender.name);
  private readonly busy = new Map<TenantId, Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | null = null;
  private stopping = false;

  constructor(
    private readonly ledger: Ledger,
    private readonly triggers: Triggers,
    private readonly due: DueWebhooks,
    private readonly pages: EventPages,
    private readonly fetch: GuardedFetch,
    private readonly settings: Settings,
  ) {}

  /** An API process leaves it to the workers. */
  onApplicationBootstrap(): void {
    if (this.settings.role === 'api') return;
    this.timer = setInterval(() => {
      this.looking ??= this.look().finally(() => (this.looking = null));
    }, LOOK_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    await this.looking;
    await Promise.all(this.busy.values());
  }

  private async look(): Promise<void> {
    try {
      for (const tenant of await this.due.tenants()) {
        if (this.stopping || this.busy.size >= TENANTS_AT_ONCE) return;
        if (this.busy.has(tenant.id)) continue;
        const work = this.tell(tenant)
          .catch((error: unknown) =>
            this.logger.debug(`${tenant.space}'s webhooks are told later: ${String(error)}`),
          )
          .finally(() => this.busy.delete(tenant.id));
        this.busy.set(tenant.id, work);
      }
    } catch (error) {
      this.logger.warn(`Webhooks will be told later: ${String(error)}`);
    }
  }

  /** A few at a time: those of others need not wait until a long backlog is through. */
  private async tell(tenant: Tenant): Promise<void> {
    const { result: taken } = await this.ledger.write(tenant, WHOLE_TENANT, CAUSE, (tx) =>
      takeDue(tx, AT_ONCE),
    );
    const heard = await Promise.all(taken.map((delivery) => this.attempt(tenant, delivery)));
    if (taken.length === 0) return;
    await this.ledger.write(tenant, WHOLE_TENANT, CAUSE, (tx) => {
      for (const [at, delivery] of taken.entries()) {
        const { status = null, error = null } = heard[at] ?? {};
        settleDelivery(tx, delivery, status, error);
      }
      return Promise.resolve();
    });
  }

  private async attempt(tenant: Tenant, delivery: DeliveryRow): Promise<Heard> {
    try {
      const trigger = await this.triggerOf(tenant, delivery.trigger_id);
      const url = trigger === null ? null : urlOf(trigger.rule);
      const secret = await this.triggers.secret(tenant, delivery.trigger_id);
      if (trigger === null || url === null || secret === null) {
        return { status: null, error: 'The trigger has no webhook any more' };
      }
      const { workspace_id: workspace, item: id } = delivery;
      const item = await this.pages.item(tenant, workspace, kindOf(delivery.event), id);
      const body = JSON.stringify(messageOf(tenant, trigger, delivery, item));
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'Loci-Webhooks',
        ...signatureHeaders(secret, `msg_${delivery.id}`, new Date(), body),
      };
      const status = await this.fetch.post(url, body, headers, LIMITS);
      return { status, error: status >= 200 && status < 300 ? null : `It answered ${status}` };
    } catch (error) {
      if (error instanceof FetchRefused) return { status: null, error: error.message };
      // What is wrong in here is not the tenant's to read.
      this.logger.warn(`A webhook of ${tenant.space} was not told: ${String(error)}`);
      return { status: null, error: 'It could not be told' };
    }
  }

  private async triggerOf(tenant: Tenant, id: string): Promise<Trigger | null> {
    try {
      return await this.triggers.get(tenant, id);
    } catch (error) {
      if (error instanceof TriggerNotFound) return null;
      throw error;
    }
  }
}
