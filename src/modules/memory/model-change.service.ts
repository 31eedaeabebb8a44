import { Injectable, Logger } from '@nestjs/common';
import { systemCause } from '../../ledger/cause.js';
import { ChangeFeed } from '../../ledger/change-feed.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import { Models } from '../../models/models.js';
import { Spaces } from '../../spaces/spaces.js';
import { PRINCIPALS_CHANNEL } from '../../tenancy/principal-cache.js';
import type { Tenant } from '../../tenancy/principal.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';

const TENANTS_AT_ONCE = 100;
/** Requests that began before a switch may write for the old model this long after it: longer than any takes. */
const LINGER_MS = 60_000;

/**
 * Moves tenants to the model that is set. The new model's vectors are made beside the old ones, in a projection with a
 * watermark of its own; until that has caught up, the old one answers. Then the tenant is switched, and what was the
 * old model's is dropped, from the ledger and from the space.
 */
@Injectable()
export class ModelChange {
  private readonly logger = new Logger(ModelChange.name);

  /** What was switched, and is to be swept once more. */
  private switched: { tenant: Tenant; at: number }[] = [];

  constructor(
    private readonly ledger: Ledger,
    private readonly feed: ChangeFeed,
    private readonly directory: TenantDirectory,
    private readonly models: Models,
    private readonly spaces: Spaces,
  ) {}

  /** Asks for the new model's vectors wherever they are missing, once those it has asked for are there. */
  async begin(): Promise<void> {
    for (const tenant of await this.directory.notYetOn(this.models.currentId, TENANTS_AT_ONCE)) {
      await this.ledger.write(tenant, WHOLE_TENANT, systemCause('model-change'), (tx) =>
        tx.rows(ASK_FOR_ALL, [tenant.id, this.models.currentId]),
      );
    }
  }

  /** Switches those whose new projection has everything, and sweeps up after those that were switched. */
  async finish(now = Date.now()): Promise<void> {
    const due = this.switched.filter(({ at }) => now - at >= LINGER_MS);
    this.switched = this.switched.filter((entry) => !due.includes(entry));
    for (const { tenant } of due) await this.sweepUp(tenant);
    for (const tenant of await this.directory.notYetOn(this.models.currentId, TENANTS_AT_ONCE)) {
      const space = this.spaces.open(tenant);
      if (await space.indexed()) await this.switchOver(tenant);
    }
  }

  /** What late requests wrote for the old model, unless the tenant has gone back to it. */
  private async sweepUp(tenant: Tenant): Promise<void> {
    const [now] = await this.ledger.read(tenant, WHOLE_TENANT, (tx) =>
      tx.rows<{ embedding_model: string }>('SELECT embedding_model FROM tenants WHERE id = $1', [tenant.id]),
    );
    if (now?.embedding_model !== this.models.currentId) return;
    await this.ledger.write(tenant, WHOLE_TENANT, systemCause('model-change'), forgetOtherModels);
    await this.spaces.vectorsOf(tenant, tenant.embeddingModel).drop();
  }

  private async switchOver(tenant: Tenant): Promise<void> {
    const next = this.spaces.vectorsOf(tenant, this.models.currentId);
    const head = await this.feed.head(tenant);
    const watermark = await next.watermark();
    const empty = head.revision === 0 || watermark.ledger === null;
    if (!empty && (watermark.ledger !== head.ledger || watermark.revision !== head.revision)) return;
    const { result: switched } = await this.ledger.write(
      tenant,
      WHOLE_TENANT,
      systemCause('model-change'),
      async (tx) => {
        // Under the lock nothing can be stored: what is complete now stays complete until the switch.
        const rows = await tx.rows(SWITCH, [
          tenant.id,
          this.models.currentId,
          head.revision,
          PRINCIPALS_CHANNEL,
        ]);
        if (rows.length === 0) return false;
        await forgetOtherModels(tx);
        tx.record('tenant.model_change', null, tenant.id, {
          from: tenant.embeddingModel,
          to: this.models.currentId,
        });
        return true;
      },
    );
    if (!switched) return;
    await this.spaces.vectorsOf(tenant, tenant.embeddingModel).drop();
    this.switched.push({ tenant, at: Date.now() });
    this.logger.log(`${tenant.space} now answers with ${this.models.currentId}`);
  }
}

/** Of every model but the one that answers. */
async function forgetOtherModels(tx: LedgerWrite): Promise<void> {
  for (const table of ['embeddings', 'pending_vectors']) {
    await tx.rows(
      `DELETE FROM ${table} WHERE tenant_id = $1 AND model <> (SELECT embedding_model FROM tenants WHERE id = $1)`,
      [tx.tenant.id],
    );
  }
}

const ASK_FOR_ALL = `
INSERT INTO pending_vectors (tenant_id, workspace_id, memory_id, part, model)
SELECT m.tenant_id, m.workspace_id, m.id, parts.part, $2
FROM memories m
CROSS JOIN LATERAL (VALUES ('alone', m.alone_hash), ('joined', m.joined_hash)) AS parts (part, hash)
JOIN changes c ON c.tenant_id = m.tenant_id AND c.workspace_id = m.workspace_id AND c.kind = 'memory' AND c.id = m.id
LEFT JOIN unindexable u ON u.tenant_id = m.tenant_id AND u.workspace_id = m.workspace_id AND u.kind = 'memory' AND u.id = m.id
  AND u.projection = parts.part || ':' || $2 AND u.revision >= c.revision
LEFT JOIN embeddings e ON e.tenant_id = m.tenant_id AND e.workspace_id = m.workspace_id AND e.memory_id = m.id
  AND e.part = parts.part AND e.model = $2 AND e.hash = parts.hash
WHERE m.tenant_id = $1 AND parts.hash IS NOT NULL AND e.memory_id IS NULL AND u.id IS NULL
  AND NOT EXISTS (SELECT FROM pending_vectors WHERE tenant_id = $1 AND model = $2)
ON CONFLICT DO NOTHING`;

const SWITCH = `
UPDATE tenants SET embedding_model = $2
WHERE id = $1 AND revision = $3
  AND NOT EXISTS (SELECT FROM pending_vectors WHERE tenant_id = $1 AND model = $2)
RETURNING pg_notify($4, id::text)`;
