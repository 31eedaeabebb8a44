import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { systemCause } from '../../ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';

const FLUSH_MS = 5_000;
/** Beyond it the counts of a period are dropped: they are a hint for ranking, not a bill. */
const MOST_TENANTS = 10_000;

interface Accesses {
  tenant: Tenant;
  counts: Map<string, { workspace: WorkspaceId; id: string; count: number; at: Date }>;
}

/** Which memories were recalled, and when: written in batches, with no revision, no history and no audit. */
@Injectable()
export class MemoryAccess implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(MemoryAccess.name);
  private accesses = new Map<string, Accesses>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly ledger: Ledger) {}

  note(tenant: Tenant, workspace: WorkspaceId, ids: string[]): void {
    if (ids.length === 0 || (this.accesses.size >= MOST_TENANTS && !this.accesses.has(tenant.id))) return;
    const accesses: Accesses = this.accesses.get(tenant.id) ?? { tenant, counts: new Map() };
    this.accesses.set(tenant.id, accesses);
    const at = new Date();
    for (const id of ids) {
      const name = `${workspace}/${id}`;
      const count = (accesses.counts.get(name)?.count ?? 0) + 1;
      accesses.counts.set(name, { workspace, id, count, at });
    }
  }

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  private async flush(): Promise<void> {
    const due = [...this.accesses.values()];
    this.accesses = new Map();
    for (const { tenant, counts } of due) {
      await this.write(tenant, [...counts.values()]).catch((error: unknown) =>
        this.logger.debug(`Accesses of ${tenant.slug} were not written: ${String(error)}`),
      );
    }
  }

  private async write(
    tenant: Tenant,
    counts: { workspace: WorkspaceId; id: string; count: number; at: Date }[],
  ): Promise<void> {
    await this.ledger.write(tenant, WHOLE_TENANT, systemCause('accesses'), (tx) =>
      tx.rows(
        `INSERT INTO memory_stats (tenant_id, workspace_id, memory_id, access_count, last_accessed)
         SELECT $1, a.workspace_id, a.memory_id, a.count, a.at
         FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::timestamptz[]) AS a (workspace_id, memory_id, count, at)
         JOIN memories m ON m.tenant_id = $1 AND m.workspace_id = a.workspace_id AND m.id = a.memory_id
         ON CONFLICT (tenant_id, workspace_id, memory_id)
         DO UPDATE SET access_count = memory_stats.access_count + excluded.access_count, last_accessed = excluded.last_accessed`,
        [
          tenant.id,
          counts.map((c) => c.workspace),
          counts.map((c) => c.id),
          counts.map((c) => c.count),
          counts.map((c) => c.at),
        ],
      ),
    );
  }
}
