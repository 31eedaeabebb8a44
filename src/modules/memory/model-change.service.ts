import { Injectable, Logger } from '@nestjs/common';
import { systemCause } from '../../ledger/cause.js';
import { ChangeFeed } from '../../ledger/change-feed.js';
import { HomeMirror } from '../../ledger/home-mirror.js';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import { Models } from '../../models/models.js';
import { Spaces } from '../../spaces/spaces.js';
import { PRINCIPALS_CHANNEL } from '../../tenancy/principal-cache.js';
import type { Tenant } from '../../tenancy/principal.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';

const TENANTS_AT_ONCE = 100;
/** Requests that began before a switch may ask and write for the old model this long after it: longer than any takes. */
const LINGER_MS = 60_000;

/**
 * Moves tenants to the model that is set. The new model's vectors are made beside the old ones, in a projection with a
 * watermark of its own; until that has caught up, the old one answers. Then the tenant is switched. The old model is
 * retired: it goes on answering those who still ask it, and a minute later it is dropped, from the space and from the
 * ledger.
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
    private readonly mirror: HomeMirror,
  ) {}

  /** Asks for the new model's vectors wherever they are missing, once those it has asked for are there. */
  async begin(): Promise<void> {
    for (const tenant of await this.directory.notYetOn(this.models.currentId, TENANTS_AT_ONCE)) {
      await this.askForAll(tenant);
    }
  }

  /** Switches those whose new projection has everything, and drops the models that were retired long enough ago. */
  async finish(now = new Date()): Promise<void> {
    const before = new Date(now.getTime() - LINGER_MS);
    for (const { tenant, model } of await this.directory.retiredModels(before, TENANTS_AT_ONCE)) {
      await this.forget(tenant, model);
    }
    for (const tenant of await this.directory.notYetOn(this.models.currentId, TENANTS_AT_ONCE)) {
      const space = this.spaces.open(tenant);
      // That nothing waits is not enough: what waited may have been a single new text, before the old ones were asked for.
      if ((await this.askForAll(tenant)) && (await space.indexed())) await this.switchOver(tenant);
    }
  }

  /** True where every text has its vector. Whatever is stored from then on brings its own, or waits for it. */
  private async askForAll(tenant: Tenant): Promise<boolean> {
    const { result } = await this.ledger.write(tenant, WHOLE_TENANT, systemCause('model-change'), (tx) =>
      tx.rows<{ complete: boolean }>(ASK_FOR_ALL, [tenant.id, this.models.currentId]),
    );
    return result[0]?.complete === true;
  }

  /** A model that was retired, unless the tenant is going back to it. The space first: the ledger remembers to try again. */
  private async forget(tenant: Tenant, model: string): Promise<void> {
    const wanted = model === tenant.embeddingModel || model === this.models.currentId;
    if (!wanted) await this.spaces.vectorsOf(tenant, model).drop();
    await this.ledger.write(tenant, WHOLE_TENANT, systemCause('model-change'), async (tx) => {
      const retired = await tx.rows(
        'UPDATE tenants SET retired_model = NULL, retired_at = NULL WHERE id = $1 AND retired_model = $2 RETURNING id',
        [tenant.id, model],
      );
      if (retired.length === 0 || wanted) return;
      for (const table of ['embeddings', 'pending_vectors']) {
        await tx.rows(`DELETE FROM ${table} WHERE tenant_id = $1 AND model = $2`, [tenant.id, model]);
      }
    });
    await this.mirror.reflect(tenant);
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
        tx.record('tenant.model_change', null, tenant.id, {
          from: tenant.embeddingModel,
          to: this.models.currentId,
        });
        return true;
      },
    );
    if (!switched) return;
    await this.mirror.reflect(tenant);
    this.logger.log(`${tenant.space} now answers with ${this.models.currentId}`);
  }
}

const ASK_FOR_ALL = `
WITH asked AS (
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
ON CONFLICT DO NOTHING
RETURNING 1
)
SELECT NOT EXISTS (SELECT FROM asked) AND NOT EXISTS (SELECT FROM pending_vectors WHERE tenant_id = $1 AND model = $2) AS complete`;

const SWITCH = `
UPDATE tenants SET embedding_model = $2, retired_model = embedding_model, retired_at = now()
WHERE id = $1 AND revision = $3
  AND NOT EXISTS (SELECT FROM pending_vectors WHERE tenant_id = $1 AND model = $2)
RETURNING pg_notify($4, id::text)`;
