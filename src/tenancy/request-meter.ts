import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { TenantId, WorkspaceId } from './tenant.js';

const FLUSH_MS = 5_000;

interface Count {
  tenant: TenantId;
  workspace: WorkspaceId;
  requests: number;
}

/** The requests of each workspace, the meter `requests`: counted here, written to the ledger in batches. */
@Injectable()
export class RequestMeter implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(RequestMeter.name);
  private counted = new Map<string, Count>();
  private beingWritten = new Map<string, Count>();
  private writing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly database: Database) {}

  count(tenant: TenantId, workspace: WorkspaceId, requests = 1): void {
    const name = `${tenant}/${workspace}`;
    const count = this.counted.get(name);
    if (count === undefined) this.counted.set(name, { tenant, workspace, requests });
    else count.requests += requests;
  }

  /** Of this process, not yet in the ledger. */
  pending(tenant: TenantId, workspace: WorkspaceId): number {
    const name = `${tenant}/${workspace}`;
    return (this.counted.get(name)?.requests ?? 0) + (this.beingWritten.get(name)?.requests ?? 0);
  }

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  /** Resolves when all that was counted before is in the ledger, or could not be written and is kept. */
  flush(): Promise<void> {
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  private async write(): Promise<void> {
    if (this.counted.size === 0) return;
    this.beingWritten = this.counted;
    this.counted = new Map();
    const counts = [...this.beingWritten.values()];
    try {
      await this.database.asSystem((manager) =>
        manager.query(ADD, [
          counts.map(({ tenant }) => tenant),
          counts.map(({ workspace }) => workspace),
          counts.map(({ requests }) => requests),
        ]),
      );
    } catch (error) {
      this.logger.debug(`Requests were not written, and are kept: ${String(error)}`);
      for (const { tenant, workspace, requests } of counts) this.count(tenant, workspace, requests);
    }
    this.beingWritten = new Map();
  }
}

/** In one order, so that replicas do not wait for each other in a circle; without tenants that were purged meanwhile. */
const ADD = `
INSERT INTO usage_counters (tenant_id, workspace_id, meter, hour, quantity)
SELECT t.id, c.workspace, 'requests', date_trunc('hour', now()), c.requests
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS c (tenant, workspace, requests)
JOIN tenants t ON t.id = c.tenant
ORDER BY t.id, c.workspace
ON CONFLICT (tenant_id, workspace_id, meter, hour) DO UPDATE SET quantity = usage_counters.quantity + excluded.quantity`;
