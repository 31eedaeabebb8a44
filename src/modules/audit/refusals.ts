import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AuditTrail } from '../../ledger/audit-trail.js';
import { Database } from '../../platform/database/database.js';
import { ReplyListeners } from '../../platform/http/reply-listeners.js';
import type { Reply } from '../../platform/http/request-facts.js';
import type { TenantId } from '../../tenancy/tenant.js';

/** The first of a kind is on record this soon. */
const LOOK_EVERY_MS = 500;
/** Those like it are counted so long, and are then one record more. */
const WINDOW_MS = 60_000;
/** Kinds of refusals that are told apart for one tenant; what is beyond is counted together. */
const MOST_KINDS = 20;

/** Refusals that are alike: the same caller, route and reason. */
interface Kind {
  actor: string;
  target: string;
  code: string;
  status: number;
  /** Of the first. */
  requestId: string;
  since: number;
  /** The first is on record. */
  begun: boolean;
  /** Not on record yet. */
  times: number;
}

/**
 * Puts refused attempts on record: 401 and 403, in the chain of the tenant whose token it was, otherwise in the
 * installation's. Outside of any request's transaction, which would be rolled back with it, and bounded: a flood of
 * refusals is at most two records a minute for each kind of them, and at most 21 kinds for a tenant, in each process.
 */
@Injectable()
export class Refusals implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(Refusals.name);
  /** By tenant's slug; null: of no tenant. */
  private readonly kinds = new Map<string | null, Map<string, Kind>>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | null = null;

  constructor(
    private readonly database: Database,
    private readonly audit: AuditTrail,
    private readonly replies: ReplyListeners,
  ) {}

  onModuleInit(): void {
    this.replies.add((reply) => this.note(reply));
    this.timer = setInterval(() => {
      if (this.kinds.size > 0) this.writing ??= this.write(performance.now() - WINDOW_MS);
    }, LOOK_EVERY_MS).unref();
  }

  /** What was counted so far is written. */
  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.writing;
    await this.write(Infinity);
  }

  private note({ status, method, route, facts }: Reply): void {
    if (status !== 401 && status !== 403) return;
    const tenant = facts.tenant ?? null;
    const actor = facts.actor ?? 'anonymous';
    const code = facts.problem?.code ?? String(status);
    const ofTenant = this.kinds.get(tenant) ?? new Map<string, Kind>();
    this.kinds.set(tenant, ofTenant);
    const wanted = `${actor} ${method} ${route} ${code}`;
    const several = !ofTenant.has(wanted) && ofTenant.size >= MOST_KINDS;
    const name = several ? 'several' : wanted;
    const known = ofTenant.get(name);
    if (known !== undefined) {
      known.times++;
      return;
    }
    ofTenant.set(name, {
      actor: several ? 'several' : actor,
      target: several ? 'several' : `${method} ${route}`,
      code,
      status,
      requestId: facts.requestId,
      since: performance.now(),
      begun: false,
      times: 1,
    });
  }

  /** Those that are new, and those that began before `over`: these are then forgotten. What fails is tried again. */
  private async write(over: number): Promise<void> {
    for (const [tenant, ofTenant] of this.kinds) {
      const due = [...ofTenant.values()].filter(
        (kind) => kind.times > 0 && (!kind.begun || kind.since <= over),
      );
      await this.record(tenant, due).catch((error: unknown) => {
        this.logger.warn(`Refused attempts will be put on record later: ${String(error)}`);
      });
      for (const [name, { since, times }] of ofTenant) {
        if (since <= over && times === 0) ofTenant.delete(name);
      }
      if (ofTenant.size === 0) this.kinds.delete(tenant);
    }
    this.writing = null;
  }

  private async record(slug: string | null, kinds: Kind[]): Promise<void> {
    if (kinds.length === 0) return;
    const counted = kinds.map((kind) => ({ kind, times: kind.times }));
    await this.database.asSystem(async (manager) => {
      const tenantId = slug === null ? null : await this.idOf(slug);
      // It was purged meanwhile: its chain is closed.
      if (tenantId === undefined) return;
      for (const { kind, times } of counted) {
        const { actor, target, requestId, code, status } = kind;
        await this.audit.record(manager, {
          tenantId,
          action: 'request.refuse',
          outcome: 'refused',
          actor,
          target,
          requestId,
          detail: { code, status, times },
        });
      }
    });
    for (const { kind, times } of counted) {
      kind.times -= times;
      kind.begun = true;
    }
  }

  private async idOf(slug: string): Promise<TenantId | undefined> {
    const sql = 'SELECT id FROM tenants WHERE slug = $1';
    const [row] = await this.database.readAsSystem<{ id: TenantId }>(sql, [slug]);
    return row?.id;
  }
}
