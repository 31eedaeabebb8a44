import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { KeyPrincipal } from './principal.js';

const FLUSH_MS = 2_000;
/** A key in steady use is written once in so long. */
const EXACT_TO_MS = 60_000;
const MOST_KEYS = 20_000;

/** When each key was last used: to the minute, written in batches, and never waited for. */
@Injectable()
export class KeyUse implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(KeyUse.name);
  private due = new Map<string, { tenantId: string; at: number }>();
  private written = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly database: Database) {}

  note({ keyId, tenant }: KeyPrincipal): void {
    const at = Date.now();
    if (at - (this.written.get(keyId) ?? 0) < EXACT_TO_MS || this.due.size >= MOST_KEYS) return;
    this.due.set(keyId, { tenantId: tenant.id, at });
  }

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  private async flush(): Promise<void> {
    if (this.due.size === 0) return;
    const due = [...this.due];
    this.due = new Map();
    // To forget them all costs no more than writing some once too often.
    if (this.written.size > MOST_KEYS) this.written = new Map();
    for (const [keyId, { at }] of due) this.written.set(keyId, at);
    await this.database
      .asSystem((manager) =>
        manager.query(WRITE, [
          due.map(([, { tenantId }]) => tenantId),
          due.map(([keyId]) => keyId),
          due.map(([, { at }]) => new Date(at)),
        ]),
      )
      .catch((error: unknown) => {
        for (const [keyId] of due) this.written.delete(keyId);
        this.logger.debug(`When ${due.length} keys were used was not written: ${String(error)}`);
      });
  }
}

/** A key that another replica writes at this moment is left to it: two that wait for each other would both fail. */
const WRITE = `
WITH used AS (
  SELECT k.tenant_id, k.id, u.at FROM api_keys k
  JOIN unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS u (tenant_id, id, at) USING (tenant_id, id)
  FOR NO KEY UPDATE OF k SKIP LOCKED
)
UPDATE api_keys k SET last_used_at = GREATEST(k.last_used_at, used.at)
FROM used WHERE k.tenant_id = used.tenant_id AND k.id = used.id`;
