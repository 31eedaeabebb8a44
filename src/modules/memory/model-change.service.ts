import { Injectable, Logger } from '@nestjs/common';
import { systemCause } from '../../ledger/cause.js';
import { ChangeFeed } from '../../ledger/change-feed.js';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import { Models } from '../../models/models.js';
import { Spaces } from '../../spaces/spaces.js';
import { PRINCIPALS_CHANNEL } from '../../tenancy/principal-cache.js';
import type { Tenant } from '../../tenancy/principal.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';

const TENANTS_AT_ONCE = 100;

/**
 * Moves tenants to the model that is set. The new model's vectors are made beside the old ones, in a projection with a
 * watermark of its own; until that has caught up, the old one answers. Then the tenant is switched, and what was the
 * old model's is dropped, from the ledger and from the space.
 */
@Injectable()
export class ModelChange {
  private readonly logger = new Logger(ModelChange.name);

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

  /** Switches those whose new projection has everything. */
  async finish(): Promise<void> {
    for (const tenant of await this.directory.notYetOn(this.models.currentId, TENANTS_AT_ONCE)) {
      const space = this.spaces.open(tenant);
      if (await space.indexed()) await this.switchOver(tenant);
    }
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
        await tx.rows('DELETE FROM embeddings WHERE tenant_id = $1 AND model <> $2', [
          tenant.id,
          this.models.currentId,
        ]);
        await tx.rows('DELETE FROM pending_vectors WHERE tenant_id = $1 AND model <> $2', [
          tenant.id,
          this.models.currentId,
        ]);
        tx.record('tenant.model_change', null, tenant.id, {
          from: tenant.embeddingModel,
          to: this.models.currentId,
        });
        return true;
      },
    );
    if (!switched) return;
    await this.spaces.vectorsOf(tenant, tenant.embeddingModel).drop();
    this.logger.log(`${tenant.space} now answers with ${this.models.currentId}`);
  }
}

const ASK_FOR_ALL = `
INSERT INTO pending_vectors (tenant_id, workspace_id, memory_id, part, model)
SELECT m.tenant_id, m.workspace_id, m.id, parts.part, $2
FROM memories m
CROSS JOIN LATERAL (VALUES ('alone', m.alone_hash), ('joined', m.joined_hash)) AS parts (part, hash)
LEFT JOIN embeddings e ON e.tenant_id = m.tenant_id AND e.workspace_id = m.workspace_id AND e.memory_id = m.id
  AND e.part = parts.part AND e.model = $2 AND e.hash = parts.hash
WHERE m.tenant_id = $1 AND parts.hash IS NOT NULL AND e.memory_id IS NULL
  AND NOT EXISTS (SELECT FROM pending_vectors WHERE tenant_id = $1 AND model = $2)
ON CONFLICT DO NOTHING`;

const SWITCH = `
UPDATE tenants SET embedding_model = $2
WHERE id = $1 AND revision = $3
  AND NOT EXISTS (SELECT FROM pending_vectors WHERE tenant_id = $1 AND model = $2)
RETURNING pg_notify($4, id::text)`;
